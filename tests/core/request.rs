//! The exact bytes that are sent.

use clazar_auth::{Credentials, Options, authenticate};

use crate::request_token;
use test_support::server::{Server, TOKEN_BODY, answer_with, ok};

#[test]
fn the_request_is_what_the_api_documents() {
    let server = Server::answering(ok(TOKEN_BODY));
    request_token(&server.url()).unwrap();

    let expected = format!(
        "POST /authenticate/ HTTP/1.1\r\n\
         content-length: 86\r\n\
         user-agent: clazar-auth/{}\r\n\
         host: 127.0.0.1:{}\r\n\
         content-type: application/json\r\n\
         accept: application/json\r\n\
         connection: close\r\n\
         \r\n\
         {{\"client_id\":\"not-a-real-client\",\
         \"client_secret\":\"not-a-real-secret-0123456789abcdef\"}}",
        env!("CARGO_PKG_VERSION"),
        server.port(),
    );
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(String::from_utf8_lossy(&requests[0]), expected);
}

#[test]
fn any_printable_secret_arrives_unharmed() {
    for secret in [r#"quote " and \ backslash"#, "ключ-秘密-🔑", "tail\\", "</script>&%00+ "]
    {
        let server = Server::answering(ok(TOKEN_BODY));
        let credentials = Credentials::new("id \"1\"", secret).unwrap();
        authenticate(&credentials, &Options::default().auth_url(server.url())).unwrap();

        let request = String::from_utf8(server.requests().remove(0)).unwrap();
        let (_, body) = request.split_once("\r\n\r\n").unwrap();
        let body: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(body["client_secret"], secret);
        assert_eq!(body["client_id"], "id \"1\"");
        assert_eq!(body.as_object().unwrap().len(), 2);
    }
}

#[test]
fn the_path_and_query_of_the_url_are_sent_as_given() {
    let server = Server::answering(ok(TOKEN_BODY));
    request_token(&server.url().replace("/authenticate/", "/a/b%20c?d=e#fragment")).unwrap();
    let request = String::from_utf8(server.requests().remove(0)).unwrap();
    assert!(request.starts_with("POST /a/b%20c?d=e HTTP/1.1\r\n"), "{request}");
}

#[test]
fn the_user_agent_can_be_named() {
    let server = Server::answering(ok(TOKEN_BODY));
    let options = Options::default().auth_url(server.url()).user_agent("billing/2.1");
    authenticate(&crate::credentials(), &options).unwrap();
    let request = String::from_utf8(server.requests().remove(0)).unwrap();
    assert!(request.contains("\r\nuser-agent: billing/2.1\r\n"), "{request}");
}

#[test]
fn an_ipv6_loopback_server_is_reached() {
    let server = Server::on("::1", answer_with(ok(TOKEN_BODY)));
    request_token(&server.url()).unwrap();
    let request = String::from_utf8(server.requests().remove(0)).unwrap();
    assert!(request.contains(&format!("host: [::1]:{}\r\n", server.port())), "{request}");
}
