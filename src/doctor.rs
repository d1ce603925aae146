//! Finds out what stands between this machine and a token, one step after the other.
//!
//! It makes a token request, by the code that makes them all, and tells how far that got.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use rustls::ProtocolVersion;

use crate::credentials::Credentials;
use crate::error::{Error, ErrorKind};
use crate::interface::OptionName;
use crate::provider::Config;
use crate::request::{HttpSource, Milestones, Trace, request_once};
use crate::token::AccessToken;

/// A token that is valid for less is hardly there before it has to be renewed.
const SHORT_LIFE: Duration = Duration::from_secs(60);
const FAR_APART: Duration = Duration::from_secs(30);
const BLOCKED: Finding = Finding::Skipped("a step before it failed");

/// One step, and what was found.
pub(crate) struct Step {
    pub(crate) name: &'static str,
    pub(crate) finding: Finding,
}

/// Each in a sentence for people, without a secret.
pub(crate) enum Finding {
    Good(String),
    /// It works, but not as it should.
    Doubtful(String),
    Failed(Error),
    /// Why there was nothing to check.
    Skipped(&'static str),
}

/// Checks `config`, completed from the environment, and what lies beyond it. Each step is told as it ends; one
/// that a later attempt of the token request does not reach again is told again.
pub(crate) fn examine(mut config: Config, tell: impl Fn(Step) + Send + Sync + 'static) {
    let report = Report(Arc::new(tell));

    let credentials = credentials(&mut config);
    let credentials = report.add("credentials", credentials, |it| origin(&config, it));
    let client = client(&mut config);
    let client = report.add("options", client, |client| Finding::Good(client.location()));
    let roots = client.as_ref().filter(|client| client.url().is_https());
    let roots = roots.map(|client| {
        report.add("trust", client.trust().describe(), |text| Finding::Good(text.clone()))
    });

    let way = Arc::new(Way::new(client.as_ref(), report.clone()));
    let watching = way.clone();
    let trace = Trace::new(move |reached| watching.tell(reached));
    let client = client.map(|client| client.traced(trace.clone()));
    let ready = client.as_ref().zip(credentials.as_ref()).filter(|_| roots != Some(None));
    let outcome = ready.map(|(client, credentials)| request_once(client, credentials));
    way.tell_rest(&trace.milestones(), outcome);
    match client.and(credentials) {
        Some(_) => {
            _ = report.add("store", store(&mut config), |place| Finding::Good(place.clone()));
        }
        None => report.put("store", BLOCKED),
    }
}

fn credentials(config: &mut Config) -> Result<Credentials, Error> {
    config.fill_from_env()?;
    config.credentials()
}

/// Where the credentials come from, and whether they look as if something had been left in or on them.
fn origin(config: &Config, credentials: &Credentials) -> Finding {
    let named_by = |option| config.values().named_by(option);
    let secret = match config.values().path(OptionName::ClientSecretFile) {
        Some(path) => {
            let option = named_by(OptionName::ClientSecretFile);
            format!("{}, the file that {option} names", path.display())
        }
        None => named_by(OptionName::ClientSecret).to_owned(),
    };
    let id = named_by(OptionName::ClientId);
    let origin = format!("the client id is in {id}, the secret in {secret}");
    let secret = credentials.client_secret();
    let texts = [("client id", credentials.client_id()), ("secret", secret.expose())];
    match texts.into_iter().find(|(_, text)| is_wrapped(text)) {
        Some((name, _)) => Finding::Doubtful(format!(
            "{origin}; the {name} begins or ends with a quote or a space, which are no part of it: a shell \
             takes quotes away, docker --env-file does not"
        )),
        None => Finding::Good(origin),
    }
}

fn is_wrapped(text: &str) -> bool {
    let is_wrapping = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
    text.starts_with(is_wrapping) || text.ends_with(is_wrapping)
}

fn client(config: &mut Config) -> Result<HttpSource, Error> {
    config.fill_from_env()?;
    HttpSource::new(&config.options())
}

/// Where the store is, if it can be used.
fn store(config: &mut Config) -> Result<String, Error> {
    config.fill_from_env()?;
    config.provider()?.try_store().map_err(|error| match error.kind() {
        ErrorKind::Store => {
            let variable = OptionName::Store.row().variable;
            let text = error.to_string();
            // Some errors say themselves what to do.
            let what = if text.contains("; ") { "or" } else { "correct that, or" };
            Error::new(ErrorKind::Store, format!("{text}; {what} name another place in {variable}"))
        }
        _ => error,
    })
}

#[derive(Clone)]
struct Report(Arc<dyn Fn(Step) + Send + Sync>);

impl Report {
    fn put(&self, name: &'static str, finding: Finding) {
        (self.0)(Step { name, finding });
    }

