//! What makes an answer a token (RFC 6749 section 5.1, RFC 6750 section 2.1), and what does not.

use std::io::Write;
use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use clazar_auth::{Credentials, ErrorKind, Options, authenticate};

use crate::{SECRET, request_token, wait_until};
use test_support::server::{Server, http, ok, read_request};

fn answer(body: &str) -> Result<clazar_auth::AccessToken, clazar_auth::Error> {
    request_token(&Server::answering(ok(body)).url())
}

fn refused(body: &str) {
    let error = answer(body).expect_err(body);
    assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{body}: {error}");
    assert!(!error.to_string().contains("not-a-real-token"), "{error}");
}

#[test]
fn a_token_is_read_with_its_lifetime() {
    let before = SystemTime::now();
    let token = answer(test_support::server::TOKEN_BODY).unwrap();
    assert_eq!(token.value(), "not-a-real-token");
    assert_eq!(token.authorization(), "Bearer not-a-real-token");
    assert_eq!(token.token_type(), "Bearer");
    assert!(!token.is_expired());
    let day = Duration::from_secs(86_400);
    assert!(token.expires_in() <= day && token.expires_in() > day - Duration::from_secs(3600));
    // The coarse clock may lag some milliseconds.
    assert!(token.expires_at() > before + day - Duration::from_secs(1));
}

