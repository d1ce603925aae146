//! Lists the worlds in which the store is run.

use std::time::Duration;

use super::flaws::Flaw;
use super::store::StrangersAct;
use crate::store::session::Item;

#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(super) name: &'static str,
    pub(super) hosts: usize,
    pub(super) hosts_on_a_machine: usize,
    /// How often each host uses its token, or asks for one.
    pub(super) calls: u32,
    pub(super) start_within: Duration,
    pub(super) between_calls: Duration,
    pub(super) timeout: Duration,
    pub(super) lifetime: Duration,
    pub(super) requests: Requests,
    pub(super) faults: Faults,
    /// How often the API refuses a token that is used, once and for all.
    pub(super) unauthorized: f64,
    /// How often a host wants another token although it has one.
    pub(super) renews: f64,
    pub(super) deaths: u32,
    pub(super) stops: u32,
    pub(super) longest_stop: Duration,
    /// At which of its steps a host dies or stops at the latest.
    pub(super) last_step: u32,
    pub(super) acts: &'static [StrangersAct],
    pub(super) most_acts: u32,
    pub(super) acts_within: Duration,
    pub(super) wall_clocks: WallClocks,
    pub(super) limits: Limits,
    pub(super) store_clock: StoreClock,
    pub(super) store_speed: Speed,
    pub(super) flaw: Option<Flaw>,
}

/// What a clock is called, and what it showed when the run began.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoreClock {
    pub(super) name: &'static str,
    pub(super) epoch: Duration,
}

/// How long the store, which does one thing at a time, works on each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Speed {
    pub(crate) connection: Duration,
    pub(crate) command: Duration,
}

/// How long a token request takes, and how often it fails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Requests {
    pub(super) shortest: Duration,
    pub(super) longest: Duration,
    pub(super) own_trouble: f64,
    /// The API answers with an error.
    pub(super) failed: f64,
    /// Beyond so many it answers 429.
    pub(super) most_a_minute: Option<u32>,
}

/// How often something happens to a command.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Faults {
    pub(super) lost: f64,
    pub(super) answer_lost: f64,
    pub(super) late: f64,
    pub(super) slow: f64,
    /// The server answers a command with an error, and takes the next.
    pub(super) rejected: f64,
    pub(super) away: f64,
}

/// By how many seconds the wall clock of each host is ahead, before and after some moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct WallClocks {
    pub(super) ahead: &'static [f64],
    pub(super) later: &'static [f64],
    pub(super) step: Duration,
}

/// What holds besides what always holds.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Limits {
    pub(super) one_at_a_time: bool,
    pub(super) few_requests: bool,
    /// Requests for replacements of refused tokens, and all requests of a world that has no others.
    pub(super) replacements_apart: bool,
    pub(super) requests_apart: bool,
    pub(super) always_token: bool,
    /// Each lease of a stranger costs each host one long wait at the most.
    pub(super) few_waits: bool,
}

impl World {
    /// Whether commands may take longer than a moment.
    pub(super) fn has_faults(&self) -> bool {
        self.faults != Faults::default()
            || self.acts.iter().any(|act| matches!(act, StrangersAct::GoAway))
    }
}

impl WallClocks {
    pub(super) const RIGHT: Self = Self::wrong(&[0.0]);

    const fn wrong(ahead: &'static [f64]) -> Self {
        Self { ahead, later: ahead, step: Duration::MAX }
    }

    pub(super) fn ahead(&self, host: usize, now: Duration) -> f64 {
        let ahead = if now < self.step { self.ahead } else { self.later };
        ahead[host % ahead.len()]
    }

    /// By more than clocks may differ.
    pub(super) fn is_wrong(&self, host: usize, now: Duration) -> bool {
        self.ahead(host, now).abs() > MOST_INEXACT
    }
}

pub(super) const fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

pub(super) const DAY: f64 = 86_400.0;
/// The most that clocks are wrong by.
pub(super) const WRONG_CLOCKS: WallClocks = WallClocks::wrong(&[DAY, -DAY, 50.0]);
/// By so many seconds clocks may differ.
const MOST_INEXACT: f64 = 60.0;
/// Within that.
pub(super) const INEXACT_CLOCKS: WallClocks = WallClocks::wrong(&[25.0, -25.0, 5.0]);

/// It differs from the clocks of all hosts.
const OTHER_CLOCK: StoreClock = StoreClock { name: "simulated", epoch: seconds(1_700_000_000) };

const HEALTHY: Requests = Requests {
    shortest: Duration::from_millis(50),
    longest: seconds(3),
    own_trouble: 0.0,
    failed: 0.0,
    most_a_minute: None,
};
const FAULTY: Faults =
    Faults { lost: 0.03, answer_lost: 0.03, late: 0.03, slow: 0.1, rejected: 0.02, away: 0.02 };
