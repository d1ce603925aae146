//! A logger of the program's own, which asks for a token with each record, and may block: the `log` crate
//! has one logger for a whole process, so this is a program of its own.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use clazar_auth::sandbox::{Answer, Sandbox};
use clazar_auth::{Credentials, Options, TokenProvider};
use log::{Log, Metadata, Record};

static PROVIDER: OnceLock<TokenProvider> = OnceLock::new();
static ASKED: AtomicUsize = AtomicUsize::new(0);
static BLOCKED: Mutex<()> = Mutex::new(());

struct Asking;

impl Log for Asking {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        if let Some(provider) = PROVIDER.get() {
            // What it gets does not matter here; that it gets it does.
            let _ = provider.token();
            ASKED.fetch_add(1, Ordering::SeqCst);
        }
        if record.target() == "clazar_auth" {
            drop(BLOCKED.lock());
        }
    }

    fn flush(&self) {}
}

#[test]
fn a_logger_may_ask_for_a_token_and_may_block() {
    log::set_logger(&Asking).unwrap();
    log::set_max_level(log::LevelFilter::Trace);
    let sandbox = Sandbox::start().unwrap();
    sandbox.answer_next("/authenticate/", Answer::new(503, "")).unwrap();
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let options = Options::default().auth_url(sandbox.auth_url());
    let provider = TokenProvider::builder(credentials).options(options).build().unwrap();
    PROVIDER.set(provider.clone()).ok().unwrap();

    let blocked = BLOCKED.lock().unwrap();
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        let token = provider.token().unwrap();
        provider.refresh().unwrap();
        provider.invalidate(&provider.token().unwrap());
        assert_ne!(provider.token().unwrap().value(), token.value());
        done.send(()).unwrap();
    });
    is_done.recv_timeout(Duration::from_secs(60)).expect("nobody waits for the logger");
    assert!(ASKED.load(Ordering::SeqCst) > 10, "also in the middle of a request");
    drop(blocked);
}
