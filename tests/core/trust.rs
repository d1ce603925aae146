//! Which authorities are trusted, from which files, and when these are read again.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Error, ErrorKind, Options, Store, TokenProvider};

use crate::credentials;
use crate::files::{Folder, at_once, said_of_missing};
use crate::proxy::in_child;
use crate::tls::secure_url;
use test_support::certificates::{Authority, VALID};
use test_support::server::{Server, TOKEN_BODY, ok};

/// A PEM section that holds no certificate.
const JUNK: &str =
    "-----BEGIN CERTIFICATE-----\nbm90IGEgY2VydGlmaWNhdGU=\n-----END CERTIFICATE-----\n";

/// A provider that trusts `ca_file` too.
pub fn provider(server: &Server, ca_file: &Path) -> TokenProvider {
    let options = Options::default().auth_url(secure_url(server)).proxy("").ca_file(ca_file);
    TokenProvider::builder(credentials()).options(options).build().unwrap()
}

pub fn refused_ca_file(path: impl AsRef<Path>) -> Error {
    let options = Options::default().ca_file(path.as_ref());
    let error = at_once(|| TokenProvider::builder(credentials()).options(options).build());
    let error = error.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    error
}

/// What a token request over TLS prints with `variable` in its environment.
pub fn with(server: &Server, variable: &'static str, value: impl AsRef<Path>) -> String {
    let (url, value) = (secure_url(server), value.as_ref().to_str().unwrap().to_owned());
    at_once(move || in_child(&url, None, &[(variable, &value)]))
}

/// As a list of folders is written on this system.
fn search_path(folders: &[&str]) -> PathBuf {
    std::env::join_paths(folders).unwrap().into()
}

/// Puts a copy of `other` into the place of `file`.
pub fn replace(file: &Path, other: &Path) {
    let new = file.with_extension("new");
    fs::copy(other, &new).unwrap();
    fs::rename(new, file).unwrap();
}

#[test]
fn the_trust_store_of_the_environment_is_read() {
    let authority = Authority::new("environment");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let folder = Folder::new("environment-certs");
    let (file, copy) = (&authority.pem_file, folder.0.join("ca.pem"));
    fs::copy(file, &copy).unwrap();
    let name = folder.0.to_str().unwrap();
    assert_eq!(with(&server, "SSL_CERT_FILE", file), "a token");
    assert_eq!(with(&server, "SSL_CERT_DIR", name), "a token");
    assert_eq!(with(&server, "SSL_CERT_DIR", search_path(&["/nonexistent", name])), "a token");
    // Who names a trust store wants no other in its place.
    fs::write(&copy, JUNK).unwrap();
    let printed = with(&server, "SSL_CERT_DIR", name);
    assert!(printed.contains("no certificate that can be read"), "{printed}");
    let broken = format!("{JUNK}{}", fs::read_to_string(file).unwrap());
    fs::write(&copy, broken).unwrap();
    assert_eq!(with(&server, "SSL_CERT_DIR", name), "a token", "one spoils no other");
}

#[test]
fn what_holds_no_certificate_is_refused() {
    let folder = Folder::new("no-certs");
    let missing = refused_ca_file("/nonexistent").to_string();
    assert!(missing.contains("the ca_file /nonexistent cannot be opened"), "{missing}");
    assert!(missing.contains(&said_of_missing()), "{missing}");
    let junk = folder.0.join("junk.pem");
    fs::write(&junk, JUNK).unwrap();
    let junk = refused_ca_file(&junk).to_string();
    assert!(junk.contains("holds no certificate that can be read"), "{junk}");
}

#[test]
fn a_folder_of_certificates_is_read_past_what_is_none() {
    let authority = Authority::new("folder");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let folder = Folder::new("mixed-certs");
    fs::write(folder.0.join("notes"), "no certificate").unwrap();
    fs::copy(&authority.pem_file, folder.0.join("ca.pem")).unwrap();
    let trusting = provider(&server, &folder.0);
    at_once(move || trusting.token().unwrap());
    assert_eq!(with(&server, "SSL_CERT_DIR", &folder.0), "a token");

    File::create(folder.0.join("large")).unwrap().set_len(1 << 40).unwrap();
    let error = refused_ca_file(&folder.0).to_string();
    assert!(error.contains("is larger than 16 MiB"), "{error}");
    let printed = with(&server, "SSL_CERT_DIR", &folder.0);
    assert!(printed.contains("is larger than 16 MiB"), "{printed}");
}

