//! Whose certificate is believed.

use std::path::Path;

use clazar_auth::{AccessToken, Error, ErrorKind, Options, authenticate};
use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa};

use crate::credentials;
use test_support::certificates::{Authority, VALID, self_signed};
use test_support::server::{Server, TOKEN_BODY, ok};

pub fn secure_url(server: &Server) -> String {
    format!("https://127.0.0.1:{}/authenticate/", server.port())
}

fn request_token(server: &Server, authority: Option<&Authority>) -> Result<AccessToken, Error> {
    let mut options = Options::default().auth_url(secure_url(server)).proxy("");
    if let Some(authority) = authority {
        options = options.ca_file(&authority.pem_file);
    }
    authenticate(&credentials(), &options)
}

fn refused(server: &Server, authority: Option<&Authority>, why: &str) {
    let error = request_token(server, authority).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    assert!(error.to_string().contains(why), "{error}");
    assert!(!error.is_retryable());
    assert_eq!(server.requests().len(), 0, "a request was sent");
}

#[test]
fn a_private_authority_is_trusted_when_named() {
    let authority = Authority::new("trusted");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let token = request_token(&server, Some(&authority)).unwrap();
    assert_eq!(token.value(), "not-a-real-token");
    let request = String::from_utf8(server.requests().remove(0)).unwrap();
    assert!(request.starts_with("POST /authenticate/ HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: 127.0.0.1:{}\r\n", server.port())), "{request}");
}

#[test]
fn an_untrusted_certificate_is_refused() {
    let (ours, theirs) = (Authority::new("ours"), Authority::new("theirs"));
    let server = theirs.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    refused(&server, Some(&ours), "no trusted authority");
    refused(&server, None, "no trusted authority");
}

#[test]
fn a_certificate_for_another_host_is_refused() {
    let authority = Authority::new("other-host");
    for name in ["example.com", "127.0.0.2"] {
        let server = authority.server(&[name], VALID, &ok(TOKEN_BODY));
        refused(&server, Some(&authority), "another host name");
    }
}

#[test]
fn each_fault_of_a_certificate_is_told() {
    let authority = Authority::new("faults");
    let odd = |change: fn(&mut CertificateParams)| authority.odd_server(change, &ok(TOKEN_BODY));
    let common_name = odd(|params| {
        params.subject_alt_names.clear();
        params.distinguished_name.push(DnType::CommonName, "127.0.0.1");
    });
    refused(&common_name, Some(&authority), "no subject alternative name");
    let other = authority.server(&["example.com", "b.example"], VALID, &ok(TOKEN_BODY));
    refused(&other, Some(&authority), "b.example");
    let client =
        odd(|params| params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth]);
    refused(&client, Some(&authority), "serverAuth");
}

/// What `openssl req -x509` makes, named as the authority of itself.
#[test]
fn an_authoritys_own_certificate_is_explained() {
    let (server, pem_file) =
        self_signed(IsCa::Ca(BasicConstraints::Unconstrained), "own", &ok(TOKEN_BODY));
    let with_ca_file = |server: &Server, file: &Path| {
        let options = Options::default().auth_url(secure_url(server)).proxy("").ca_file(file);
        authenticate(&credentials(), &options)
    };
    let error = with_ca_file(&server, &pem_file).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tls, "{error}");
    for words in ["certificate authority's own", "-addext basicConstraints=critical,CA:FALSE"] {
        assert!(error.to_string().contains(words), "{error}");
    }
    assert_eq!(server.requests().len(), 0);
    std::fs::remove_file(pem_file).unwrap();

    let (server, pem_file) = self_signed(IsCa::ExplicitNoCa, "as-advised", &ok(TOKEN_BODY));
    with_ca_file(&server, &pem_file).unwrap();
    std::fs::remove_file(pem_file).unwrap();
}

/// The alert comes as it would from a server that speaks TLS 1.0, or with other ciphers alone.
#[test]
fn a_server_that_speaks_something_else_learns_what_is_spoken() {
    for alert in [40, 70, 71] {
        let server = Server::new(move |mut stream, _| {
            let _ = std::io::Write::write_all(&mut stream, &[21, 3, 3, 0, 2, 2, alert]);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        });
        refused(&server, None, "TLS 1.2 or 1.3 with ECDHE");
    }
    let server = Server::new(|mut stream, _| {
        let _ = std::io::Write::write_all(&mut stream, &[21, 3, 3, 0, 2, 2, 116]);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    refused(&server, None, "wants a client certificate");
}

/// As one that has no memory, or that is being started.
#[test]
fn a_server_with_a_fault_of_its_own_is_asked_again() {
    let server = Server::new(|mut stream, _| {
        let _ = std::io::Write::write_all(&mut stream, &[21, 3, 3, 0, 2, 2, 80]);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let error = request_token(&server, None).unwrap_err();
    assert_eq!((error.kind(), error.is_retryable()), (ErrorKind::Transport, true), "{error}");
    assert!(error.to_string().contains("InternalError"), "{error}");
    assert_eq!(server.connections(), 3);
}

#[test]
fn a_certificate_out_of_its_time_is_refused() {
    let authority = Authority::new("out-of-time");
    let expired = authority.server(&["127.0.0.1"], [2020, 2021], &ok(TOKEN_BODY));
    refused(&expired, Some(&authority), "expired");
    let future = authority.server(&["127.0.0.1"], [2119, 2120], &ok(TOKEN_BODY));
    refused(&future, Some(&authority), "not valid yet");
}
