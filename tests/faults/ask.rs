//! Does to a provider what each line of standard input says, and tells how it went as a line of JSON.

use std::io::Write;
use std::sync::Mutex;
use std::time::Instant;

use clazar_auth::{AccessToken, Credentials, Error, Options, Store, TokenProvider};
use log::{LevelFilter, Log, Metadata, Record};
use serde_json::{Value, json};

/// What is logged of the provider.
struct Logger(Mutex<String>);

static LOGGER: Logger = Logger(Mutex::new(String::new()));

impl Log for Logger {
    fn enabled(&self, _metadata: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        *self.0.lock().unwrap() += &format!("{record:?}\n");
    }

    fn flush(&self) {}
}

/// Ends well at the end of standard input.
pub fn run() -> bool {
    log::set_logger(&LOGGER).unwrap();
    // What others tell at lower levels is not for those who keep secrets (docs/rust.md).
    log::set_max_level(LevelFilter::Info);
    let mut provider = None;
    for line in std::io::stdin().lines() {
        let line = line.unwrap();
        let fields: Vec<_> = line.split('\t').collect();
        let known = || provider.as_ref().expect("there is a provider");
        let mut answer = match fields[0] {
            "new" => {
                LOGGER.0.lock().unwrap().clear();
                provider = Some(make(&fields[1..]));
                json!({})
            }
            "close" => {
                known().close();
                json!({})
            }
            "count" => json!({ "ended": ended(known()) }),
            "token" => tell(|| known().token().map(Some)),
            "refresh" => tell(|| known().refresh().map(Some)),
            "peek" => tell(|| Ok(known().peek())),
            other => panic!("{other} is no command"),
        };
        answer["log"] = json!(*LOGGER.0.lock().unwrap());
        println!("{answer}");
        std::io::stdout().flush().unwrap();
    }
    true
}

fn make(fields: &[&str]) -> TokenProvider {
    let [url, client_id, secret, timeout, ca_file, proxy, store] = fields else {
        panic!("{fields:?} are no seven fields")
    };
    let timeout = std::time::Duration::from_millis(timeout.parse().unwrap());
    let options = Options::default().auth_url(*url).timeout(timeout).proxy(*proxy);
    let mut options = options.system_roots(false);
    if !ca_file.is_empty() {
        options = options.ca_file(*ca_file);
    }
    let credentials = Credentials::new(*client_id, *secret).unwrap();
    let mut builder = TokenProvider::builder(credentials).options(options);
    if !store.is_empty() {
        builder = builder.store(Store::parse(store).unwrap());
    }
    builder.build().unwrap()
}

fn tell<T: std::ops::Deref<Target = AccessToken>>(
    ask: impl FnOnce() -> Result<Option<T>, Error>,
) -> Value {
    let start = Instant::now();
    let outcome = ask();
    let waited = start.elapsed().as_millis() as u64;
    match outcome {
        Ok(None) => json!({ "waited": waited }),
        Ok(Some(token)) => json!({
            "waited": waited,
            "token": token.value(),
            "expires_in": token.expires_in().as_secs(),
        }),
        Err(error) => json!({ "waited": waited, "error": {
            "kind": format!("{:?}", error.kind()),
            "status": error.http_status().unwrap_or(0),
            "retryable": error.is_retryable(),
            "retry_after": error.retry_after().unwrap().as_millis() as u64,
            "message": error.to_string(),
            "shown": format!("{error:?} {error:#?} {:?} {:?}", error.code(), error.request_id()),
        }}),
    }
}

fn ended(provider: &TokenProvider) -> u64 {
    let stats = provider.stats();
    let causes = [stats.empty, stats.proactive, stats.refresh];
    causes.iter().map(|cause| cause.succeeded + cause.failed).sum()
}
