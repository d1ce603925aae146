//! Carries the token in each request of a tower service, such as a client of hyper or tonic.

use std::error::Error;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll};

use clazar_auth::TokenProvider;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Response, StatusCode};
use tower::{Layer, Service};

type BoxError = Box<dyn Error + Send + Sync>;

/// A layer: `ServiceBuilder::new().layer(AuthorizeLayer(provider)).service(client)`.
#[derive(Clone)]
pub struct AuthorizeLayer(pub TokenProvider);

impl<S> Layer<S> for AuthorizeLayer {
    type Service = Authorize<S>;

    fn layer(&self, inner: S) -> Authorize<S> {
        Authorize { provider: self.0.clone(), inner }
    }
}

/// Adds the Authorization header. After a 401 the request is sent once more with another token.
#[derive(Clone)]
pub struct Authorize<S> {
    provider: TokenProvider,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Authorize<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send,
    B: Clone + Send + 'static,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, BoxError>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The one that is ready is used, and a clone of it stays for the next call.
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);
        Box::pin(send(self.provider.clone(), inner, request))
    }
}

async fn send<S, B, R>(
    provider: TokenProvider,
    mut inner: S,
    request: Request<B>,
) -> Result<Response<R>, BoxError>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    B: Clone,
{
    provider.check_url(&request.uri().to_string())?;
    let token = provider.token_async().await?;
    let again = request.clone();
    let response = inner.call(with_token(request, token.authorization())?);
    let response = response.await.map_err(Into::into)?;
    if response.status() != StatusCode::UNAUTHORIZED {
        return Ok(response);
    }
    provider.invalidate(&token);
    let token = provider.token_async().await?;
    std::future::poll_fn(|context| inner.poll_ready(context)).await.map_err(Into::into)?;
    inner.call(with_token(again, token.authorization())?).await.map_err(Into::into)
}

fn with_token<B>(mut request: Request<B>, authorization: &str) -> Result<Request<B>, BoxError> {
    let mut value = HeaderValue::from_str(authorization)?;
    // Debug output does not show it then.
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(request)
}