#[test]
fn what_the_environment_names_and_is_not_there_is_no_reason_to_trust_others() {
    let authority = Authority::new("missing");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let printed = with(&server, "SSL_CERT_FILE", "/nonexistent");
    assert!(printed.contains("/nonexistent that SSL_CERT_FILE names"), "{printed}");
    assert!(printed.contains(&said_of_missing()), "{printed}");
    // As if it were unset.
    let printed = with(&server, "SSL_CERT_DIR", "/nonexistent");
    assert!(printed.contains("comes from no trusted authority"), "{printed}");
    assert_eq!(server.requests().len(), 0);
    // A file that is named must be there, as for curl; a folder need not, as for OpenSSL.
    let file = authority.pem_file.to_str().unwrap();
    let both = |file: &str, folder: &str| {
        let variables = [("SSL_CERT_FILE", file), ("SSL_CERT_DIR", folder)];
        in_child(&secure_url(&server), None, &variables)
    };
    assert_eq!(both(file, "/nonexistent"), "a token");
    assert!(both("/nonexistent", "/etc/ssl/certs").contains("SSL_CERT_FILE"));

    let sandbox = Sandbox::start().unwrap();
    for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR"] {
        let printed = in_child(&sandbox.auth_url(), None, &[(variable, "/nonexistent")]);
        assert!(!printed.contains("SSL_CERT"), "plain http needs no trust: {printed}");
    }
}

#[test]
fn with_system_roots_off_the_ca_file_alone_is_trusted() {
    let [ours, theirs] = ["alone-ours", "alone-theirs"].map(Authority::new);
    let server = ours.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let [ours, theirs] = [&ours, &theirs].map(|one| one.pem_file.to_str().unwrap());
    let run = |ca_file| {
        let variables = [("SSL_CERT_FILE", ours), ("TEST_SYSTEM_ROOTS_OFF", "1")];
        in_child(&secure_url(&server), ca_file, &variables)
    };
    assert_eq!(run(Some(ours)), "a token");
    let printed = run(Some(theirs));
    assert!(printed.contains("no trusted authority"), "{printed}");
    let printed = run(None);
    assert!(printed.contains("system_roots is off and there is no ca_file"), "{printed}");

    let options = Options::default().system_roots(false);
    let error = TokenProvider::builder(credentials()).options(options.clone()).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    let sandbox = Sandbox::start().unwrap();
    let options = options.auth_url(sandbox.auth_url());
    TokenProvider::builder(credentials()).options(options).build().expect("plain http needs none");
}

#[test]
fn with_trust_env_off_the_file_store_needs_a_folder() {
    let folder = Folder::new("env-off-store");
    let build = |store| {
        let options = Options::default().trust_env(false);
        TokenProvider::builder(credentials()).options(options).store(store).build()
    };
    let error = build(Store::file()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
    assert!(error.to_string().contains("trust_env"), "{error}");
    build(Store::folder(&folder.0)).unwrap();
}

#[test]
fn after_a_refused_certificate_the_files_are_read_again() {
    let [old, new] = ["old", "new"].map(Authority::new);
    let moved = Arc::new(AtomicBool::new(false));
    let server = old.server_that_moves_to(&new, &moved, &ok(TOKEN_BODY));
    let folder = Folder::new("replaced-ca");
    let ca_file = folder.0.join("ca.pem");
    fs::copy(&old.pem_file, &ca_file).unwrap();
    let provider = provider(&server, &ca_file);
    provider.token().unwrap();

    moved.store(true, Ordering::SeqCst);
    assert_eq!(provider.refresh().unwrap_err().kind(), ErrorKind::Tls);
    assert_eq!(server.connections(), 2, "nothing has changed that would help");
    replace(&ca_file, &new.pem_file);
    provider.refresh().unwrap();
    assert_eq!(server.connections(), 3, "by the new file at once");

    // Before anything is looked at again: the failure itself leads to the new file.
    moved.store(false, Ordering::SeqCst);
    replace(&ca_file, &old.pem_file);
    provider.refresh().unwrap();
    assert_eq!(server.connections(), 5, "one refused, and one by the new file");
}

#[test]
fn a_ca_file_that_goes_away_stays_trusted() {
    let authority = Authority::new("gone");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let folder = Folder::new("gone-ca");
    let ca_file = folder.0.join("ca.pem");
    fs::copy(&authority.pem_file, &ca_file).unwrap();
    let provider = provider(&server, &ca_file);
    fs::remove_file(&ca_file).unwrap();
    provider.token().unwrap();
}
