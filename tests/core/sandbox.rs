//! The sandbox itself, as a client of the API meets it.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};

use clazar_auth::sandbox::{Answer, Sandbox};
use clazar_auth::{Credentials, ErrorKind, Options, authenticate};
use ureq::Agent;

use crate::waiting::LIMIT;

fn token(sandbox: &Sandbox) -> String {
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let options = Options::default().auth_url(sandbox.auth_url());
    authenticate(&credentials, &options).unwrap().authorization().to_owned()
}

fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).proxy(None).build().into()
}

/// Status and JSON body of a GET.
fn get(url: &str, authorization: &str) -> (u16, serde_json::Value) {
    let mut response = agent().get(url).header("Authorization", authorization).call().unwrap();
    let body = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), serde_json::from_str(&body).unwrap())
}

fn post(url: &str, content_type: &str, body: &str) -> (u16, serde_json::Value) {
    let mut response = agent().post(url).content_type(content_type).send(body).unwrap();
    let body = response.body_mut().read_to_string().unwrap();
    (response.status().as_u16(), serde_json::from_str(&body).unwrap())
}

#[test]
fn the_lists_need_a_token() {
    let sandbox = Sandbox::start().unwrap();
    let authorization = token(&sandbox);
    for list in ["listings", "buyers", "contracts", "private_offers", "opportunities"] {
        let url = format!("{}/{list}/", sandbox.url());
        let (status, body) = get(&url, &authorization);
        assert_eq!(status, 200);
        assert_eq!(body["count"], 3);
        assert_eq!(body["results"].as_array().unwrap().len(), 3);
        assert!(body["next"].is_null());
        for wrong in
            ["", "Bearer", "Bearer x", &authorization[..authorization.len() - 1], "Basic eA=="]
        {
            assert_eq!(get(&url, wrong).0, 401, "{wrong}");
        }
        assert_eq!(sandbox.requests(&format!("/{list}/")), 6);
    }
}

#[test]
fn a_form_is_accepted_too() {
    let sandbox = Sandbox::start().unwrap();
    let form = format!(
        "grant_type=client_credentials&client_id={}&client_secret={}",
        sandbox.client_id(),
        sandbox.client_secret()
    );
    let (status, body) = post(&sandbox.auth_url(), "application/x-www-form-urlencoded", &form);
    assert_eq!(status, 200);
    assert_eq!(body["token_type"], "bearer");
    assert_eq!(body["expires_in"], 86_400);
    assert_eq!(body["access_token"].as_str().unwrap().split('.').count(), 3);
}

#[test]
fn what_is_wrong_is_refused() {
    let sandbox = Sandbox::start().unwrap();
    let url = sandbox.auth_url();
    let wrong = r#"{"client_id":"sandbox-client","client_secret":"wrong"}"#;
    assert_eq!(post(&url, "application/json", wrong).0, 401);
    assert_eq!(post(&url, "application/json", "{").0, 400);
    assert_eq!(post(url.trim_end_matches('/'), "application/json", "{}").0, 404);
    assert_eq!(get(&url, "").0, 405);
}

