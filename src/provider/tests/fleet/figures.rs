//! Counts what callers see and what a fleet costs, and says it in the rows of a table.

use std::ops::Range;
use std::time::Duration;

use super::minutes;
use super::programs::{Call, Fleet};
use crate::error::Error;
use crate::store::tests::simulation::{Counts, Load};
use crate::sync::lock;

pub(super) const DAY: usize = 86_400;
/// Within this time a provider without a token finds the one in a store that it reaches: it looks again 30 s
/// after the store failed, for its next caller, and then the next one has it.
const SOON: Duration = minutes(6);

/// What callers saw.
pub(super) struct Tally {
    pub(super) count: u64,
    /// When each wait ended, and how long it was.
    waits: Vec<(Duration, Duration)>,
    pub(super) failed: Counts,
    failed_with_token: u64,
    failed_in_reach: u64,
    example: Option<String>,
    /// Since when each host asks for a token in vain.
    without_token: Vec<Option<Duration>>,
    pub(super) longest_without_token: Duration,
}

/// What there is to say of a call that failed.
pub(super) struct Failure<'a> {
    pub(super) error: &'a Error,
    /// Whether the provider had a token that still lives.
    pub(super) held_lives: bool,
    /// For how long it could have had one from the store.
    pub(super) in_reach: Duration,
}

impl Tally {
    pub(super) fn new(hosts: usize) -> Self {
        Self {
            count: 0,
            waits: Vec::new(),
            failed: Counts::default(),
            failed_with_token: 0,
            failed_in_reach: 0,
            example: None,
            without_token: vec![None; hosts],
            longest_without_token: Duration::ZERO,
        }
    }

    fn end(&mut self, call: &Call, now: Duration) {
        self.count += 1;
        if now > call.since {
            self.waits.push((now, now - call.since));
        }
    }

    pub(super) fn served(&mut self, host: usize, call: &Call, now: Duration) {
        self.end(call, now);
        if let Some(since) = self.without_token[host].take() {
            self.longest_without_token = self.longest_without_token.max(now - since);
        }
    }

    pub(super) fn failed(
        &mut self,
        host: usize,
        call: &Call,
        now: Duration,
        failure: &Failure<'_>,
    ) {
        self.end(call, now);
        self.failed.add(now);
        let Failure { error, held_lives, in_reach } = failure;
        let is_in_reach = *in_reach > SOON;
        self.failed_with_token += u64::from(*held_lives);
        self.failed_in_reach += u64::from(is_in_reach);
        if *held_lives || is_in_reach {
            let what = || {
                format!("host {host} at {now:.3?}, with one in reach for {in_reach:.1?}: {error}")
            };
            self.example.get_or_insert_with(what);
        }
        self.without_token[host].get_or_insert(call.since);
    }
}

/// What there is to say of a run.
pub(super) struct Figures {
    pub(super) hosts: usize,
    pub(super) load: Load,
    pub(super) threads: usize,
    pub(super) calls: Tally,
    broken: Option<&'static str>,
}

/// A part of it.
pub(super) struct Row {
    pub(super) requests: u64,
    pub(super) tokens: u64,
    pub(super) most_requests: u32,
    pub(super) most_commands: u32,
    pub(super) most_connections: u32,
    pub(super) failed: u64,
    pub(super) longest_wait: Duration,
}

impl Figures {
    pub(super) fn of(fleet: &Fleet) -> Self {
        let state = fleet.simulation.state();
        let calls = std::mem::replace(&mut *lock(&fleet.tally), Tally::new(0));
        Self {
            hosts: calls.without_token.len(),
            load: state.load().clone(),
            threads: state.threads(),
            calls,
            broken: state.broken(),
        }
    }

    /// What must hold of every run.
    pub(super) fn check(&self) {
        let Tally { failed_with_token, failed_in_reach, example, .. } = &self.calls;
        assert_eq!(self.broken, None);
        assert_eq!(*failed_with_token, 0, "failed while a token lived: {example:?}");
        assert_eq!(*failed_in_reach, 0, "failed with one in reach: {example:?}");
    }

    pub(super) fn within(&self, span: &Range<Duration>) -> Row {
        let load = &self.load;
        let waits = self.calls.waits.iter().filter(|(at, _)| span.contains(at));
        Row {
            requests: load.requests.within(span).sum(),
            tokens: load.tokens.within(span).sum(),
            most_requests: load.requests.within(span).most().0,
            most_commands: load.commands.within(span).most().0,
            most_connections: load.connections.within(span).most().0,
            failed: self.calls.failed.within(span).sum(),
            longest_wait: waits.map(|(_, wait)| *wait).max().unwrap_or_default(),
        }
    }
}

/// The head of a table of such rows.
pub(super) const HEAD: &str = "\
| | token requests | that brought a token | most in a second | scripts at Redis in its worst second | new connections in its worst second | failed calls without a token | longest wait |
| --- | --: | --: | --: | --: | --: | --: | --: |";

impl Row {
    /// In Markdown.
    pub(super) fn line(&self, name: &str) -> String {
        let counts = [
            self.requests,
            self.tokens,
            u64::from(self.most_requests),
            u64::from(self.most_commands),
            u64::from(self.most_connections),
            self.failed,
        ];
        let wait = match format!("{:.1}", self.longest_wait.as_secs_f64()).as_str() {
            "0.0" => "0".to_owned(),
            seconds => format!("{seconds} s"),
        };
        format!("| {name} | {} | {wait} |", counts.map(thousands).join(" | "))
    }
}

/// With commas.
pub(super) fn thousands(count: u64) -> String {
    match count / 1000 {
        0 => count.to_string(),
        more => format!("{},{:03}", thousands(more), count % 1000),
    }
}
