//! A file of certificate authorities.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use clazar_auth::{ErrorKind, Options, TokenProvider};

use crate::common::{bounded, check_text, credentials, folder};

static FILE: LazyLock<PathBuf> = LazyLock::new(|| folder("ca-file").join("ca.pem"));

pub fn run(data: &[u8]) {
    fs::write(&*FILE, data).unwrap();
    let options = Options::default().ca_file(&*FILE).system_roots(false).trust_env(false);
    // The file, its certificates in DER, and what is kept of them.
    let most = 64 * 1024 + 16 * data.len();
    match bounded(most, || TokenProvider::builder(credentials()).options(options).build()) {
        Ok(_) => {
            let text = String::from_utf8_lossy(data);
            assert!(text.contains("-----BEGIN") && text.contains("CERTIFICATE-----"), "{text}");
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            check_text(&error.to_string());
        }
    }
}
