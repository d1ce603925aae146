//! Says what several targets must hold, in other words than the code that they try.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::{env, fs, process};

use clazar_auth::{AccessToken, Credentials, Error};

pub const URL: &str = "http://127.0.0.1:9/authenticate/";
pub const CLIENT: &str = "not-a-real-client";
/// Long enough to seal with, and without a word of any message.
pub const SECRET: &str = "Xq7ZKw9vJ3hYbT5mRf8gNc2pLd6sVe4u";

pub fn credentials() -> Credentials {
    Credentials::new(CLIENT, SECRET).expect("they are valid")
}

/// RFC 6750 section 2.1: `1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="`, up to 8,000 characters.
pub fn check_token(token: &AccessToken) {
    let value = token.value();
    let body = value.find('=').map_or(value, |at| &value[..at]);
    assert!((1..=8000).contains(&value.len()) && !body.is_empty(), "{} bytes", value.len());
    assert!(body.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b)));
    assert!(value[body.len()..].bytes().all(|b| b == b'='));
    assert_eq!(token.authorization(), format!("Bearer {value}"));
    assert!(token.expires_in().as_secs() <= 86_400, "{token:?}");
}

/// The words of all messages, and what is besides them in the sources.
static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let sources = [
        include_str!("../../src/error.rs"),
        include_str!("../../src/credentials.rs"),
        include_str!("../../src/provider/hosts.rs"),
        include_str!("../../src/request/http_source.rs"),
        include_str!("../../src/request/proxy.rs"),
        include_str!("../../src/request/refusal.rs"),
        include_str!("../../src/request/response.rs"),
        include_str!("../../src/request/transport_error.rs"),
        include_str!("../../src/request/url.rs"),
        include_str!("../../src/store/redis/failure.rs"),
        include_str!("../../src/store/redis/scripts.rs"),
        include_str!("../../src/store/redis/url.rs"),
    ];
    sources.into_iter().flat_map(words).collect()
});

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// A message is one printable line of limited length.
pub fn check_text(text: &str) {
    assert!(!text.is_empty() && text.chars().count() <= 25_000, "{} bytes", text.len());
    assert!(
        !text.chars().any(|c| c.is_control() || "\u{202e}\u{2028}\u{feff}".contains(c)),
        "{text:?}"
    );
}

/// Six characters of it in a row, in any case, are a part, unless `given` has them too, of which something is shown.
pub fn check_no_secret(text: &str, given: &[u8]) {
    let given = String::from_utf8_lossy(given).to_ascii_lowercase();
    let (text, secret) = (text.to_ascii_lowercase(), SECRET.to_ascii_lowercase());
    let parts = (0..=secret.len() - 6).map(|at| &secret[at..at + 6]);
    let shown: Vec<_> = parts.filter(|part| text.contains(part) && !given.contains(part)).collect();
    assert!(shown.is_empty(), "{shown:?} in {text:?}");
}

/// A message of nothing but our own words, once `facts` are taken out, which have no others.
pub fn check_words(text: &str, facts: &[&str]) {
    check_text(text);
    check_no_secret(text, b"");
    let facts = facts.iter().filter(|fact| !fact.is_empty());
    let text = facts.fold(text.to_owned(), |text, fact| text.replace(fact, " "));
    let foreign: Vec<_> = words(&text).filter(|word| !WORDS.contains(word)).collect();
    assert!(foreign.is_empty(), "{foreign:?} in {text:?}");
}

/// What an error says of an answer.
pub fn check_error(error: &Error) {
    let (code, id) = (error.code().unwrap_or_default(), error.request_id().unwrap_or_default());
    assert!(code.len() <= 64 && code.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_')), "{code}");
    assert!(id.len() <= 64 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'), "{id}");
    let status = error.http_status().map(|status| status.to_string()).unwrap_or_default();
    check_words(&error.to_string(), &[URL, id, code, &status]);
    check_no_secret(&format!("{error:?}"), b"");
    assert!(error.retry_after().is_none_or(|wait| wait.as_secs() <= 300), "{error:?}");
}

/// Runs `work`, which may hold so many bytes of memory at a time.
pub fn bounded<T>(most: usize, work: impl FnOnce() -> T) -> T {
    let mut outcome = None;
    let used = allocation_counter::measure(|| outcome = Some(work()));
    assert!(used.bytes_max <= most as u64, "{} bytes of memory, of {most}", used.bytes_max);
    outcome.expect("the work was done")
}

/// A folder of this process, which is left behind with few files: whoever starts it says where, by TMPDIR.
pub fn folder(name: &str) -> PathBuf {
    let folder = env::temp_dir().join(format!("clazar-auth-fuzz-{name}-{}", process::id()));
    fs::create_dir_all(&folder).expect("a folder can be made");
    folder
}
