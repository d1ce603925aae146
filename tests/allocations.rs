//! A fresh token costs no allocation.
// The bindings have an allocator of their own.
#![cfg(not(any(feature = "capi", feature = "python")))]

use allocation_counter::{AllocationInfo, measure};
use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, Options, TokenProvider};

#[test]
fn a_fresh_token_is_handed_out_without_an_allocation() {
    let sandbox = Sandbox::start().unwrap();
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let options = Options::default().auth_url(sandbox.auth_url());
    let provider = TokenProvider::builder(credentials).options(options).build().unwrap();
    let mut buffer = vec![0; provider.token().unwrap().authorization().len()];

    let none = |info: AllocationInfo| assert_eq!(info.count_total, 0, "{info:?}");
    none(measure(|| {
        for _ in 0..1000 {
            let copy = |header: &str| buffer.copy_from_slice(header.as_bytes());
            provider.with_authorization(copy).unwrap();
        }
    }));
    none(measure(|| {
        for _ in 0..1000 {
            drop(provider.token().unwrap());
        }
    }));
    assert!(measure(|| drop(vec![0; 100])).count_total > 0, "the counter counts");
}
