//! Checks an answer, and makes a token of it.

use std::borrow::Cow;
use std::fmt;
use std::time::SystemTime;

use serde::Deserialize;
use serde::de::{self, Deserializer, Visitor};
use ureq::http::{HeaderMap, StatusCode, header};

use super::buffers::Room;
use super::lifetime;
use super::url::SecureUrl;
use crate::error::{Error, ErrorKind};
use crate::sys::clock::Moment;
use crate::token::{AccessToken, is_token};

/// An answer of the API, whatever its status.
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Room,
    pub(super) body_length: usize,
}

impl Response {
    pub(super) fn body(&self) -> &[u8] {
        &self.body[..self.body_length]
    }
}

/// The fields of a token answer that are known (RFC 6749 section 5.1); others are ignored.
#[derive(Deserialize)]
struct TokenBody<'a> {
    #[serde(borrow)]
    access_token: Text<'a>,
    #[serde(borrow, default, deserialize_with = "present")]
    token_type: Option<Text<'a>>,
    #[serde(default, deserialize_with = "present")]
    expires_in: Option<Seconds>,
}

/// A text, copied only where JSON escaped a part of it.
#[derive(Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub(super) Cow<'a, str>);

/// Makes `null` an error where serde would take it for absent.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// The token of a 200 answer.
pub(super) fn token(
    url: &SecureUrl,
    answer: &Response,
    sent: Moment,
) -> Result<AccessToken, Error> {
    read(answer.body(), date(answer), sent).map_err(|why| {
        Error::new(
            ErrorKind::InvalidResponse,
            format!("{url} answered without a usable token: {why}; check the URL"),
        )
        .with_http_status(answer.status.as_u16())
    })
}

/// What the server's clock shows.
pub(super) fn date(answer: &Response) -> Option<SystemTime> {
    header_text(&answer.headers, header::DATE.as_str()).and_then(parse_date)
}

fn read(body: &[u8], date: Option<SystemTime>, sent: Moment) -> Result<AccessToken, &'static str> {
    let body: TokenBody = object(body).ok_or("the body is not the expected JSON object")?;
    let value = &*body.access_token.0;
    if !is_token(value) {
        return Err("access_token is not a bearer token of 1 to 8,000 characters");
    }
    if body.token_type.is_some_and(|kind| !kind.0.eq_ignore_ascii_case("bearer")) {
        return Err("token_type is not bearer");
    }
    let expires_in = body.expires_in.map(|seconds| seconds.0);
    let lifetime = lifetime::of(value, expires_in, date)
        .ok_or("the token has already expired by the server's own clock")?;
    Ok(AccessToken::new(value, sent, lifetime))
}

/// Parses a JSON object in UTF-8 (RFC 8259 section 8.1). serde alone would take an array for a
/// struct, and any bytes for a text that it passes over.
pub(super) fn object<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Option<T> {
    let body = std::str::from_utf8(body).ok()?;
    let is_object = body.trim_ascii_start().starts_with('{');
    is_object.then(|| serde_json::from_str(body).ok()).flatten()
}

/// A number of seconds above zero: an integer, a finite float or a string of digits.
struct Seconds(f64);

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(SecondsVisitor)
    }
}

struct SecondsVisitor;

impl Visitor<'_> for SecondsVisitor {
    type Value = Seconds;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("seconds above zero")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Seconds, E> {
        self.visit_f64(number as f64)
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Seconds, E> {
        if number.is_finite() && number > 0.0 {
            Ok(Seconds(number))
        } else {
            Err(E::custom("not above zero"))
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Seconds, E> {
        if !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(E::custom("not all digits"));
        }
        self.visit_f64(text.parse().map_err(E::custom)?)
    }
}

pub(super) fn header_text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

pub(super) fn parse_date(text: &str) -> Option<SystemTime> {
    httpdate::parse_http_date(text).ok()
}

/// The rest of what holds for an answer is in `tests/core/response.rs` and in `tests/faults`.
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expires_in_is_a_number_or_a_text_of_digits_above_zero() {
        let seconds = |json: &str| serde_json::from_str::<Seconds>(json).ok().map(|it| it.0);
        for (good, value) in [("600", 600.0), ("600.5", 600.5), ("6e2", 600.0), (r#""600""#, 600.0)]
        {
            assert_eq!(seconds(good), Some(value), "{good}");
        }
        let infinite = format!(r#""{}""#, "9".repeat(400));
        for bad in ["0", "0.0", "-600", "true", "[600]", &infinite] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
        for bad in ["", "0", " 600", "+600", "600.5", "soon"] {
            assert_eq!(seconds(&format!(r#""{bad}""#)), None, "{bad}");
        }
    }

    #[test]
    fn token_type_is_bearer_or_is_not_there() {
        let reads = |rest: &str| {
            let body = format!(r#"{{"access_token":"not-a-real-token"{rest}}}"#);
            read(body.as_bytes(), None, Moment::now()).is_ok()
        };
        assert!(reads("") && reads(r#","token_type":"BeareR""#));
        for bad in [r#""mac""#, r#""""#, "null", "1"] {
            assert!(!reads(&format!(r#","token_type":{bad}"#)), "{bad}");
        }
    }
}
