//! Maps answers other than 200 to errors: the kind, what is shown, and how long to wait.

use std::time::{Duration, SystemTime};

use serde::Deserialize;
use serde::de::IgnoredAny;
use ureq::http::{StatusCode, header};
use zeroize::Zeroizing;

use super::response::{Response, Text, date, header_text, object, parse_date};
use super::url::SecureUrl;
use crate::backoff;
use crate::error::{Error, ErrorKind};
use crate::secret::Secret;
use crate::unix_time::since_1970;

/// No code and no request id is longer.
const LONGEST_NAME: usize = 64;
/// So many letters and digits are no part of the secret by chance.
const SHORTEST_ECHO: usize = 6;

/// The one field of an error answer that is shown (RFC 6749 section 5.2).
#[derive(Deserialize)]
struct ErrorBody<'a> {
    #[serde(borrow)]
    error: Text<'a>,
}

pub(super) fn error(url: &SecureUrl, secret: &Secret, answer: &Response) -> Error {
    let status = answer.status.as_u16();
    let body = object::<ErrorBody>(answer.body());
    let code = body.as_ref().map(|body| &*body.error.0);
    let (kind, sentence) = if status == 401 || code == Some("invalid_client") {
        refused_credentials()
    } else if object::<IgnoredAny>(answer.body()).is_some() {
        by_the_api(status, url)
    } else {
        by_status(status, url)
    };
    let wait = named_wait(answer);
    let (code, id) = shown(secret.expose(), answer, code);
    Error::new(kind, format!("{url} {sentence} ({})", facts(status, code, id)))
        .with_http_status(status)
        .with_names(code, id)
        .with_another_attempt(match status {
            // Other credentials are needed, whatever the status.
            _ if kind == ErrorKind::Credentials => false,
            408 | 425 | 500 | 502 | 503 | 504 => true,
            429 => wait.is_some(),
            _ => false,
        })
        .with_requested_wait(wait)
}

fn refused_credentials() -> (ErrorKind, &'static str) {
    (
        ErrorKind::Credentials,
        "refused the client id or secret; check both, and whether the secret was rotated",
    )
}

/// An answer with a JSON object, as the API makes them.
fn by_the_api(status: u16, url: &SecureUrl) -> (ErrorKind, &'static str) {
    match status {
        403 => refused_credentials(),
        400 => (ErrorKind::Rejected, "rejected the request; check the URL and the client id"),
        _ => by_status(status, url),
    }
}

/// An answer that something before the API may have made.
fn by_status(status: u16, url: &SecureUrl) -> (ErrorKind, &'static str) {
    let has_slash = url.uri().path().ends_with('/');
    match status {
        300..400 => (
            ErrorKind::Rejected,
            "answered with a redirect, which is not followed; give the final URL",
        ),
        400 => (
            ErrorKind::Rejected,
            "rejected the request with an answer that is not the API's own; check the URL, and \
             whether a gateway before the API wants a client certificate",
        ),
        403 => (
            ErrorKind::Rejected,
            "forbids the request with an answer that is not the API's own; ask whoever runs the \
             firewall or gateway before the API to let this machine through",
        ),
        404 if has_slash => (ErrorKind::Rejected, "has nothing at this path; check the URL"),
        405 if has_slash => (ErrorKind::Rejected, "takes no POST at this path; check the URL"),
        404 => (
            ErrorKind::Rejected,
            "has nothing at this path; check the URL, which lacks a slash at its end",
        ),
        405 => (
            ErrorKind::Rejected,
            "takes no POST at this path; check the URL, which lacks a slash at its end",
        ),
        408 => (ErrorKind::Timeout, "did not take the request in time; try again later"),
        425 => (ErrorKind::Server, "takes the request only later; try again later"),
        413 => (
            ErrorKind::Rejected,
            "takes no request of this length, which is short; ask whoever runs the gateway before \
             the API to raise its limit",
        ),
        429 => (
            ErrorKind::RateLimited,
            "limits the rate of token requests; wait and share one provider",
        ),
        401..500 => (
            ErrorKind::Rejected,
            "rejected the request; check the URL, and what stands between this machine and the API",
        ),
        500..600 => (ErrorKind::Server, "failed; try again later"),
        _ => (
            ErrorKind::InvalidResponse,
            "answered with a status that a token request does not have; check the URL",
        ),
    }
}

