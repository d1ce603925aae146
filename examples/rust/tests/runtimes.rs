//! A token as a future, in runtimes that know nothing of it.

use std::time::Duration;

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, Options, TokenProvider};

fn slow() -> (Sandbox, TokenProvider) {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(Duration::from_millis(200));
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let options = Options::default().auth_url(sandbox.auth_url());
    let provider = TokenProvider::builder(credentials).options(options).build().unwrap();
    (sandbox, provider)
}

/// A hundred tasks share one token request.
#[test]
fn tokio() {
    let (sandbox, provider) = slow();
    for mut builder in
        [tokio::runtime::Builder::new_current_thread(), tokio::runtime::Builder::new_multi_thread()]
    {
        let runtime = builder.enable_all().build().unwrap();
        runtime.block_on(async {
            let task = || tokio::spawn(provider.token_async());
            let tasks: Vec<_> = (0..100).map(|_| task()).collect();
            for task in tasks {
                task.await.unwrap().unwrap();
            }
        });
    }
    assert_eq!(sandbox.requests("/authenticate/"), 1);
}

/// A wait that was given up harms no other one.
#[test]
fn tokio_gives_one_up() {
    let (_sandbox, provider) = slow();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let short = tokio::time::timeout(Duration::from_millis(1), provider.token_async());
        assert!(short.await.is_err());
        provider.token_async().await.unwrap();
    });
}

#[test]
fn smol() {
    let (sandbox, provider) = slow();
    smol::block_on(async {
        let tasks: Vec<_> = (0..100).map(|_| smol::spawn(provider.token_async())).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(sandbox.requests("/authenticate/"), 1);
}

#[test]
fn the_executor_of_futures() {
    let (sandbox, provider) = slow();
    let all = futures::future::join_all((0..100).map(|_| provider.token_async()));
    let tokens = futures::executor::block_on(all);
    assert!(tokens.iter().all(Result::is_ok));
    assert_eq!(sandbox.requests("/authenticate/"), 1);
}