    /// Tells a step, and what `found` says of its result, which is returned if there is one.
    fn add<T>(
        &self,
        name: &'static str,
        result: Result<T, Error>,
        found: impl FnOnce(&T) -> Finding,
    ) -> Option<T> {
        let (finding, result) = match result {
            Ok(result) => (found(&result), Some(result)),
            Err(error) => (Finding::Failed(error), None),
        };
        self.put(name, finding);
        result
    }
}

/// The steps of a token request.
struct Way {
    uses_proxy: bool,
    uses_tls: bool,
    report: Report,
    /// How many steps were told.
    told: AtomicUsize,
}

impl Way {
    fn new(client: Option<&HttpSource>, report: Report) -> Self {
        Self {
            uses_proxy: client.is_some_and(HttpSource::uses_proxy),
            uses_tls: client.is_none_or(|client| client.url().is_https()),
            report,
            told: AtomicUsize::new(0),
        }
    }

    /// Tells the steps that are reached for the first time.
    fn tell(&self, reached: &Milestones) {
        let told = self.told.load(Ordering::Relaxed);
        for (name, text) in self.steps(reached).into_iter().skip(told) {
            let Some(text) = text else { break };
            self.report.put(name, Finding::Good(text));
            self.told.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Tells the other steps, once the last attempt has got so far; there is no outcome without a request.
    fn tell_rest(&self, reached: &Milestones, outcome: Option<Result<AccessToken, Error>>) {
        let (token, mut error) = match outcome {
            Some(Ok(token)) => (Some(token), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let accepted = || "the client id and the secret were accepted".to_owned();
        let mut steps = self.steps(reached);
        steps.push(("request", token.as_ref().map(|_| accepted())));
        let done = steps.iter().take_while(|(_, text)| text.is_some()).count();
        for (name, text) in steps.into_iter().skip(done.min(self.told.load(Ordering::Relaxed))) {
            // The first step that was not done is the one that failed.
            let undone = || error.take().map_or(BLOCKED, Finding::Failed);
            self.report.put(name, text.map_or_else(undone, Finding::Good));
        }
        self.report.put("token", token.map_or(BLOCKED, |token| life(token.lifetime())));
        self.report.put("clock", clock(reached));
    }

    /// The steps to the API, each with what there is to say of it if it was done.
    fn steps(&self, reached: &Milestones) -> Vec<(&'static str, Option<String>)> {
        let found = reached.found.as_ref().map(|found| {
            let addresses: Vec<_> = found.addresses.iter().map(ToString::to_string).collect();
            format!("{} has the address {}", found.host, addresses.join(", "))
        });
        let connected = reached.found.as_ref().filter(|_| reached.connected);
        let connected = connected.map(|found| format!("{} takes port {}", found.host, found.port));
        let mut steps = vec![("name lookup", found), ("connection", connected)];
        if self.uses_proxy {
            let opened = reached.tunnelled.then(|| "it opened the way to the API".to_owned());
            steps.push(("proxy", opened));
        }
        if self.uses_tls {
            steps.push(("TLS", reached.protocol.map(protocol)));
        }
        steps
    }
}

fn protocol(version: ProtocolVersion) -> String {
    let version = if version == ProtocolVersion::TLSv1_3 { "1.3" } else { "1.2" };
    format!("TLS {version}, with a certificate that is trusted")
}

fn life(lifetime: Duration) -> Finding {
    let seconds = lifetime.as_secs();
    if lifetime < SHORT_LIFE {
        Finding::Doubtful(format!(
            "it is valid for {seconds} s only, so that it is renewed all the time; ask the support of \
             the API whether this is meant"
        ))
    } else {
        Finding::Good(format!("it is valid for {seconds} s"))
    }
}

/// What is known of our clock.
fn clock(reached: &Milestones) -> Finding {
    match reached.clocks {
        Some(clocks) => difference(clocks),
        None if reached.is_out_of_time => Finding::Doubtful(format!(
            "this machine's shows {}; if that is wrong, set it, since the certificate was not valid then",
            httpdate::fmt_http_date(SystemTime::now())
        )),
        None => Finding::Skipped("no answer with a date came"),
    }
}

/// By how much the server's clock and ours differ.
fn difference((there, here): (SystemTime, SystemTime)) -> Finding {
    let apart = there.duration_since(here).unwrap_or_else(|error| error.duration());
    if apart > FAR_APART {
        Finding::Doubtful(format!(
            "this machine's and the server's differ by {} s; set this machine's",
            apart.as_secs()
        ))
    } else {
        Finding::Good(format!("it is within {} s of the server's", FAR_APART.as_secs()))
    }
}