#[test]
fn all_of_b64token_is_accepted_and_nothing_else() {
    for good in ["a", "AZaz09-._~+/", "abc=", "abc==", &"x".repeat(8_000)] {
        let token = answer(&format!(r#"{{"access_token":"{good}"}}"#)).unwrap();
        assert_eq!(token.value(), good);
    }
    let escaped = answer(r#"{"access_token":"a\/b\u0063"}"#).unwrap();
    assert_eq!(escaped.value(), "a/bc");

    for bad in [
        "",
        "=",
        " not-a-real-token",
        "not-a-real-token ",
        "not a real token",
        "a=b",
        r"not-a-real-token\r\nX-Injected: 1",
        r"a\u0000b",
        "naïve",
        "a,b",
        "a\\\"b",
        &"x".repeat(8_001),
    ] {
        refused(&format!(r#"{{"access_token":"{bad}"}}"#));
    }
    refused(r#"{"access_token":17}"#);
    refused(r#"{"access_token":null}"#);
    refused(r#"{"access_token":["not-a-real-token"]}"#);
}

#[test]
fn an_endless_body_ends_at_the_limit() {
    for length in ["Content-Length: 104857600\r\n", ""] {
        let server = Server::new(move |mut stream, requests| {
            let Some(request) = read_request(&mut stream) else { return };
            requests.lock().unwrap().push(request);
            let header = format!("HTTP/1.1 200 OK\r\n{length}\r\n");
            let _ = stream.write_all(header.as_bytes());
            let mut sent = 0;
            while sent < 104_857_600 && stream.write_all(&[b' '; 65_536]).is_ok() {
                sent += 65_536;
            }
            requests.lock().unwrap().push(sent.to_string().into_bytes());
        });
        let error = request_token(&server.url()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        assert!(error.to_string().contains("64 KiB"), "{error}");
        wait_until(|| server.requests().len() >= 2);
        let sent: usize = String::from_utf8(server.requests().remove(1)).unwrap().parse().unwrap();
        // Some megabytes may lie in the buffers of the two sockets.
        assert!(sent < 52_428_800, "the client read on for {sent} bytes");
    }
}

#[test]
fn an_error_shows_no_body_and_no_secret() {
    let body =
        format!(r#"{{"error":"{SECRET}","error_description":"for {SECRET}","token":"leak"}}"#);
    let server = Server::answering(http("400 Bad Request", "", &body));
    let options = Options::default().auth_url(format!("{}?key=leak#leak", server.url()));
    let error = authenticate(&crate::credentials(), &options).unwrap_err();
    for text in [error.to_string(), format!("{error:?}"), format!("{error:#?}")] {
        assert!(!text.contains(&SECRET[..12]) && !text.contains("leak"), "{text}");
        assert!(text.contains(&server.url()), "{text}");
    }
}

/// The text of the error for a 400 with this `error` and this X-Request-Id, to a client with `secret`.
fn refusal(secret: &str, code: &str, id: &str) -> String {
    let headers = format!("X-Request-Id: {id}\r\n");
    let body = serde_json::json!({ "error": code }).to_string();
    let server = Server::answering(http("400 Bad Request", &headers, &body));
    let credentials = Credentials::new("not-a-real-client", secret).unwrap();
    let options = Options::default().auth_url(server.url());
    let error = authenticate(&credentials, &options).unwrap_err();
    let text = error.to_string();
    // What an error has as values is what it shows.
    let shown = |name: &str| text.split(name).nth(1)?.split([',', ')']).next();
    assert_eq!((error.code(), error.request_id()), (shown(", error "), shown(", request ")));
    text
}

#[test]
fn only_a_short_code_and_a_request_id_are_shown() {
    let text = refusal(SECRET, "invalid_request", "3F2504E0-4f89-11d3-9a0c-0305e82c3301");
    let shown = "error invalid_request, request 3F2504E0-4f89-11d3-9a0c-0305e82c3301)";
    assert!(text.ends_with(&format!("(HTTP 400, {shown}")), "{text}");
    for code in ["", "a\nb", "na\u{ef}ve", &"x".repeat(65), "Invalid", "a-b", "a b", "e404"] {
        for id in ["", "req_7", "a b", "0:1", "x", &"0".repeat(65), "\u{ef}"] {
            let text = refusal(SECRET, code, id);
            assert!(text.ends_with("(HTTP 400)"), "{code} {id}: {text}");
        }
    }
}

/// What a careless server makes of a secret; an honest code or id beside it is shown.
#[test]
fn neither_holds_a_part_of_the_secret() {
    let reversed = |text: &str| text.chars().rev().collect::<String>();
    let hex = |text: &str| text.bytes().map(|b| format!("{b:02X}")).collect::<String>();
    let hides = |secret: &str, code: &str, id: &str| {
        let text = refusal(secret, code, "0123-4567");
        assert!(text.ends_with("(HTTP 400, request 0123-4567)"), "{code}: {text}");
        let text = refusal(secret, "access_denied", id);
        assert!(text.ends_with("(HTTP 400, error access_denied)"), "{id}: {text}");
    };
    let words = "not_a_real_secret_but_a_test";
    let base64 = BASE64_STANDARD.encode(words);
    for form in [words.to_owned(), reversed(words), hex(words), hex(&reversed(words)), base64] {
        hides(words, &form, &form);
        hides(words, &form[5..14], &form[5..21]);
    }
    let number = "feedface-deadbeef-cafebabe";
    for form in [number.to_owned(), reversed(number), hex(number), hex(&reversed(number))] {
        let id = form.to_uppercase().replace('-', "");
        hides(number, &format!("{form}_"), &id);
        hides(number, "\u{e9}", &format!("{}-{}-0", &id[6..10], &id[10..16]));
    }
    let text = refusal(number, "access_denied", "deadb-0000");
    assert!(text.ends_with("request deadb-0000)"), "five characters are no part: {text}");
    let text = refusal("s", "access_denied", "abcd");
    assert!(text.ends_with("request abcd)"), "{text}");
    // Few letters among other characters are a part of it, and none are none.
    for (secret, code) in [("!!pass!!--..--!!..", "pass"), ("p@$sw*r!d?-_-_-_-_", "p_sw_r_d")] {
        let text = refusal(secret, code, "0123-4567");
        assert!(text.ends_with("(HTTP 400, request 0123-4567)"), "{code}: {text}");
    }
    let text = refusal("\u{e9}\u{df}!", "access_denied", "");
    assert!(text.ends_with("error access_denied)"), "{text}");
    // In decimal, with zeros before small numbers or without. No two letters are alike, and so no two forms.
    let key = "NOT-REAL";
    for bytes in [key.bytes().collect::<Vec<_>>(), key.bytes().rev().collect()] {
        let padded: String = bytes.iter().map(|b| format!("{b:03}")).collect();
        let short: String = bytes.iter().map(u8::to_string).collect();
        hides(key, key, &padded);
        hides(key, key, &short);
    }
    // Its separators written otherwise, and its characters as numbers.
    hides("horse-battery.staple", "horse_battery_staple", "104-111-114-115-101");
}

#[test]
fn a_code_that_is_not_shown_counts_all_the_same() {
    let text = refusal("an_invalid_client_of_mine", "invalid_client", "");
    assert!(text.contains("whether the secret was rotated (HTTP 400)"), "{text}");
}

/// A server that sends `start`, and then `more` for as long as anybody listens.
fn endless(start: &'static str, more: &'static str) -> Server {
    Server::new(move |mut stream, requests| {
        let Some(request) = read_request(&mut stream) else { return };
        requests.lock().unwrap().push(request);
        let _ = stream.write_all(start.as_bytes());
        let more = more.repeat(1000);
        while stream.write_all(more.as_bytes()).is_ok() {}
    })
}

/// Neither is a part of the header or of the body, which have limits of their own.
#[test]
fn endless_trailers_and_answers_before_the_final_one_end_at_the_limit() {
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                   14\r\n{\"access_token\":\"t\"}\r\n0\r\n";
    for (start, more) in [(chunked, "a: b\r\n"), ("", "HTTP/1.1 103 Early Hints\r\n\r\n")] {
        let server = endless(start, more);
        let error = request_token(&server.url()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{error}");
        assert!(error.to_string().contains("larger than"), "{error}");
        assert_eq!(server.requests().len(), 1);
    }
}
