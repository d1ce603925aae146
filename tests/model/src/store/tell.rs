//! Puts a step into words.

use super::protocol::{Answer, Wire};
use super::steps::{START, Step};
use super::world::{Blob, Phase, Publication, World};

pub(super) fn step(world: &World, step: Step, names: &[usize]) -> String {
    let name = |place: usize| char::from(b'A' + names[place] as u8);
    let what = match step {
        Step::Tick => "a tick passes".into(),
        Step::Ask(place) => format!("{} is asked for a token", name(place)),
        Step::Unauthorized(place) => {
            let number = world.hosts[place].token.map(|token| token.number);
            format!("the API refuses token {} of {}", number.unwrap_or_default(), name(place))
        }
        Step::Command(place, wire) => {
            let phase = world.hosts[place].access.map(|access| access.phase);
            let what = phase.map_or("nothing", command);
            format!("{} {what}{}", name(place), lost(wire))
        }
        Step::Send(place) => {
            format!("{} sends request {}", name(place), world.seen.requests + 1)
        }
        Step::Answer(place, answer) => format!("{} {}", name(place), answered(answer)),
        Step::Publish(place, wire) => {
            let what = world.hosts[place].rest.map(|rest| publication(rest.what));
            format!("{} {}{}", name(place), what.unwrap_or_default(), lost(wire))
        }
        Step::Crash(place) => format!("{} dies", name(place)),
        Step::Stop(place) => format!("{} stops", name(place)),
        Step::GoOn(place) => format!("{} goes on", name(place)),
        Step::Down => "the store is out of reach".into(),
        Step::Up => "the store is there again".into(),
        Step::Lag => "a replica stops to follow".into(),
        Step::Failover => "the replica takes the place of the store".into(),
        Step::Stranger(act) => format!("a stranger: {act:?}"),
    };
    let stored = match world.store.token {
        None => "no token".into(),
        Some(Blob::Garbage) => "garbage".into(),
        Some(Blob::Mark(token)) => format!("the mark of token {}", token.number),
        Some(Blob::Sealed(token)) => format!("token {}", token.number),
    };
    format!("{:>2} [{stored}] {what}", world.now - START)
}

fn command(phase: Phase) -> &'static str {
    match phase {
        Phase::Look => "looks",
        Phase::Mark { .. } => "marks the token that it saw as refused",
        Phase::Lock => "tries to get the lease",
        Phase::LookAgain => "looks once more",
        Phase::Wait | Phase::Send(_) | Phase::Flight { .. } => "does nothing",
    }
}

fn answered(answer: Answer) -> &'static str {
    match answer {
        Answer::Token => "gets a token and hands it out",
        Answer::Failure => "is told by the server to come later",
        Answer::OwnTrouble => "has trouble of its own with its request",
    }
}

fn publication(what: Publication) -> String {
    match what {
        Publication::Token { token, .. } => format!("publishes token {}", token.number),
        Publication::LookFor { .. } => "looks what is there instead".into(),
        Publication::Backoff => "publishes the back-off".into(),
        Publication::Nothing => "releases the lease".into(),
    }
}

fn lost(wire: Wire) -> &'static str {
    match wire {
        Wire::Works => "",
        Wire::LosesAnswer => ", but the answer is lost",
        Wire::LosesCommand => ", but the command is lost",
    }
}
