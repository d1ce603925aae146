//! The recipes, each with its own client against the sandbox.

use clazar_auth::sandbox::{Answer, Sandbox};
use clazar_auth::{Credentials, Options, TokenProvider};
use clazar_auth_examples::{reqwest, tower, ureq};

const LISTINGS: &str = "/listings/";

fn provider(sandbox: &Sandbox) -> TokenProvider {
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let options = Options::default().auth_url(sandbox.auth_url());
    TokenProvider::builder(credentials).options(options).build().unwrap()
}

fn url(sandbox: &Sandbox) -> String {
    format!("{}{LISTINGS}", sandbox.url())
}

/// A first token that the API refuses is replaced, and the request sent again.
fn refuses_once() -> Sandbox {
    let sandbox = Sandbox::start().unwrap();
    sandbox.answer_next(LISTINGS, Answer::new(401, "{}")).unwrap();
    sandbox
}

#[tokio::test]
async fn reqwest_sends_it_and_replaces_what_is_refused() {
    let sandbox = refuses_once();
    let (provider, client) = (provider(&sandbox), ::reqwest::Client::new());
    let response = reqwest::send(&provider, client.get(url(&sandbox))).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!((sandbox.requests(LISTINGS), sandbox.requests("/authenticate/")), (2, 2));
    let elsewhere = client.get("https://example.com/");
    assert!(reqwest::send(&provider, elsewhere).await.is_err());
}

#[test]
fn ureq_sends_it_and_has_the_next_request_replace_what_is_refused() {
    let sandbox = refuses_once();
    let config = ::ureq::Agent::config_builder().proxy(None);
    let agent = config.middleware(ureq::Authorize(provider(&sandbox))).build().new_agent();
    assert!(matches!(agent.get(url(&sandbox)).call(), Err(::ureq::Error::StatusCode(401))));
    assert_eq!(agent.get(url(&sandbox)).call().unwrap().status(), 200);
    assert_eq!((sandbox.requests(LISTINGS), sandbox.requests("/authenticate/")), (2, 2));
    assert!(agent.get("https://example.com/").call().is_err());
}

#[tokio::test]
async fn a_tower_service_sends_it_and_replaces_what_is_refused() {
    use ::tower::{Layer, ServiceExt, service_fn};
    let sandbox = refuses_once();
    let client = ::reqwest::Client::new();
    // Any client will do whose service takes requests of the crate http.
    let service = service_fn(move |request: http::Request<String>| {
        let client = client.clone();
        async move {
            let response = client.execute(request.try_into()?).await?;
            Ok::<_, ::reqwest::Error>(http::Response::<::reqwest::Body>::from(response))
        }
    });
    let service = tower::AuthorizeLayer(provider(&sandbox)).layer(service);
    let request = |url: &str| http::Request::get(url).body(String::new()).unwrap();
    let response = service.clone().oneshot(request(&url(&sandbox))).await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!((sandbox.requests(LISTINGS), sandbox.requests("/authenticate/")), (2, 2));
    assert!(service.oneshot(request("https://example.com/")).await.is_err());
}
