//! A server that lets in whoever has a certificate.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use test_support::certificates::Authority;

use super::*;

/// A certificate and its key, in files that go when it does.
struct Files(PathBuf);

impl Files {
    fn new(name: &str, authority: &Authority) -> Self {
        let name = format!("clazar-auth-{name}-{}", std::process::id());
        let files = Self(std::env::temp_dir().join(name));
        fs::create_dir(&files.0).unwrap();
        let [certificate, key] = authority.certificate(&["this.host"]);
        files.write("certificate", &certificate);
        files.write("key", &key);
        files
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).unwrap();
    }

    fn query(&self) -> String {
        let folder = self.0.to_str().unwrap();
        format!("?ssl_certfile={folder}/certificate&ssl_keyfile={folder}/key")
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A server that wants certificates of `authority`, and a store for each query that is added to its URL.
fn server(authority: &Authority) -> (Redis, impl Fn(&str) -> RedisStore) {
    let redis = Redis::start_with_tls(authority, &["127.0.0.1"], "yes");
    let url = redis.url().replace("redis:", "rediss:");
    let pem_file = authority.pem_file.clone();
    (redis, move |query| store_trusting(&(url.clone() + query), Some(&pem_file)))
}

/// What `openssl` writes.
fn openssl(arguments: &str) -> String {
    let mut command = Command::new("openssl");
    let output = command.args(arguments.split(' ')).stderr(Stdio::null()).output();
    let output = output.expect("openssl is there; `tests/tools.sh` installs it");
    assert!(output.status.success(), "openssl {arguments}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn who_has_a_certificate_is_let_in() {
    let authority = Authority::new("clients-redis");
    let (_redis, store) = server(&authority);
    let files = Files::new("clients", &authority);
    let with_certificate = store(&files.query());
    with_certificate.open().unwrap().look(NAME).unwrap();

    let without = error(&store(""));
    let words = "it wants a client certificate, which can be given to Redis alone: in its URL, with \
                 ?ssl_certfile=PATH&ssl_keyfile=PATH";
    assert!(without.ends_with(words), "{without}");
    // What is renewed is used at once.
    let [certificate, key] = authority.certificate(&["this.host"]);
    files.write("key", &key);
    let error = error(&with_certificate);
    assert!(error.ends_with("ssl_keyfile in its URL names has the key of another certificate"));
    files.write("certificate", &certificate);
    with_certificate.open().unwrap().look(NAME).unwrap();
}

#[test]
fn a_certificate_of_another_authority_is_not_accepted() {
    let (authority, other) = (Authority::new("known-redis"), Authority::new("unknown-redis"));
    let (_redis, store) = server(&authority);
    let error = error(&store(&Files::new("unknown", &other).query()));
    assert!(error.contains(": it does not accept the client certificate ("), "{error}");
}

#[test]
fn a_key_may_have_any_usual_form() {
    let authority = Authority::new("keys-redis");
    let (_redis, store) = server(&authority);
    let files = Files::new("keys", &authority);
    let file = files.0.join("key");
    for (arguments, form) in [
        ("genpkey -algorithm RSA", "pkey"),
        ("genpkey -algorithm RSA", "rsa -traditional"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256", "ec"),
        ("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384", "pkey"),
        ("genpkey -algorithm ED25519", "pkey"),
    ] {
        let key = openssl(arguments);
        files.write("certificate", &authority.certificate_of(&key));
        files.write("key", &key);
        files.write("key", &openssl(&format!("{form} -in {}", file.display())));
        let store = store(&files.query());
        store.open().and_then(|mut session| session.look(NAME)).expect(form);
    }
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let authority = Authority::new("files-redis");
    let (_redis, store) = server(&authority);
    let files = Files::new("files", &authority);
    let store = store(&files.query());
    let encrypted = openssl("genpkey -algorithm RSA -aes128 -pass pass:hush");
    let no_key = "ssl_keyfile in its URL names has no key in PEM of RSA, ECDSA or Ed25519 without a passphrase";
    let no_certificate = "ssl_certfile in its URL names has no certificate in PEM";
    for (file, text, words) in [
        ("key", "", no_key),
        ("key", &encrypted, no_key),
        ("certificate", "", no_certificate),
        ("certificate", "-----BEGIN CERTIFICATE-----\n?", no_certificate),
    ] {
        files.write(file, text);
        let error = error(&store);
        assert!(error.ends_with(words), "{error}");
    }
    fs::remove_file(files.0.join("certificate")).unwrap();
    let error = error(&store);
    assert!(error.contains("ssl_certfile in its URL names cannot be opened ("), "{error}");
}
