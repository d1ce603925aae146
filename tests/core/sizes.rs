//! What is larger than the buffers are at first: it is read and sent whole, up to the limits.

use clazar_auth::{AccessToken, Credentials, Error, ErrorKind, Options, authenticate};

use crate::{SECRET, credentials};
use test_support::certificates::{Authority, VALID};
use test_support::server::{Server, TOKEN_BODY, ok};

const KIB: usize = 1024;

/// A server without and one with TLS that give the same answer, and how to reach `path` there.
fn servers(authority: &Authority, answer: &str, path: &str) -> [(Server, Options); 2] {
    let plain = ("http", Server::answering(answer));
    let tls = ("https", authority.server(&["127.0.0.1"], VALID, answer));
    [plain, tls].map(|(scheme, server)| {
        let url = format!("{scheme}://127.0.0.1:{}/{path}", server.port());
        let options = Options::default().auth_url(url).proxy("").ca_file(&authority.pem_file);
        (server, options)
    })
}

fn outcomes(authority: &Authority, answer: &str) -> [Result<AccessToken, Error>; 2] {
    servers(authority, answer, "authenticate/")
        .map(|(_server, options)| authenticate(&credentials(), &options))
}

#[test]
fn a_header_is_read_up_to_the_limit() {
    let authority = Authority::new("header-size");
    let answer = |header: usize| {
        let start = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nX: ", TOKEN_BODY.len());
        let rest = "x".repeat(header - start.len() - 4);
        format!("{start}{rest}\r\n\r\n{TOKEN_BODY}")
    };
    for size in [3 * KIB, 4 * KIB, 5 * KIB, 32 * KIB, 64 * KIB] {
        for outcome in outcomes(&authority, &answer(size)) {
            assert_eq!(outcome.unwrap().value(), "not-a-real-token", "{size}");
        }
    }
    for size in [64 * KIB + 1, 100 * KIB] {
        for outcome in outcomes(&authority, &answer(size)) {
            let error = outcome.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{size}: {error}");
            assert!(error.to_string().contains("the header is larger than 64 KiB"), "{error}");
        }
    }
}

#[test]
fn a_body_is_read_up_to_the_limit_however_it_is_cut() {
    let authority = Authority::new("body-size");
    let answer = |size: usize, chunk: usize| {
        let body = " ".repeat(size - TOKEN_BODY.len()) + TOKEN_BODY;
        let mut answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_owned();
        for part in body.as_bytes().chunks(chunk) {
            answer += &format!("{:x}\r\n{}\r\n", part.len(), str::from_utf8(part).unwrap());
        }
        answer + "0\r\n\r\n"
    };
    for chunk in [7, 4 * KIB, 4 * KIB + 1, 64 * KIB] {
        for outcome in outcomes(&authority, &answer(64 * KIB, chunk)) {
            assert_eq!(outcome.unwrap().value(), "not-a-real-token", "{chunk}");
        }
        for outcome in outcomes(&authority, &answer(64 * KIB + 1, chunk)) {
            let error = outcome.unwrap_err();
            assert!(error.to_string().contains("the answer is larger than 64 KiB"), "{error}");
        }
    }
}

#[test]
fn a_long_secret_url_and_user_agent_arrive_whole() {
    let authority = Authority::new("request-size");
    let user_agent = "u".repeat(20 * KIB);
    let path = "p".repeat(30 * KIB);
    // Each of these characters becomes two in JSON.
    for secret in [SECRET.to_owned(), "\"".repeat(3 * KIB), "\"".repeat(64 * KIB)] {
        for (server, options) in servers(&authority, &ok(TOKEN_BODY), &path) {
            let options = options.user_agent(&user_agent);
            let credentials = Credentials::new("not-a-real-client", &secret).unwrap();
            authenticate(&credentials, &options).unwrap();
            let request = String::from_utf8(server.requests().remove(0)).unwrap();
            assert!(request.starts_with(&format!("POST /{path} HTTP/1.1\r\n")));
            assert!(request.contains(&format!("\r\nuser-agent: {user_agent}\r\n")));
            let (_, body) = request.split_once("\r\n\r\n").unwrap();
            let body: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(body["client_secret"], *secret);
        }
    }
}
