//! Says which rules hosts obey, what may go wrong, and what is checked.

use super::world::Ticks;

/// The rules of the protocol. Each can be taken out.
#[derive(Clone, Copy)]
pub(super) struct Rules {
    /// Tokens are dated by the store's clock, not by the host's own.
    pub(super) store_stamps: bool,
    /// The date is that of the look before the request, not of one after it.
    pub(super) stamp_before: bool,
    /// A token is written only over the bytes that were seen.
    pub(super) compare_and_set: bool,
    /// A refused token is marked only if it is still the one that was seen.
    pub(super) compare_and_mark: bool,
    /// A newer token that was seen is left.
    pub(super) leaves_newer: bool,
    /// What was seen before the request is not newer, whatever its date says.
    pub(super) knows_what_was_there: bool,
    /// What does not open, or is from the future, is written over.
    pub(super) overwrites_unusable: bool,
    /// A token that was refused since it was handed out is not published.
    pub(super) keeps_back_refused: bool,
    /// Who gets its turn looks once more before the request.
    pub(super) looks_again: bool,
    /// Patience is counted for each holder, and not from the beginning of the wait.
    pub(super) patience_anew: bool,
    /// All waits of a call together have a limit too.
    pub(super) whole_limit: bool,
    /// Who has waited long enough for one holder takes its lease over.
    pub(super) takes_over: bool,
    /// Only if that is still the same.
    pub(super) compares_holder: bool,
    /// A back-off is a start and a length by the store's clock, not an end by the host's own.
    pub(super) backoff_length: bool,
    /// A back-off that does not open is none.
    pub(super) backoff_sealed: bool,
    /// What a host refused is not used again.
    pub(super) remembers_refused: bool,
    /// More than the last one.
    pub(super) remembers_several: bool,
    /// What a host refused is marked when it sees that.
    pub(super) marks_refused: bool,
    /// What takes the place of a mark is a replacement, whoever asked for it.
    pub(super) marks_say_why: bool,
    /// The age of a replacement counts for who finds it.
    pub(super) shares_replacements: bool,
    /// Who sees a replacement counts its age even if another token is wanted, and what is then got by an
    /// ordinary renewal says so.
    pub(super) remembers_replacements: bool,
    /// A lease is released only by its owner.
    pub(super) release_checks_owner: bool,
    /// A lease without an end is nobody's.
    pub(super) takes_endless_lease: bool,
    /// A lease with this session's own name is its own, although the answer to it was lost.
    pub(super) knows_own_lease: bool,
}

/// All rules.
pub(super) const ALL: Rules = Rules {
    store_stamps: true,
    stamp_before: true,
    compare_and_set: true,
    compare_and_mark: true,
    leaves_newer: true,
    knows_what_was_there: true,
    overwrites_unusable: true,
    keeps_back_refused: true,
    looks_again: true,
    patience_anew: true,
    whole_limit: true,
    takes_over: true,
    compares_holder: true,
    backoff_length: true,
    backoff_sealed: true,
    remembers_refused: true,
    remembers_several: true,
    marks_refused: true,
    marks_say_why: true,
    shares_replacements: true,
    remembers_replacements: true,
    release_checks_owner: true,
    takes_endless_lease: true,
    knows_own_lease: true,
};

/// How often something may still happen.
pub(super) type Times = u8;
/// As often as it likes, which is not counted.
pub(super) const ANY: Times = Times::MAX;

/// What may go wrong, and how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Budget {
    pub(super) crashes: Times,
    /// Hosts that stop, and may go on later.
    pub(super) stops: Times,
    /// Answers of the store that do not arrive, and commands that do not.
    pub(super) losses: Times,
    pub(super) outages: Times,
    pub(super) failovers: Times,
    /// Requests that fail for a reason that the server gave.
    pub(super) failures: Times,
    /// Requests that fail for a reason of the host's own.
    pub(super) own_troubles: Times,
    /// Tokens that the API refuses.
    pub(super) unauthorized: Times,
    /// Strangers who delete an item, write garbage over it, put back an old one, take the lease without end,
    /// and take it for longer than any wait.
    pub(super) deletions: Times,
    pub(super) garbage: Times,
    pub(super) replays: Times,
    pub(super) endless_leases: Times,
    pub(super) long_leases: Times,
}

/// A part of the protocol's world that is small enough to be explored.
#[derive(Clone)]
pub(super) struct Setup {
    pub(super) name: &'static str,
    pub(super) rules: Rules,
    /// By how much the clock of each host is ahead.
    pub(super) hosts: Vec<i8>,
    /// Whether all hosts have the same token at first, which is in the store too.
    pub(super) warm: bool,
    /// How many hosts have no token all the same.
    pub(super) newcomers: usize,
    /// How often each host may ask.
    pub(super) calls: Times,
    /// Whether who has a token may ask for a newer one.
    pub(super) renews: bool,
    pub(super) horizon: Ticks,
    /// Whether a lease has no end, but for that of its holder's process, as the lock of a file.
    pub(super) is_file: bool,
    pub(super) timeout: Ticks,
    /// For how long a token is valid, a back-off lasts, and a replacement stays.
    pub(super) life: Ticks,
    pub(super) backoff: Ticks,
    pub(super) between_replacements: Ticks,
    pub(super) budget: Budget,
    pub(super) limits: Limits,
}

/// What is checked besides what always is.
#[derive(Clone, Copy, Default)]
pub(super) struct Limits {
    /// At most one request at a time, but for those of hosts that were stopped, unless somebody ran out of
    /// patience.
    pub(super) one_at_a_time: bool,
    /// Each call ends within the time of the longest wait, although its own request takes time too.
    pub(super) short_calls: bool,
    /// At most two requests for each lost host; one if there is none.
    pub(super) few_requests: bool,
    /// Nobody runs out of patience more often.
    pub(super) impatient: Option<u8>,
    /// All requests for replacements of refused tokens are that far apart.
    pub(super) replacements_apart: bool,
    /// No lease is left whose owner does not know of it.
    pub(super) no_orphans: bool,
}

impl Setup {
    /// For how long a lease lasts.
    pub(super) fn lease(&self) -> Ticks {
        if self.is_file { self.horizon + 1 } else { self.timeout + 1 }
    }

    /// For how long one holder is waited for.
    pub(super) fn patience(&self) -> Ticks {
        self.timeout + 2
    }

    /// For how long others are waited for in all: `2 * timeout + 2.5`, looked at once a tick.
    pub(super) fn whole_wait(&self) -> Ticks {
        2 * self.timeout + 3
    }
}
