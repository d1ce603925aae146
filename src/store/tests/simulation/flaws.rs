//! Lists what is done wrong on purpose, and which check sees it.

use super::checks::Broken;
use super::worlds::{self, Limits, WallClocks, World};

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Flaw {
    /// The store replaces whatever there is.
    WritesBlindly,
    /// The store says to each host that it is its turn.
    LocksNobodyOut,
    /// The clock of the store stands still, and what it keeps has no end.
    StandsStill,
    /// Who has no seal has one all the same.
    SealsGarbage,
    /// A session waits for as long as the answer takes, and that is a minute.
    WaitsForAnswers,
    /// A session that has waited long enough for another host waits on.
    NeverTakesOver,
    /// A session drops the marks that it is to store.
    LosesMarks,
    /// A session begins with the last token of its host, which it stores over whatever there is.
    StoresAgain,
    /// A host forgets what was refused.
    ForgetsRefused,
    /// A host forgets when there was a replacement.
    ForgetsReplacements,
    /// A host that asks for a new token takes any.
    TakesOld,
    /// The host's own trouble looks as if the API had asked to wait.
    BlamesTheApi,
}

/// Each check, and in which world it sees which flaw.
pub(super) fn seen() -> Vec<(Flaw, World, Broken)> {
    let right_clocks = |world| World { wall_clocks: WallClocks::RIGHT, ..world };
    let only = |limits, world| World { limits, ..world };
    let few_requests = Limits { few_requests: true, ..Limits::default() };
    vec![
        (Flaw::WritesBlindly, worlds::stops(), "S1: an older token replaces a newer one"),
        (
            Flaw::WritesBlindly,
            World { unauthorized: 0.5, ..worlds::everything() },
            "S1: a mark takes the place of something else than its token",
        ),
        (
            Flaw::WritesBlindly,
            worlds::slow_answers(),
            "S1: a token is marked that its host did not refuse",
        ),
        (
            Flaw::WritesBlindly,
            worlds::stops(),
            "S1: a token is erased that is valid, and that its host did not refuse",
        ),
        (
            Flaw::StandsStill,
            worlds::renewals(),
            "S1: a host is given a token that it believes to live too long",
        ),
        (
            Flaw::TakesOld,
            worlds::renewals(),
            "S1: a host asks for a new token, and is given one that was there before",
        ),
        (Flaw::StoresAgain, worlds::renewals(), "S2: a host publishes a token that it refused"),
        (Flaw::StoresAgain, worlds::renewals(), "S2: a token is stored again over its own mark"),
        (Flaw::ForgetsRefused, worlds::renewals(), "S2: a host is given a token that it refused"),
        (
            Flaw::LosesMarks,
            worlds::renewals(),
            "S2: a host is given a token that was taken out since it was refused",
        ),
        (
            Flaw::SealsGarbage,
            worlds::strangers(),
            "S3: a call brings no token although the API is well",
        ),
        (
            Flaw::NeverTakesOver,
            worlds::one_long_lease_and_renewals(),
            "S3: a lease of a stranger costs a host more than one wait",
        ),
        (Flaw::LocksNobodyOut, worlds::cold_start(), "S4: two requests at once"),
        (
            Flaw::ForgetsReplacements,
            worlds::all_refused(),
            "S5: two requests for replacements come too soon after each other",
        ),
        (
            Flaw::ForgetsReplacements,
            worlds::many_refused_and_renewed(),
            "S5: two requests for replacements come too soon after each other",
        ),
        (Flaw::WaitsForAnswers, worlds::renewals(), "L1: a wait does not end in time"),
        (
            Flaw::LocksNobodyOut,
            only(few_requests, worlds::cold_start()),
            "L2: more requests than lost hosts and tokens account for",
        ),
        (
            Flaw::StandsStill,
            right_clocks(worlds::failures()),
            "L3: a back-off lasts longer than its length, or is none of the API's",
        ),
        (Flaw::BlamesTheApi, worlds::failures(), "L3: a host's own trouble is stored for others"),
    ]
}
