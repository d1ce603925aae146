//! What a store holds: a blob; and, after a first byte of `t` or `b`, the text of a token's or a back-off's.

use std::time::Duration;

use clazar_auth::fuzzing::store::{backoff, open, seal, sealed_again};

use crate::common::{CLIENT, SECRET, URL, bounded, check_text, check_token, credentials};

/// What is no longer than the longest blob, in a few copies.
const MOST_MEMORY: usize = 512 * 1024;

pub fn run(data: &[u8]) {
    bounded(MOST_MEMORY, || check_blob(data));
    match data.split_first() {
        // Texts of ours have no space at their end.
        Some((b't', text)) if text.len() <= 60_000 && text.trim_ascii_end() == text => {
            check_token_text(text)
        }
        Some((b'b', text)) => check_backoff(text),
        _ => {}
    }
}

/// A blob that opens is one that we seal, byte for byte.
fn check_blob(blob: &[u8]) {
    let (credentials, again) = (credentials(), sealed_again(URL, &credentials(), blob));
    assert!(again.as_deref().is_none_or(|again| again == blob));
    let token = open(URL, &credentials, blob);
    assert!(token.is_none() || again.is_some());
    token.iter().for_each(check_token);
}

fn check_token_text(text: &[u8]) {
    let credentials = credentials();
    let blob = seal(URL, &credentials, text);
    check_blob(&blob);
    for (url, id, secret) in [
        ("http://127.0.0.1:9/authenticate", CLIENT, SECRET),
        (URL, "another", SECRET),
        (URL, CLIENT, "another-secret-of-32-characters!"),
    ] {
        let others = clazar_auth::Credentials::new(id, secret).expect("they are valid");
        assert!(open(url, &others, &blob).is_none());
    }
}

fn check_backoff(text: &[u8]) {
    let Ok(now) = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH) else {
        return;
    };
    let Some(error) = backoff(text, now) else { return };
    check_text(&error.to_string());
    let wait = error.retry_after().expect("a back-off has an end");
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(330), "{wait:?}");
}
