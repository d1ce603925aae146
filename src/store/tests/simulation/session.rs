//! Sends commands to the simulated store as `redis/session.rs` does: some come late, or not, or their answers.

use std::sync::Arc;
use std::time::Duration;

use super::flaws::Flaw;
use super::schedule::Simulation;
use super::seals::is_mark;
use super::store::{Answer, Command};
use crate::store::StoreError;
use crate::store::session::{Backend, Holder, Item, Session, Turn, View};

/// As in `redis/budget.rs`.
const LONGEST_COMMAND: Duration = Duration::from_secs(1);
const LONGEST_SESSION: Duration = Duration::from_secs(2);
/// Without faults, each way takes no longer.
const PROMPT: Duration = Duration::from_millis(3);
/// How long an answer takes that is waited for without a limit.
const FOR_EVER: Duration = Duration::from_secs(60);
/// A command that was given up may still come so late.
const LATEST: Duration = Duration::from_secs(30);

pub(super) struct SimulatedStore {
    pub(super) simulation: Arc<Simulation>,
    pub(super) host: usize,
}

pub(super) struct SimulatedSession<'a> {
    store: &'a SimulatedStore,
    owner: Vec<u8>,
    /// What is left of the time for all commands.
    left: Duration,
    is_second: bool,
    is_broken: bool,
    /// Whether the lease may be ours.
    may_hold: bool,
    /// When commands come that were given up.
    late: Vec<Duration>,
}

/// Why there is no answer.
enum Failure {
    BrokenOff,
    /// The server answers with an error, and nothing was done.
    Rejected,
}

/// What becomes of a command.
struct Course {
    /// `None` if it never comes.
    there: Option<Duration>,
    /// When the host has its answer, or knows that there will be none.
    back: Duration,
    failure: Option<Failure>,
}

impl SimulatedStore {
    fn failed<T>(&self) -> Result<T, StoreError> {
        Err(self.error("", "fails"))
    }
}

impl Backend for SimulatedStore {
    fn open(&self) -> Result<Box<dyn Session + '_>, StoreError> {
        let number = self.simulation.state().numbers.next();
        let mut session = SimulatedSession {
            store: self,
            owner: format!("host {} {number:x}", self.host).into_bytes(),
            left: LONGEST_SESSION,
            is_second: false,
            is_broken: false,
            may_hold: false,
            late: Vec::new(),
        };
        if !session.connect() {
            return self.failed();
        }
        if self.simulation.has(Flaw::StoresAgain) {
            session.store_again();
        }
        Ok(Box::new(session))
    }

    fn location(&self, _name: &str) -> String {
        "the simulated store".to_owned()
    }
}

impl SimulatedSession<'_> {
    fn connect(&mut self) -> bool {
        let Simulation { world, .. } = &*self.store.simulation;
        let mut state = self.store.simulation.state();
        let is_away = state.is_store_away(self.store.host) || state.happens(world.faults.away);
        let now = state.now;
        state.load.connections.add(now);
        let limit = LONGEST_COMMAND.min(self.left);
        let length = if is_away {
            state.up_to(limit)
        } else {
            let comes = now + state.up_to(PROMPT);
            state.store.done(comes, world.store_speed.connection) - now
        };
        drop(state);
        self.pass(length.min(limit));
        !is_away && length < limit
    }

    fn pass(&mut self, length: Duration) {
        self.store.simulation.pass(self.store.host, length);
        self.left = self.left.saturating_sub(length);
    }

    /// Draws what becomes of a command.
    fn course(&self) -> Course {
        let Simulation { world, .. } = &*self.store.simulation;
        let faults = &world.faults;
        let mut state = self.store.simulation.state();
        let limit = LONGEST_COMMAND.min(self.left);
        let now = state.now;
        let comes = now + state.up_to(PROMPT);
        let there = state.store.done(comes, world.store_speed.command) - now;
        let back = there + Duration::from_millis(1) + state.up_to(PROMPT);
        let given_up = if state.happens(0.5) { limit } else { back.min(limit) };
        let broken = |there| Course { there, back: given_up, failure: Some(Failure::BrokenOff) };
        if state.is_store_away(self.store.host) || state.happens(faults.lost) {
            return broken(None);
        }
        if state.happens(faults.answer_lost) {
            return broken(Some(there));
        }
        if state.happens(faults.late) {
            return broken(Some(given_up + state.up_to(LATEST)));
        }
        if state.happens(faults.rejected) {
            return Course { there: None, back, failure: Some(Failure::Rejected) };
        }
        let back =
            if state.happens(faults.slow) { back + state.up_to(LONGEST_COMMAND) } else { back };
        if self.store.simulation.has(Flaw::WaitsForAnswers) {
            return Course { there: Some(there), back: FOR_EVER, failure: None };
        }
        let failure = (back >= limit).then_some(Failure::BrokenOff);
        Course { there: Some(there), back: back.min(limit), failure }
    }

    fn store_again(&mut self) {
        let mut state = self.store.simulation.state();
        let Some(new) = state.hosts[self.store.host].last_token.take() else { return };
        let (item, life) = (Item::Token, Duration::from_secs(60));
        let old = state.store.token();
        state.send(self.store.host, Duration::ZERO, Command::Replace { item, old, new, life });
    }

    fn ask_once(&mut self, command: Command) -> Result<Answer, Failure> {
        let Course { there, back, failure } = self.course();
        let host = self.store.host;
        let simulation = &self.store.simulation;
        let mut state = simulation.state();
        let number = there.map(|there| state.send(host, there, command.clone()));
        let sent = state.now;
        drop(state);
        self.pass(back);
        match failure {
            Some(failure) => {
                self.late.extend(there.map(|there| sent + there));
                Err(failure)
            }
            None => {
                let mut state = simulation.state();
                let answer = number.and_then(|number| state.answers.remove(&number));
                Ok(answer.expect("the store has answered"))
            }
        }
    }

    /// The answer, and whether the command was sent twice.
    fn ask(&mut self, command: Command) -> Result<(Answer, bool), StoreError> {
        if self.is_broken {
            return self.store.failed();
        }
        let answer = match self.ask_once(command.clone()) {
            Err(Failure::BrokenOff) if !self.is_second => {
                self.is_second = true;
                match self.connect() {
                    true => self.ask_once(command).map(|answer| (answer, true)),
                    false => Err(Failure::BrokenOff),
                }
            }
            answer => answer.map(|answer| (answer, false)),
        };
        answer.or_else(|failure| {
            self.is_broken = self.is_broken || matches!(failure, Failure::BrokenOff);
            self.store.failed()
        })
    }
}

