//! The table of faults, as faults.toml has it.

use std::collections::BTreeMap;

use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// By kind of error.
    pub retryable: BTreeMap<String, bool>,
    pub outcome: BTreeMap<String, Outcome>,
    #[serde(rename = "rule")]
    pub rules: Vec<Rule>,
}

/// What a token request comes to.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outcome {
    /// Those that it begins.
    pub connections: usize,
    /// Seconds within which the next request is due, without a token; absent if this one brings a token.
    pub no_token: Option<[f64; 2]>,
    /// The same with a fresh token.
    pub fresh: Option<[f64; 2]>,
    /// How long it takes, if that is more than a second: so many time-outs, and so many seconds.
    pub takes: Option<[u64; 2]>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    pub title: String,
    pub text: String,
    /// Of the documentation, from its folder.
    pub page: Option<String>,
    pub outcome: String,
    pub kind: Option<String>,
    pub status: Option<u16>,
    /// What an event says, though the caller gets a token.
    pub event: Option<String>,
    /// Whether the URL is https.
    #[serde(default)]
    pub secure: bool,
    /// Whether the secret may be sent.
    #[serde(default = "yes")]
    pub sent: bool,
    pub faults: Vec<Fault>,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    pub name: String,
    pub outcome: Option<String>,
    pub kind: Option<String>,
    pub status: Option<u16>,
    pub sent: Option<bool>,
    pub event: Option<String>,
    pub lifetime: Option<i64>,

    pub body: Option<String>,
    pub answer: Option<Answer>,
    pub server: Option<Vec<toml::Value>>,
    pub proxy: Option<Vec<toml::Value>>,
    pub listen: Option<String>,
    pub redis: Option<[String; 2]>,
    pub file: Option<String>,
    /// Whether root alone can bring it about.
    #[serde(default)]
    pub needs_root: bool,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub status: String,
    #[serde(default)]
    pub headers: Vec<String>,
    #[serde(default)]
    pub body: String,
    #[serde(default)]
    pub pad: usize,
}

fn yes() -> bool {
    true
}

impl Table {
    pub fn read() -> Self {
        toml::from_str(include_str!("faults.toml")).unwrap_or_else(|error| panic!("{error}"))
    }

    /// What a fault of `rule` leads to.
    pub fn outcome(&self, rule: &Rule, fault: &Fault) -> &Outcome {
        let name = fault.outcome.as_ref().unwrap_or(&rule.outcome);
        self.outcome.get(name).unwrap_or_else(|| panic!("no outcome {name}"))
    }
}

impl Outcome {
    pub fn is_slow(&self) -> bool {
        self.takes.is_some()
    }

    pub fn waits_for_the_timeout(&self) -> bool {
        self.takes.is_some_and(|[timeouts, _]| timeouts > 0)
    }

    /// How long it takes at the most with this time-out, in milliseconds.
    pub fn longest(&self, timeout: u64) -> u64 {
        let [timeouts, seconds] = self.takes.unwrap_or([0, 1]);
        timeouts * timeout + seconds * 1000
    }
}

impl Rule {
    /// The kind of error of one of its faults, if that is one.
    pub fn kind<'a>(&'a self, fault: &'a Fault) -> Option<&'a str> {
        fault.kind.as_deref().or(self.kind.as_deref())
    }
}