#[test]
fn the_knobs_turn() {
    let sandbox = Sandbox::start().unwrap();
    let old = sandbox.client_secret();
    let authorization = token(&sandbox);
    let listings = format!("{}/listings/", sandbox.url());

    sandbox.revoke_tokens();
    assert_eq!(get(&listings, &authorization).0, 401);
    let authorization = token(&sandbox);
    assert_eq!(get(&listings, &authorization).0, 200);

    sandbox
        .answer_next("/listings/", Answer::new(503, r#"{"a":1}"#).header("Retry-After", "3"))
        .unwrap();
    assert_eq!(get(&listings, &authorization), (503, serde_json::json!({"a": 1})));
    assert_eq!(get(&listings, &authorization).0, 200);

    let new = sandbox.rotate_secret();
    assert_eq!(new, sandbox.client_secret());
    let options = Options::default().auth_url(sandbox.auth_url());
    let request_token = |secret| {
        let credentials = Credentials::new(sandbox.client_id(), secret).unwrap();
        authenticate(&credentials, &options)
    };
    assert_eq!(request_token(old).unwrap_err().kind(), ErrorKind::Credentials);
    request_token(new).unwrap();
    assert_eq!(sandbox.requests("/authenticate/"), 4);
}

#[test]
fn what_cannot_be_sent_is_refused() {
    let sandbox = Sandbox::start().unwrap();
    let invalid = |answer| {
        let error = sandbox.answer_next("/listings/", answer).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        error.to_string()
    };
    assert!(invalid(Answer::new(100, "")).contains("from 200 to 599"));
    assert!(invalid(Answer::new(200, "").header("X", "a\r\nY: b")).contains("\"X\""));
}

#[test]
fn a_list_has_the_records_that_it_is_given() {
    let sandbox = Sandbox::start().unwrap();
    let authorization = token(&sandbox);
    sandbox.set_records("/buyers/", r#"[{"id":"a"},{"id":"b"}]"#).unwrap();
    let (_, body) = get(&format!("{}/buyers?page_size=1&page=2", sandbox.url()), &authorization);
    assert_eq!(body, serde_json::json!({"results": [{"id": "b"}], "next": null, "count": 2}));
    for (path, records) in [("/other/", "[]"), ("/buyers/", "{}"), ("/buyers/", "[1]")] {
        let error = sandbox.set_records(path, records).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    }
}

#[test]
fn bodies_are_kept_but_no_secret() {
    let sandbox = Sandbox::start().unwrap();
    token(&sandbox);
    let form = format!("client_id=sandbox-client&client_secret={}", sandbox.client_secret());
    let wrong = "//authenticate/";
    for (path, body) in
        [("/metering/", "{}"), ("/metering", "{}"), ("/authenticate", &form), (wrong, &form)]
    {
        post(&(sandbox.url() + path), "application/x-www-form-urlencoded", body);
    }
    for slash in ["", "/"] {
        assert_eq!(sandbox.received(&format!("/metering{slash}")), [b"{}", b"{}"]);
        assert_eq!(sandbox.requests(&format!("/authenticate{slash}")), 2);
        assert!(sandbox.received(&format!("/authenticate{slash}")).is_empty());
    }
    assert!(sandbox.received(wrong).is_empty());
    sandbox.answer_next("/hook", Answer::new(500, "{}")).unwrap();
    post(&(sandbox.url() + "/hook"), "text/plain", "kept");
    assert_eq!(sandbox.received("/hook/"), [b"kept"]);
    assert!(sandbox.answer_next("hook", Answer::new(500, "")).is_err());
}

#[test]
fn it_listens_on_loopback_only() {
    let sandbox = Sandbox::start_on("[::1]:0").unwrap();
    token(&sandbox);
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "localhost:0", "127.0.0.1"] {
        assert_eq!(Sandbox::start_on(address).unwrap_err().kind(), ErrorKind::InvalidArgument);
    }
    let taken = sandbox.url().replace("http://", "");
    assert_eq!(Sandbox::start_on(&taken).unwrap_err().kind(), ErrorKind::Transport);
}

/// As a program in another language uses it.
#[test]
fn the_program_says_where_it_is_and_ends_with_its_input() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_clazar-sandbox"));
    let mut program = program.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(program.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let said: serde_json::Value = serde_json::from_str(&line).unwrap();
    let [url, auth_url, id, secret] =
        ["url", "auth_url", "client_id", "client_secret"].map(|name| said[name].as_str().unwrap());
    let options = Options::default().auth_url(auth_url);
    let token = authenticate(&Credentials::new(id, secret).unwrap(), &options).unwrap();
    assert_eq!(get(&format!("{url}/listings/"), token.authorization()).0, 200);
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
}

#[test]
fn the_program_fails_where_it_cannot_say_it() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut program = Command::new(env!("CARGO_BIN_EXE_clazar-sandbox"));
    let output = program.stdin(Stdio::piped()).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.starts_with(b"clazar-sandbox: "), "{output:?}");
}

/// All that it says to these bytes before it hangs up.
fn answer_to(sandbox: &Sandbox, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(sandbox.url().replace("http://", "")).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    // It may have hung up before it has read all.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer).map_err(|error| error.kind());
    assert!(
        !matches!(ended, Err(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)),
        "it waits for more"
    );
    String::from_utf8(answer).unwrap()
}

#[test]
fn a_client_that_waits_before_its_body_is_told_to_go_on() {
    let sandbox = Sandbox::start().unwrap();
    let request =
        b"POST /hook HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\
        Connection: close\r\n\r\nbody";
    let answer = answer_to(&sandbox, request);
    assert!(answer.starts_with("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 "), "{answer}");
}

#[test]
fn a_request_that_is_too_large_or_malformed_gets_no_answer() {
    let sandbox = Sandbox::start().unwrap();
    let head = |headers: &str| format!("POST /hook HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
    let chunk = format!("100000\r\n{}\r\n", "x".repeat(0x10_0000));
    for request in [
        head(&format!("X: {}", "x".repeat(1 << 20))),
        head("Content-Length: 99999999999\r\n"),
        head("Transfer-Encoding: chunked\r\n") + "no number\r\n",
        head("Transfer-Encoding: chunked\r\n") + &chunk.repeat(3),
    ] {
        assert_eq!(answer_to(&sandbox, request.as_bytes()), "");
    }
    token(&sandbox);
}
