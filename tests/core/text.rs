//! What is shown of a text that others wrote: no terminal obeys it, and it makes no line of its own.

use std::io::Write;
use std::sync::{Mutex, Once};

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, Options, Store, TokenProvider};

use crate::wait_until;
use test_support::server::{Server, TOKEN_BODY, ok};

/// What was logged in this process.
static LOGGED: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Collector;

impl log::Log for Collector {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() == "clazar_auth"
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            LOGGED.lock().unwrap().push(record.args().to_string());
        }
    }

    fn flush(&self) {}
}

/// What is logged with `mark` in it when `work` is done, or a moment later.
pub fn logged(mark: &str, work: impl FnOnce()) -> String {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&Collector).unwrap();
        log::set_max_level(log::LevelFilter::Info);
    });
    work();
    let mut found = None;
    wait_until(|| {
        found = LOGGED.lock().unwrap().iter().find(|line| line.contains(mark)).cloned();
        found.is_some()
    });
    found.unwrap()
}

pub fn is_printable(text: &str) -> bool {
    text.chars().all(|c| !c.is_control() && !matches!(c, '\u{200e}'..='\u{202e}'))
}

pub fn keeping(sandbox: &Sandbox, store: Store) -> TokenProvider {
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let options = Options::default().auth_url(sandbox.auth_url());
    TokenProvider::builder(credentials).options(options).store(store).build().unwrap()
}

#[cfg(feature = "redis")]
#[test]
fn what_redis_says_of_an_error() {
    let sandbox = Sandbox::start().unwrap();
    let hostile = Server::new(|mut stream, _| {
        let code = format!("\x1b]0;title\x07\u{202e}all-is-well\0{}", "x".repeat(1000));
        let _ = stream.write_all(format!("-{code} no more\r\n").as_bytes());
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let place = format!("redis://127.0.0.1:{}", hostile.port());
    let told = logged(&place, || {
        keeping(&sandbox, Store::redis(&place).unwrap()).token().unwrap();
    });
    assert!(told.contains("EVAL was answered with an error"), "{told:?}");
    assert!(!told.contains("well") && is_printable(&told) && told.len() < 300, "{told:?}");
}

#[test]
fn what_a_function_says_of_its_failure() {
    let why = format!("the vault\r\nis \x1b[31msealed{}", "!".repeat(10_000));
    let failing = Credentials::from_fn("id", move || Err::<String, _>(why.clone())).unwrap();
    let error = clazar_auth::authenticate(&failing, &Options::default()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains(r"the vault\r\nis \u{1b}[31msealed!!!"), "{text}");
    assert!(is_printable(&text) && text.len() < 1000, "{text}");
}

#[test]
fn what_a_program_gives() {
    let url = "https://host/\u{202e}\u{85}";
    let error = crate::request_token(url).map(drop).unwrap_err();
    assert!(is_printable(&error.to_string()), "{error}");
    let options = Options::default().ca_file("/nowhere/\x1b]0;title\x07\n.pem");
    let error = clazar_auth::authenticate(&crate::credentials(), &options).unwrap_err();
    assert!(error.to_string().contains(r"/nowhere/\u{1b}]0;title\u{7}\n.pem"), "{error}");
    let builder = TokenProvider::builder(crate::credentials()).allowed_hosts(["evil\u{202e}host"]);
    assert!(is_printable(&builder.build().unwrap_err().to_string()));
}

#[test]
fn the_path_of_a_url() {
    let server = Server::answering(ok(TOKEN_BODY));
    let host = format!("127.0.0.1:{}", server.port());
    let told = logged(&host, || {
        let options = Options::default().auth_url(format!("http://{host}/\u{202e}\u{9b}2Ja/"));
        let builder = TokenProvider::builder(crate::credentials()).options(options);
        builder.build().unwrap().token().unwrap();
    });
    assert!(told.contains(r"/\u{202e}\u{9b}2Ja/"), "{told:?}");
    assert!(is_printable(&told), "{told:?}");
}
