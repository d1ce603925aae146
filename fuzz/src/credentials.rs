//! A client id and a secret, with a NUL between them; as values, and the secret as a file.

use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

use clazar_auth::fuzzing::request::{attempt, is_unprintable};
use clazar_auth::{Credentials, Error, ErrorKind};
use serde_json::{Value, json};

use crate::common::{URL, check_words, folder};

static FILE: LazyLock<PathBuf> = LazyLock::new(|| folder("credentials").join("secret"));

const OTHER_SECRET: &str = "another-secret";

pub fn run(data: &[u8]) {
    let at = data.iter().position(|&b| b == 0).unwrap_or(data.len());
    let (id, secret) = (&data[..at], data.get(at + 1..).unwrap_or_default());
    let Ok(id) = std::str::from_utf8(id) else { return };
    fs::write(&*FILE, OTHER_SECRET).unwrap();
    let others_from_file = Credentials::from_file(id, &*FILE);
    fs::write(&*FILE, secret).unwrap();
    let from_file = Credentials::from_file(id, &*FILE);
    let Ok(secret) = std::str::from_utf8(secret) else {
        return assert!(from_file.is_err(), "a secret that is no text");
    };
    check(Credentials::new(id, secret), id, secret, Credentials::new(id, OTHER_SECRET));
    let line = secret.strip_suffix('\n').unwrap_or(secret);
    check(from_file, id, line.strip_suffix('\r').unwrap_or(line), others_from_file);
}

/// `others` have the same id and another secret.
fn check(
    credentials: Result<Credentials, Error>,
    id: &str,
    secret: &str,
    others: Result<Credentials, Error>,
) {
    let is_good = |text: &str| !text.is_empty() && !text.chars().any(is_unprintable);
    let credentials = match credentials {
        Ok(credentials) => credentials,
        Err(error) => {
            assert!(!is_good(id) || !is_good(secret) || secret.len() > 64 * 1024, "{error}");
            assert_eq!(error.kind(), ErrorKind::InvalidArgument);
            return check_words(&error.to_string(), &[&FILE.display().to_string()]);
        }
    };
    assert!(is_good(id) && is_good(secret));
    assert_eq!(credentials.client_id(), id);
    let others = others.expect("the id is good");
    assert_eq!(format!("{credentials:?}"), format!("{others:?}"), "the secret is told");
    // All that was given is sent, and nothing else.
    let (sent, outcome) = attempt(URL, &credentials, b"", usize::MAX);
    assert_eq!(outcome.expect_err("nothing was answered").kind(), ErrorKind::Transport);
    let end = sent.windows(4).position(|window| window == b"\r\n\r\n").expect("the head ends");
    let body: Value = serde_json::from_slice(&sent[end + 4..]).expect("it is JSON");
    assert_eq!(body, json!({ "client_id": id, "client_secret": secret }));
}