/// The code and the request id, as far as they are shown: nothing that a careless server may have made of
/// the secret.
fn shown<'a>(
    secret: &str,
    answer: &'a Response,
    code: Option<&'a str>,
) -> (Option<&'a str>, Option<&'a str>) {
    let is_harmless = |text: &&str| is_short(text) && !echoes(text, secret);
    let is_code = |code: &&str| code.bytes().all(|b| matches!(b, b'a'..=b'z' | b'_'));
    // A UUID or another number in hexadecimal: in wider alphabets a server can write a secret in base64.
    let is_group = |group: &str| group.len() >= 4 && group.bytes().all(|b| b.is_ascii_hexdigit());
    let is_id = |id: &&str| id.split('-').all(is_group);
    let id = header_text(&answer.headers, "x-request-id");
    (code.filter(is_code).filter(is_harmless), id.filter(is_id).filter(is_harmless))
}

fn facts(status: u16, code: Option<&str>, id: Option<&str>) -> String {
    let mut facts = format!("HTTP {status}");
    if let Some(code) = code {
        facts += &format!(", error {code}");
    }
    if let Some(id) = id {
        facts += &format!(", request {id}");
    }
    facts
}

fn is_short(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len())
}

/// Whether `text` has a part of the secret, as it is, reversed, or as either in hexadecimal or decimal; case
/// and what separates groups of digits aside.
fn echoes(text: &str, secret: &str) -> bool {
    let text = plain(text.bytes());
    let digit = |value: u8| b"0123456789abcdef"[value as usize];
    let hexadecimal = |byte: u8| [byte >> 4, byte & 15].map(digit);
    let decimal = |byte: u8| [byte / 100, byte / 10 % 10, byte % 10].map(digit);
    let unpadded = |byte: u8| decimal(byte).into_iter().skip_while(|digit| *digit == b'0');
    let (forwards, backwards) = (|| secret.bytes(), || secret.bytes().rev());
    [
        plain(forwards()),
        plain(backwards()),
        plain(forwards().flat_map(hexadecimal)),
        plain(backwards().flat_map(hexadecimal)),
        plain(forwards().flat_map(decimal)),
        plain(backwards().flat_map(decimal)),
        plain(forwards().flat_map(unpadded)),
        plain(backwards().flat_map(unpadded)),
    ]
    .iter()
    // A secret may have few letters and digits, or none.
    .flat_map(|form| form.windows(form.len().clamp(1, SHORTEST_ECHO)))
    .any(|part| text.windows(part.len()).any(|shown| shown == part))
}

/// Letters in one case, and digits.
fn plain(bytes: impl Iterator<Item = u8> + Clone) -> Zeroizing<Vec<u8>> {
    // Room for all, so that no smaller copy is left behind by growing.
    let mut kept = Zeroizing::new(Vec::with_capacity(bytes.clone().count()));
    let compared = bytes.filter(u8::is_ascii_alphanumeric);
    kept.extend(compared.map(|b| b.to_ascii_lowercase()));
    kept
}

/// The wait that the server asks for (RFC 9110 section 10.2.3), where that means anything.
fn named_wait(answer: &Response) -> Option<Duration> {
    let limited = answer.status == StatusCode::TOO_MANY_REQUESTS;
    if !limited && answer.status != StatusCode::SERVICE_UNAVAILABLE {
        return None;
    }
    let server_now = || date(answer).unwrap_or_else(SystemTime::now);
    let until = |time: SystemTime| time.duration_since(server_now()).unwrap_or_default();

    let named = |value| seconds(value).or_else(|| parse_date(value).map(until));
    // Something before the API may have added one of its own.
    let lines = answer.headers.get_all(header::RETRY_AFTER).iter();
    let retry_after = lines.filter_map(|line| line.to_str().ok().and_then(named)).max();
    let reset = || {
        let now = since_1970(server_now());
        header_text(&answer.headers, "x-ratelimit-reset")
            .and_then(seconds)
            .map(|at| at.saturating_sub(now))
    };
    let wait = retry_after.or_else(|| limited.then(reset).flatten());
    // A server that asks to wait for longer is asked again after that.
    wait.map(|wait| wait.min(backoff::LONGEST))
}

/// A whole number of seconds; one that no integer holds is as good as the largest.
fn seconds(text: &str) -> Option<Duration> {
    let is_number = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| Duration::from_secs(text.parse().unwrap_or(u64::MAX)))
}
