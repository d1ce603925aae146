//! Holds a state: the store, the hosts, and what was seen of them so far.

use super::rules::Budget;

/// A moment or a time, in ticks of the one true clock, which is the store's.
pub(super) type Ticks = u8;

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct World {
    pub(super) now: Ticks,
    pub(super) store: Items,
    /// What a replica had when it stopped to follow.
    pub(super) replica: Option<Items>,
    pub(super) is_down: bool,
    pub(super) hosts: Vec<Host>,
    pub(super) left: Budget,
    /// The sealed tokens that were ever stored, for who replays them.
    pub(super) copies: Vec<Token>,
    pub(super) seen: Seen,
}

/// What the properties are about. The protocol itself knows nothing of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Seen {
    pub(super) requests: u8,
    /// Hosts that died or stopped.
    pub(super) lost_hosts: u8,
    /// When the last request for a replacement was sent that was answered.
    pub(super) last_replacement: Option<Ticks>,
    /// Tokens that were marked as refused, or must have been, since who refused them has had its turn.
    pub(super) marked: TokenSet,
    /// Whether an old state of the store came back.
    pub(super) is_replayed: bool,
    /// Waits that ended without a turn.
    pub(super) impatient: u8,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Items {
    pub(super) token: Option<Blob>,
    pub(super) backoff: Option<Backoff>,
    pub(super) lease: Option<Lease>,
}

/// What lies where a token belongs. The seal makes equal what is equal byte by byte, and nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Blob {
    Garbage,
    /// What stays of a token that the API has refused.
    Mark(Token),
    Sealed(Token),
}

impl Blob {
    /// The token that is or was there.
    pub(super) fn token(self) -> Option<Token> {
        match self {
            Self::Garbage => None,
            Self::Mark(token) | Self::Sealed(token) => Some(token),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Token {
    /// The number of its request.
    pub(super) number: u8,
    pub(super) stamp: Ticks,
    /// When a replacement was last asked for: this one, or one not long before it.
    pub(super) replacement: Option<Ticks>,
    /// When its host last looked before the request, and when that was sent: the truth.
    pub(super) looked: Ticks,
    pub(super) sent: Ticks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Backoff {
    Garbage,
    /// When it began by the clock that counts, and in truth.
    Sealed {
        since: Ticks,
        truly_since: Ticks,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Lease {
    pub(super) owner: Owner,
    pub(super) expiry: Option<Ticks>,
}

/// A session of a host, which has one of two for each access, in turns, or a stranger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Owner {
    Stranger(bool),
    Session { host: u8, odd: bool },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TokenSet(u16);

impl TokenSet {
    pub(super) fn one(token: Token) -> Self {
        Self(1 << token.number)
    }

    pub(super) fn with(self, token: Token) -> Self {
        Self(self.0 | 1 << token.number)
    }

    pub(super) fn union(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    pub(super) fn has(self, token: Token) -> bool {
        self.0 >> token.number & 1 == 1
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Host {
    /// How much its own clock is ahead.
    pub(super) ahead: i8,
    pub(super) life: Life,
    /// The token in use.
    pub(super) token: Option<Token>,
    /// Which tokens it remembers as refused, and which were.
    pub(super) refused: TokenSet,
    pub(super) ever_refused: TokenSet,
    /// Whether the token to come replaces a refused one.
    pub(super) wants_replacement: bool,
    /// When it last got such a one, or one was asked for that it took over.
    pub(super) last_replacement: Option<Ticks>,
    pub(super) calls: u8,
    pub(super) access: Option<Access>,
    pub(super) rest: Option<Rest>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Life {
    Runs,
    Stopped,
    Dead,
}

/// What a host does for a token that somebody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Access {
    pub(super) phase: Phase,
    pub(super) since: Ticks,
    pub(super) odd: bool,
    /// A token that is not newer than this is not wanted.
    pub(super) newer_than: Option<Ticks>,
    /// Whom it waits for, and since when.
    pub(super) holder: Option<(Owner, Ticks)>,
    /// Whether it may hold the lease, as far as it knows.
    pub(super) holds: bool,
    pub(super) errors: u8,
    /// Whether its host was stopped meanwhile: then its waits may be as long as they like.
    pub(super) was_stopped: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Phase {
    Look,
    /// Marks what it saw, since that was refused; `with_turn` tells where it goes on.
    Mark {
        seen: Token,
        with_turn: bool,
    },
    Lock,
    /// Until the next tick.
    Wait,
    /// The last look before the request.
    LookAgain,
    Send(Draft),
    Flight {
        draft: Draft,
        sent: Ticks,
        number: u8,
    },
}

/// What is known before a request is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Draft {
    pub(super) looked: Ticks,
    /// `None` without a look, since the store does not answer: then nothing is published.
    pub(super) stamp: Option<Ticks>,
    pub(super) seen: Option<Blob>,
    /// Whether it is sent because a token was refused.
    pub(super) is_replacement: bool,
}

/// What remains to be done once the token was handed out, or the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Rest {
    pub(super) what: Publication,
    pub(super) odd: bool,
    pub(super) holds: bool,
    pub(super) errors: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Publication {
    Token {
        token: Token,
        /// The token that was seen before the request, or whose mark.
        before: Option<Token>,
        seen: Option<Blob>,
        tries: u8,
    },
    /// After a write that did not happen.
    LookFor {
        token: Token,
        before: Option<Token>,
        tries: u8,
    },
    Backoff,
    Nothing,
}
