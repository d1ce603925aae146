//! No call waits for ever, whatever a program's own code or the system does.

use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use clazar_auth::sandbox::{Answer, Sandbox};
use clazar_auth::{Credentials, Error, ErrorKind, Options, TokenProvider};

use crate::wait_until;

const AUTHENTICATE: &str = "/authenticate/";
const TIMEOUT: Duration = Duration::from_millis(300);
/// What the documentation says, and much more than that on a busy machine.
pub const LIMIT: Duration = Duration::from_secs(13);

/// A provider whose first secret is refused, and whose function for the next one does `on_refusal`.
pub fn refused(
    sandbox: &Sandbox,
    on_refusal: impl Fn() -> Result<(), Error> + Send + Sync + 'static,
) -> TokenProvider {
    sandbox.answer_next(AUTHENTICATE, Answer::new(401, "{}")).unwrap();
    let (secret, asked) = (sandbox.client_secret(), Mutex::new(0));
    let next = move || {
        let times = {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            *asked
        };
        if times == 2 {
            on_refusal()?;
        }
        Ok::<_, Error>(if times == 1 { "not-a-real-secret".to_owned() } else { secret.clone() })
    };
    let credentials = Credentials::from_fn(sandbox.client_id(), next).unwrap();
    let options = Options::default().auth_url(sandbox.auth_url()).timeout(TIMEOUT);
    TokenProvider::builder(credentials).options(options).build().unwrap()
}

/// A function that blocks until the sender is dropped.
pub fn blocking() -> (Sender<()>, impl Fn() -> Result<(), Error> + Send + Sync) {
    let (release, released): (_, Receiver<()>) = mpsc::channel();
    let released = Mutex::new(released);
    (release, move || {
        let _ = released.lock().unwrap().recv();
        Ok(())
    })
}

fn token_in_time(provider: &TokenProvider) {
    wait_until(|| provider.token().is_ok());
}

#[test]
fn all_that_wait_for_a_request_that_hangs_learn_of_it_and_the_next_one_is_made() {
    let sandbox = Sandbox::start().unwrap();
    let (release, block) = blocking();
    let provider = refused(&sandbox, block);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let start = Instant::now();
                let error = provider.token().unwrap_err();
                assert!(start.elapsed() < LIMIT, "{:?}", start.elapsed());
                assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
                assert!(error.retry_after().is_some());
            });
        }
    });
    assert_eq!(provider.stats().empty.failed, 1);
    token_in_time(&provider);
    let token = provider.token().unwrap();
    drop(release);
    assert_eq!(provider.token().unwrap().value(), token.value());
}

#[test]
fn a_request_that_hangs_with_nobody_waiting_is_given_up_by_the_next_caller() {
    let sandbox = Sandbox::start().unwrap();
    let (_release, block) = blocking();
    let provider = refused(&sandbox, block);
    let error = provider.token_timeout(Duration::from_millis(1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    token_in_time(&provider);
}

#[test]
fn a_function_for_the_secret_that_asks_for_a_token_gets_an_error() {
    let sandbox = Sandbox::start().unwrap();
    let itself = Arc::new(OnceLock::<TokenProvider>::new());
    let answers = Arc::new(Mutex::new(Vec::new()));
    let ask = {
        let (itself, answers) = (itself.clone(), answers.clone());
        move || {
            let provider = itself.get().unwrap();
            let kinds = [provider.token(), provider.refresh()].map(|a| a.unwrap_err().kind());
            answers.lock().unwrap().extend(kinds);
            Ok(())
        }
    };
    let provider = refused(&sandbox, ask);
    itself.set(provider.clone()).unwrap();
    provider.token().unwrap();
    assert_eq!(*answers.lock().unwrap(), [ErrorKind::Timeout, ErrorKind::Timeout]);
}

#[test]
fn with_no_time_to_wait_a_caller_learns_that_there_is_no_token_yet() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_delay(Duration::from_secs(3600));
    let options = Options::default().auth_url(sandbox.auth_url());
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let provider = TokenProvider::builder(credentials).options(options).build().unwrap();
    let error = provider.token_timeout(Duration::ZERO).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.to_string().starts_with("there is no token yet"), "{error}");
    provider.close();
}
