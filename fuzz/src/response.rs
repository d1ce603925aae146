//! An answer of the API: all that a connection brings.

use clazar_auth::fuzzing::request::attempt;
use clazar_auth::{AccessToken, Error};
use serde_json::Value;

use crate::common::{URL, bounded, check_error, check_token, credentials};

/// Header, body, their buffers while they grow, and what is made of them.
const MOST_MEMORY: usize = 1024 * 1024;

pub fn run(answer: &[u8]) {
    let credentials = credentials();
    let ask = |piece| attempt(URL, &credentials, answer, piece).1;
    let outcome = bounded(MOST_MEMORY, || ask(usize::MAX));
    match &outcome {
        Ok(token) => {
            check_token(token);
            if let Some(body) = body_until_the_end(answer) {
                check_body(body, token);
            }
        }
        Err(error) => check_error(error),
    }
    // However the network cuts it, it means the same.
    let piece = if answer.len() < 2000 { 1 } else { 1021 };
    assert_eq!(summary(&outcome), summary(&ask(piece)));
}

fn summary(outcome: &Result<AccessToken, Error>) -> Result<&str, String> {
    outcome.as_ref().map(AccessToken::value).map_err(ToString::to_string)
}

/// The body of an answer that ends with its connection.
fn body_until_the_end(answer: &[u8]) -> Option<&[u8]> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let is_last = !head.starts_with("http/1.1 1") && !head.starts_with("http/1.0 1");
    let has_length = ["content-length", "transfer-encoding"].iter().any(|name| head.contains(name));
    (is_last && !has_length).then(|| &answer[end + 4..])
}

/// What a JSON reader that knows nothing of tokens makes of the body of a token that was accepted.
fn check_body(body: &[u8], token: &AccessToken) {
    // It also reads the numbers that are passed over, and some are out of its range.
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return };
    assert_eq!(body["access_token"].as_str(), Some(token.value()));
    let kind = body.get("token_type").map(|kind| kind.as_str().expect("it is a text"));
    assert!(kind.is_none_or(|kind| kind.eq_ignore_ascii_case("bearer")), "{kind:?}");
    let seconds = body.get("expires_in").map(|value| match value {
        Value::String(digits) => digits.parse().expect("it is a number"),
        value => value.as_f64().expect("it is a number"),
    });
    let left = token.expires_in().as_secs_f64();
    assert!(
        seconds.is_none_or(|seconds| seconds > 0.0 && left <= seconds),
        "{left} of {seconds:?}"
    );
}
