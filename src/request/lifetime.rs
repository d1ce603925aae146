//! Computes how long a token is valid: what the answer says, shortened by what the token itself says.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::token::LONGEST_LIFETIME;
use crate::unix_time::since_1970;

/// Seconds, where the answer says nothing.
const DEFAULT: f64 = 300.0;

/// The dates in a JWT's payload (RFC 7519 section 4.1), in Unix seconds.
#[derive(Deserialize)]
struct Claims {
    exp: Option<f64>,
    iat: Option<f64>,
}

/// The smallest of `expires_in` seconds, `exp` minus `date` and `exp` minus `iat`, of those present;
/// `None` if the token has expired already. `date` is the server's own clock.
pub(super) fn of(
    token: &str,
    expires_in: Option<f64>,
    date: Option<SystemTime>,
) -> Option<Duration> {
    let claims = claims(token);
    let exp = claims.as_ref().and_then(|claims| claims.exp);
    let until_exp = |start: Option<f64>| exp.zip(start).map(|(exp, start)| exp - start);
    let by_date = until_exp(date.map(|date| since_1970(date).as_secs_f64()));
    let by_iat = until_exp(claims.and_then(|claims| claims.iat));

    let said = [expires_in, by_date, by_iat].into_iter().flatten();
    let seconds = said.reduce(f64::min).unwrap_or(DEFAULT).min(LONGEST_LIFETIME.as_secs_f64());
    (seconds > 0.0).then(|| Duration::from_secs_f64(seconds))
}

fn claims(token: &str) -> Option<Claims> {
    let mut parts = token.split('.');
    let (_header, payload, _signature) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    let json = Zeroizing::new(BASE64_URL_SAFE_NO_PAD.decode(payload).ok()?);
    serde_json::from_slice(&json).ok()
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    fn jwt(payload: &str) -> String {
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload))
    }

    fn at(seconds: u64) -> Option<SystemTime> {
        Some(UNIX_EPOCH + Duration::from_secs(seconds))
    }

    #[test]
    fn the_shortest_statement_counts() {
        let seconds =
            |token: &str, expires_in, date| of(token, expires_in, date).map(|l| l.as_secs_f64());
        let token = jwt(r#"{"exp": 22600, "iat": 1000}"#);
        assert_eq!(seconds("opaque", Some(86_400.0), at(5)), Some(86_400.0));
        assert_eq!(seconds("opaque", Some(1e300), None), Some(86_400.0), "capped");
        assert_eq!(seconds("opaque", None, at(5)), Some(300.0), "by default");
        assert_eq!(seconds(&token, Some(86_400.0), None), Some(21_600.0), "exp - iat");
        assert_eq!(seconds(&token, Some(86_400.0), at(12_600)), Some(10_000.0), "exp - Date");
        assert_eq!(seconds(&token, Some(60.0), at(12_600)), Some(60.0), "expires_in");
        assert_eq!(seconds(&token, None, at(1_000)), Some(21_600.0));
    }

    #[test]
    fn a_token_dead_by_the_servers_clock_has_no_lifetime() {
        let token = jwt(r#"{"exp": 1000}"#);
        assert_eq!(of(&token, Some(60.0), at(1000)), None);
        assert_eq!(of(&token, Some(60.0), at(999)), Some(Duration::from_secs(1)));
        assert_eq!(of(&jwt(r#"{"exp": 5, "iat": 5}"#), Some(60.0), None), None);
    }

    #[test]
    fn what_is_no_jwt_changes_nothing() {
        for token in ["a.b", "a.b.c", "a.e30.c.d", "..", &jwt("[]"), &jwt(r#"{"exp": "soon"}"#)] {
            assert_eq!(of(token, Some(60.0), at(5)), Some(Duration::from_secs(60)), "{token}");
        }
    }
}
