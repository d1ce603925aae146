//! Files of certificates that are none, or that cannot be read now.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::sync::Arc;
#[cfg(target_os = "linux")]
use std::sync::atomic::{AtomicBool, Ordering};

use clazar_auth::{ErrorKind, Options, TokenProvider};

use super::files::{pipe, said_of_unreadable, unreadable_for_now};
use crate::credentials;
use crate::files::{Folder, at_once};
use crate::trust::{provider, refused_ca_file, with};
use test_support::certificates::{Authority, VALID};
use test_support::server::{TOKEN_BODY, ok};

#[test]
fn what_is_no_file_of_certificates_is_refused_at_once() {
    let authority = Authority::new("no-file-unix");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let folder = Folder::new("pipe-of-certs");
    let pipe = pipe(&folder);
    for path in [&pipe, Path::new("/dev/zero")] {
        let error = refused_ca_file(path).to_string();
        let why = format!("{} is not a regular file;", path.display());
        assert!(error.contains(&format!("the ca_file {why}")), "{error}");
        let printed = with(&server, "SSL_CERT_FILE", path);
        assert!(printed.contains("SSL_CERT_FILE"), "{printed}");
        assert!(printed.contains("is not a regular file;"), "{printed}");
    }
}

#[test]
fn a_folder_of_certificates_is_read_past_what_is_no_file() {
    let authority = Authority::new("folder-unix");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let folder = Folder::new("odd-certs");
    pipe(&folder);
    symlink("/dev/zero", folder.0.join("zeroes")).unwrap();
    symlink("/nonexistent", folder.0.join("gone")).unwrap();
    symlink(&folder.0, folder.0.join("itself")).unwrap();
    fs::write(folder.0.join("notes"), "no certificate").unwrap();
    fs::copy(&authority.pem_file, folder.0.join("ca.pem")).unwrap();
    let trusting = provider(&server, &folder.0);
    at_once(move || trusting.token().unwrap());
    assert_eq!(with(&server, "SSL_CERT_DIR", &folder.0), "a token");
}

#[cfg(target_os = "linux")]
#[test]
fn what_was_read_in_part_is_read_again() {
    let [first, second] = ["first", "second"].map(Authority::new);
    let moved = Arc::new(AtomicBool::new(false));
    let server = first.server_that_moves_to(&second, &moved, &ok(TOKEN_BODY));
    let folder = Folder::new("part-of-certs");
    let late = folder.0.join("second.pem");
    fs::copy(&first.pem_file, folder.0.join("first.pem")).unwrap();
    symlink(unreadable_for_now(), &late).unwrap();
    let provider = provider(&server, &folder.0);
    provider.token().unwrap();

    fs::remove_file(&late).unwrap();
    fs::copy(&second.pem_file, &late).unwrap();
    moved.store(true, Ordering::SeqCst);
    provider.refresh().unwrap();
    assert_eq!(server.connections(), 2, "without a refusal");
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_read_for_now_may_pass() {
    let authority = Authority::new("for-now");
    let server = authority.server(&["127.0.0.1"], VALID, &ok(TOKEN_BODY));
    let options = Options::default().ca_file(unreadable_for_now());
    let error = TokenProvider::builder(credentials()).options(options).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport, "{error}");
    assert!(error.to_string().contains(&said_of_unreadable()), "{error}");
    let again = said_of_unreadable() + "; try again";
    let folder = Folder::new("for-now-certs");
    symlink(unreadable_for_now(), folder.0.join("ca.pem")).unwrap();
    for (variable, path) in [("SSL_CERT_FILE", unreadable_for_now()), ("SSL_CERT_DIR", &folder.0)] {
        let printed = with(&server, variable, path);
        assert!(printed.contains(&again), "{printed}");
    }
    // A refusal may be for want of the part that could not be read.
    let other = Authority::new("for-now-other");
    std::fs::copy(&other.pem_file, folder.0.join("other.pem")).unwrap();
    let printed = with(&server, "SSL_CERT_DIR", &folder.0);
    assert!(printed.contains(&again), "{printed}");
}
