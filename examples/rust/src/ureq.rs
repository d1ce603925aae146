//! Carries the token in each request of a ureq agent.

use clazar_auth::TokenProvider;
use ureq::http::header::{AUTHORIZATION, HeaderValue};
use ureq::http::{Request, Response};
use ureq::middleware::{Middleware, MiddlewareNext};
use ureq::{Body, Error, SendBody};

/// A middleware: `ureq::Agent::config_builder().middleware(Authorize(provider))`.
///
/// After a 401 the next request has another token; this one is not sent again, since its body is gone.
pub struct Authorize(pub TokenProvider);

impl Middleware for Authorize {
    fn handle(
        &self,
        mut request: Request<SendBody>,
        next: MiddlewareNext,
    ) -> Result<Response<Body>, Error> {
        let Self(provider) = self;
        provider.check_url(&request.uri().to_string()).map_err(other)?;
        let token = provider.token().map_err(other)?;
        let mut value = HeaderValue::from_str(token.authorization()).map_err(other)?;
        value.set_sensitive(true);
        request.headers_mut().insert(AUTHORIZATION, value);
        let answer = next.handle(request);
        let status = match &answer {
            Ok(response) => response.status().as_u16(),
            Err(Error::StatusCode(status)) => *status,
            Err(_) => 0,
        };
        if status == 401 {
            provider.invalidate(&token);
        }
        answer
    }
}

fn other(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Other(Box::new(error))
}
