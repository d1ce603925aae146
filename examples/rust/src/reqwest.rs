//! Sends a request of reqwest with the token.

use std::error::Error;

use clazar_auth::TokenProvider;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, Request, RequestBuilder, Response, StatusCode};

/// Sends a request with the token, and once more with another one if the API answers 401 and the body can be
/// sent again.
///
/// On a redirect to another host reqwest takes the Authorization header away.
pub async fn send(
    provider: &TokenProvider,
    request: RequestBuilder,
) -> Result<Response, Box<dyn Error + Send + Sync>> {
    let (client, request) = request.build_split();
    let mut request = request?;
    provider.check_url(request.url().as_str())?;
    let again = request.try_clone();
    let token = provider.token_async().await?;
    authorize(&mut request, token.authorization())?;
    let response = client.execute(request).await?;
    if response.status() != StatusCode::UNAUTHORIZED {
        return Ok(response);
    }
    provider.invalidate(&token);
    match again {
        Some(again) => send_again(provider, &client, again).await,
        None => Ok(response),
    }
}

async fn send_again(
    provider: &TokenProvider,
    client: &Client,
    mut request: Request,
) -> Result<Response, Box<dyn Error + Send + Sync>> {
    authorize(&mut request, provider.token_async().await?.authorization())?;
    Ok(client.execute(request).await?)
}

fn authorize(
    request: &mut Request,
    authorization: &str,
) -> Result<(), Box<dyn Error + Send + Sync>> {
    let mut value = HeaderValue::from_str(authorization)?;
    // Debug output does not show it then.
    value.set_sensitive(true);
    request.headers_mut().insert(AUTHORIZATION, value);
    Ok(())
}