const WITHOUT_SEAL: &[StrangersAct] = &[
    StrangersAct::Delete(Item::Token),
    StrangersAct::Delete(Item::Backoff),
    StrangersAct::DeleteLease,
    StrangersAct::Garbage(Item::Token),
    StrangersAct::Garbage(Item::Backoff),
    StrangersAct::Replay(Item::Token),
    StrangersAct::Replay(Item::Backoff),
    StrangersAct::LongLease,
    StrangersAct::EndlessLease,
];

/// So many hosts start without a token, and each wants one.
pub(super) fn cold(name: &'static str) -> World {
    World {
        name,
        hosts: 4,
        hosts_on_a_machine: 2,
        calls: 1,
        start_within: seconds(2),
        between_calls: seconds(10),
        timeout: seconds(20),
        lifetime: seconds(3600),
        requests: HEALTHY,
        faults: Faults::default(),
        unauthorized: 0.0,
        renews: 0.0,
        deaths: 0,
        stops: 0,
        longest_stop: seconds(120),
        last_step: 12,
        acts: &[],
        most_acts: 0,
        acts_within: seconds(60),
        wall_clocks: WRONG_CLOCKS,
        limits: Limits::default(),
        store_clock: OTHER_CLOCK,
        store_speed: Speed::default(),
        flaw: None,
    }
}

/// They use their tokens for a while, renew them, and some are refused.
fn busy(name: &'static str) -> World {
    World {
        hosts: 3,
        calls: 8,
        renews: 0.3,
        unauthorized: 0.15,
        lifetime: seconds(90),
        ..cold(name)
    }
}

const ONE_AT_A_TIME: Limits = Limits {
    one_at_a_time: true,
    few_requests: false,
    replacements_apart: false,
    requests_apart: false,
    always_token: true,
    few_waits: false,
};

pub(super) fn cold_start() -> World {
    World { limits: Limits { few_requests: true, ..ONE_AT_A_TIME }, ..cold("cold start") }
}

pub(super) fn renewals() -> World {
    World { limits: ONE_AT_A_TIME, ..busy("renewals and 401s") }
}

pub(super) fn all_refused() -> World {
    let limits = Limits { requests_apart: true, ..ONE_AT_A_TIME };
    let (renews, lifetime, start_within) = (0.0, seconds(3600), seconds(40));
    let world = busy("every token refused");
    World {
        wall_clocks: INEXACT_CLOCKS,
        limits,
        unauthorized: 1.0,
        calls: 12,
        renews,
        lifetime,
        start_within,
        ..world
    }
}

pub(super) fn many_refused_and_renewed() -> World {
    let limits = Limits { replacements_apart: true, ..ONE_AT_A_TIME };
    let name = "many tokens refused, with renewals";
    World { name, limits, unauthorized: 0.4, renews: 0.6, ..all_refused() }
}

pub(super) fn failures() -> World {
    let requests = Requests { own_trouble: 0.2, failed: 0.4, ..HEALTHY };
    let limits = Limits { always_token: false, ..ONE_AT_A_TIME };
    World { requests, limits, ..busy("failed requests") }
}

pub(super) fn one_dead() -> World {
    let limits = Limits { few_requests: true, always_token: true, ..Limits::default() };
    World { deaths: 1, limits, ..cold("one host dies") }
}

pub(super) fn one_stopped() -> World {
    World { stops: 1, deaths: 0, name: "one host stops and may go on", ..one_dead() }
}

pub(super) fn impatient() -> World {
    let requests = Requests { longest: seconds(2), ..HEALTHY };
    let limits = Limits::default();
    World {
        timeout: seconds(2),
        requests,
        limits,
        deaths: 2,
        ..cold("a short time-out, two hosts die")
    }
}

pub(super) fn stops() -> World {
    World { stops: 3, last_step: 60, ..busy("hosts stop and go on all the time") }
}

pub(super) fn losses() -> World {
    World { faults: FAULTY, last_step: 60, ..busy("commands and answers are lost and late") }
}

pub(super) fn outages() -> World {
    let acts = &[StrangersAct::GoAway, StrangersAct::ComeBack, StrangersAct::ComeBack];
    World { acts, most_acts: 6, ..busy("the store is away for a while") }
}

pub(super) fn strangers() -> World {
    let limits = Limits { always_token: true, ..Limits::default() };
    World {
        acts: WITHOUT_SEAL,
        most_acts: 12,
        limits,
        ..busy("strangers delete, replay, and write garbage and leases")
    }
}