impl Session for SimulatedSession<'_> {
    fn look(&mut self, _name: &str) -> Result<View, StoreError> {
        let (Answer::View(view, at), _) = self.ask(Command::Look)? else { unreachable!() };
        let mut state = self.store.simulation.state();
        let now = state.now;
        let host = &mut state.hosts[self.store.host];
        (host.late_by, host.looked) = (Some(now - at), at);
        Ok(view)
    }

    fn try_lock(&mut self, _name: &str, from: Option<&Holder>) -> Result<Turn, StoreError> {
        let from = from.filter(|_| !self.store.simulation.has(Flaw::NeverTakesOver));
        let from = from.map(|holder| holder.0.clone()).unwrap_or_default();
        self.may_hold = true;
        let answer = self.ask(Command::Lock { owner: self.owner.clone(), from });
        let is_not_ours = !matches!(answer, Ok((Answer::Ours, _)));
        if is_not_ours && !self.is_broken && self.late.is_empty() {
            self.may_hold = false;
        }
        match answer? {
            (Answer::Ours, _) => Ok(Turn::Ours),
            (Answer::Theirs(holder), _) => {
                // The wait for that one has a limit of its own.
                self.left = LONGEST_SESSION;
                Ok(Turn::Theirs(Holder(holder)))
            }
            _ => unreachable!(),
        }
    }

    fn replace(
        &mut self,
        _name: &str,
        item: Item,
        old: Option<&[u8]>,
        new: Option<&[u8]>,
        life: Duration,
    ) -> Result<bool, StoreError> {
        let [old, new] = [old, new].map(|blob| blob.unwrap_or_default().to_vec());
        let simulation = &self.store.simulation;
        if simulation.has(Flaw::LosesMarks) && is_mark(item, &new) {
            return Ok(true);
        }
        if simulation.has(Flaw::StoresAgain) && item == Item::Token && !is_mark(item, &new) {
            simulation.state().hosts[self.store.host].last_token = Some(new.clone());
        }
        simulation.state().note_date(self.store.host, &new);
        let (answer, is_repeated) = self.ask(Command::Replace { item, old, new, life })?;
        Ok(match answer {
            Answer::Replaced => true,
            Answer::Same => is_repeated,
            _ => false,
        })
    }
}

impl Drop for SimulatedSession<'_> {
    /// A host that is gone does nothing any more.
    fn drop(&mut self) {
        if std::thread::panicking() || !self.may_hold {
            return;
        }
        let release = Command::Release { owner: self.owner.clone() };
        let mut state = self.store.simulation.state();
        for at in std::mem::take(&mut self.late) {
            let after = at.saturating_sub(state.now) + Duration::from_millis(1);
            if !state.is_store_away(self.store.host) {
                state.send(self.store.host, after, release.clone());
            }
        }
        drop(state);
        if let Err(Failure::BrokenOff) = self.ask_once(release.clone())
            && self.connect()
        {
            let _ = self.ask_once(release);
        }
    }
}
