//! Finds out what stands between this machine and a token, one step after the other.
//!
//! It makes a token request, by the code that makes them all, and tells how far that got.

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

/// Checks `config`, completed from the environment, and what lies beyond it.
pub(crate) fn examine(mut config: Config) -> Vec<Step> {
    let mut report = Report::default();
    let trace = Trace::new();

    let credentials = credentials(&mut config);
    let credentials = report.add("credentials", credentials, |_| origin(&config));
    let client = client(&mut config).map(|client| client.traced(trace.clone()));
    let client = report.add("options", client, HttpSource::location);
    let roots = client.as_ref().filter(|client| client.url().is_https());
    let roots = roots.map(|client| report.add("trust", client.trust().describe(), String::clone));

    let ready = client.as_ref().zip(credentials.as_ref()).filter(|_| roots != Some(None));
    let outcome = ready.map(|(client, credentials)| request_once(client, credentials));
    report.add_token_request(client.as_ref(), &trace.milestones(), outcome);
    match client.and(credentials) {
        Some(_) => _ = report.add("store", store(&mut config), String::clone),
        None => report.put("store", BLOCKED),
    }
    report.0
}

fn credentials(config: &mut Config) -> Result<Credentials, Error> {
    config.fill_from_env()?;
    config.credentials()
}

fn origin(config: &Config) -> String {
    let variable = |option: OptionName| option.row().variable;
    let secret = match config.values().path(OptionName::ClientSecretFile) {
        Some(path) => {
            let variable = variable(OptionName::ClientSecretFile);
            format!("{}, the file that {variable} names", path.display())
        }
        None => variable(OptionName::ClientSecret).to_owned(),
    };
    format!("the client id is in {}, the secret in {secret}", variable(OptionName::ClientId))
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
            let text = format!("{error}; correct that, or name another place in {variable}");
            Error::new(ErrorKind::Store, text)
        }
        _ => error,
    })
}

#[derive(Default)]
struct Report(Vec<Step>);

impl Report {
    fn put(&mut self, name: &'static str, finding: Finding) {
        self.0.push(Step { name, finding });
    }

    /// Adds a step and what `text` says of its result, which is returned if there is one.
    fn add<T>(
        &mut self,
        name: &'static str,
        result: Result<T, Error>,
        text: impl FnOnce(&T) -> String,
    ) -> Option<T> {
        let (finding, result) = match result {
            Ok(result) => (Finding::Good(text(&result)), Some(result)),
            Err(error) => (Finding::Failed(error), None),
        };
        self.put(name, finding);
        result
    }

    /// Adds the steps of a token request, if there was one.
    fn add_token_request(
        &mut self,
        client: Option<&HttpSource>,
        reached: &Milestones,
        outcome: Option<Result<AccessToken, Error>>,
    ) {
        let (token, mut error) = match outcome {
            Some(Ok(token)) => (Some(token), None),
            Some(Err(error)) => (None, Some(error)),
            None => (None, None),
        };
        let accepted = || "the client id and the secret were accepted".to_owned();
        let steps = milestone_steps(client, reached)
            .into_iter()
            .chain([("request", token.as_ref().map(|_| accepted()))]);
        for (name, text) in steps {
            // The first step that was not done is the one that failed.
            let undone = || error.take().map_or(BLOCKED, Finding::Failed);
            self.put(name, text.map_or_else(undone, Finding::Good));
        }
        self.put("token", token.map_or(BLOCKED, |token| life(token.lifetime())));
        let undated = Finding::Skipped("no answer with a date came");
        self.put("clock", reached.clocks.map_or(undated, clocks));
    }
}

/// The steps to the API, each with what there is to say of it if it was done.
fn milestone_steps(
    client: Option<&HttpSource>,
    reached: &Milestones,
) -> Vec<(&'static str, Option<String>)> {
    let found = reached.found.as_ref().map(|found| {
        let addresses: Vec<_> = found.addresses.iter().map(ToString::to_string).collect();
        format!("{} has the address {}", found.host, addresses.join(", "))
    });
    let connected = reached.found.as_ref().filter(|_| reached.connected);
    let connected = connected.map(|found| format!("{} takes port {}", found.host, found.port));
    let mut steps = vec![("name lookup", found), ("connection", connected)];
    if client.is_some_and(HttpSource::uses_proxy) {
        steps.push(("proxy", reached.tunnelled.then(|| "it opened the way to the API".to_owned())));
    }
    if client.is_none_or(|client| client.url().is_https()) {
        steps.push(("TLS", reached.protocol.map(protocol)));
    }
    steps
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

/// By how much the server's clock and ours differ.
fn clocks((there, here): (SystemTime, SystemTime)) -> Finding {
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