pub(super) fn stolen_leases() -> World {
    let limits = Limits { always_token: true, ..Limits::default() };
    let acts = &[StrangersAct::LongLease, StrangersAct::EndlessLease, StrangersAct::DeleteLease];
    World { acts, most_acts: 40, limits, ..cold("strangers take the lease all the time") }
}

pub(super) fn slow_answers() -> World {
    let (faults, acts) = (Faults { slow: 0.4, ..Faults::default() }, &[StrangersAct::DeleteLease]);
    let requests = Requests { longest: seconds(1), ..HEALTHY };
    let between_calls = seconds(2);
    let world = busy("the store is slow, and strangers take leases away");
    World { faults, acts, most_acts: 60, requests, between_calls, renews: 0.8, ..world }
}

pub(super) fn lost_answers() -> World {
    let faults = Faults { answer_lost: 0.15, slow: 0.3, ..Faults::default() };
    let requests = Requests { longest: seconds(1), ..HEALTHY };
    let (between_calls, start_within) = (Duration::from_millis(500), seconds(20));
    let world = busy("answers are lost and slow, and tokens are refused at once");
    World {
        hosts: 6,
        calls: 4,
        unauthorized: 0.9,
        faults,
        requests,
        between_calls,
        start_within,
        ..world
    }
}

pub(super) fn one_long_lease() -> World {
    let limits = Limits { few_requests: true, ..ONE_AT_A_TIME };
    let (acts, most_acts, acts_within) = (&[StrangersAct::LongLease], 1, seconds(2));
    World { acts, most_acts, acts_within, limits, ..cold("a stranger takes the lease once") }
}

pub(super) fn one_long_lease_and_renewals() -> World {
    let limits = Limits { few_waits: true, ..ONE_AT_A_TIME };
    let (acts, most_acts) = (&[StrangersAct::LongLease], 1);
    World { acts, most_acts, limits, ..busy("a stranger takes the lease once, with renewals") }
}

pub(super) fn one_garbage() -> World {
    let limits = Limits { few_requests: true, ..ONE_AT_A_TIME };
    let (acts, most_acts) =
        (&[StrangersAct::Garbage(Item::Token), StrangersAct::Delete(Item::Token)], 1);
    let start_within = seconds(60);
    let world = cold("a stranger writes garbage once");
    World { acts, most_acts, start_within, limits, ..world }
}

pub(super) fn slow_api() -> World {
    World {
        name: "strangers take the lease, and the API is slow",
        timeout: seconds(4),
        requests: Requests { longest: seconds(5), ..HEALTHY },
        ..short_timeout()
    }
}

pub(super) fn short_timeout() -> World {
    let acts = &[StrangersAct::LongLease];
    let requests = Requests { longest: seconds(2), ..HEALTHY };
    World {
        name: "strangers take the lease, and the time-out is short",
        timeout: seconds(2),
        acts_within: seconds(15),
        limits: Limits::default(),
        requests,
        acts,
        ..stolen_leases()
    }
}

pub(super) fn slow_store() -> World {
    let faults = Faults { slow: 0.7, answer_lost: 0.02, ..Faults::default() };
    World {
        name: "strangers take the lease, and the store is slow",
        timeout: seconds(5),
        acts_within: seconds(30),
        faults,
        ..short_timeout()
    }
}

pub(super) fn stepping_clocks() -> World {
    let wall_clocks =
        WallClocks { ahead: &[0.0, 50.0, -DAY], later: &[DAY, -50.0, 0.0], step: seconds(30) };
    World {
        wall_clocks,
        faults: Faults { slow: 0.1, ..Faults::default() },
        ..busy("wall clocks are set")
    }
}

pub(super) fn everything() -> World {
    let requests = Requests { own_trouble: 0.1, failed: 0.1, ..HEALTHY };
    World {
        requests,
        deaths: 1,
        stops: 2,
        last_step: 60,
        faults: FAULTY,
        acts: WITHOUT_SEAL,
        most_acts: 6,
        ..busy("all together")
    }
}

pub(super) fn all() -> Vec<World> {
    vec![
        cold_start(),
        renewals(),
        all_refused(),
        many_refused_and_renewed(),
        failures(),
        one_dead(),
        one_stopped(),
        impatient(),
        stops(),
        losses(),
        outages(),
        strangers(),
        stolen_leases(),
        short_timeout(),
        slow_answers(),
        lost_answers(),
        slow_api(),
        slow_store(),
        one_long_lease(),
        one_long_lease_and_renewals(),
        one_garbage(),
        stepping_clocks(),
        everything(),
    ]
}
