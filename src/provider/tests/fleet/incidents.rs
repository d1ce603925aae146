//! Lists what goes wrong in a month, and when.

use std::slice::from_ref;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{day, hours, minutes};
use crate::store::tests::simulation::{ApiState, Change, Simulation, State};
use crate::sync::lock;

/// How long before the end of a token the first of all hosts renew it.
const RENEWAL: Duration = hours(1);
/// So long before the renewals, or before a deploy, something goes wrong.
const EARLY: Duration = minutes(5);

/// Something that is wrong for a while.
#[derive(Clone)]
pub(super) struct Incident {
    name: &'static str,
    pub(super) from: Duration,
    pub(super) length: Duration,
    /// What begins, and what ends it.
    what: Vec<[Change; 2]>,
    /// Whether it is as all renew their token, on the day of `from`.
    is_at_renewal: bool,
}

/// Those whose times are known by now.
pub(super) type Known = Arc<Mutex<Vec<Incident>>>;

impl Incident {
    fn new(name: &'static str, from: Duration, length: Duration, what: &[[Change; 2]]) -> Self {
        Self { name, from, length, what: what.to_vec(), is_at_renewal: false }
    }

    /// The same on that day, from just before all begin to renew.
    fn at_renewal(name: &'static str, number: u64, length: Duration, what: &[[Change; 2]]) -> Self {
        Self { is_at_renewal: true, ..Self::new(name, day(number), length, what) }
    }

    pub(super) fn title(&self) -> String {
        let name = self.name;
        match self.length.as_secs() {
            0 => name.to_owned(),
            seconds if seconds < 60 => format!("{name} ({seconds} s)"),
            seconds => format!("{name} ({} min)", seconds / 60),
        }
    }

    /// Plans it. When all renew is known on the day before.
    pub(super) fn plan(self, simulation: &Arc<Simulation>, state: &mut State, known: &Known) {
        let (simulation, known) = (simulation.clone(), known.clone());
        let at = if self.is_at_renewal { self.from - hours(1) } else { Duration::ZERO };
        state.plan_for_host(at, 0, move || {
            let mut state = simulation.state();
            let from = match self.is_at_renewal {
                true => state.token_expires() - RENEWAL - EARLY,
                false => self.from,
            };
            let incident = Self { from: from.max(state.now), ..self };
            for [begins, ends] in &incident.what {
                state.plan_change(incident.from, begins.clone());
                state.plan_change(incident.from + incident.length, ends.clone());
            }
            lock(&known).push(incident);
        });
    }
}

pub(super) const fn deploy(number: u64) -> Duration {
    day(number).saturating_add(hours(10))
}

pub(super) fn all() -> Vec<Incident> {
    let redis = [Change::Store { is_away: true }, Change::Store { is_away: false }];
    let api = |how| [Change::Api(how), Change::Api(ApiState::Well)];
    let (fails, silent) = (api(ApiState::Fails), api(ApiState::IsSilent));
    let forgets = [Change::StoreForgets, Change::StoreForgets];
    let before = |number| deploy(number) - EARLY;
    let half_a_minute = Duration::from_secs(30);
    let all_expired = "the API fails until all tokens have expired";
    let both = [redis.clone(), fails.clone()];
    vec![
        Incident::new("Redis fails over", day(3) + hours(9), half_a_minute, from_ref(&redis)),
        Incident::new("Redis loses its data", day(4) + hours(3), Duration::ZERO, &[forgets]),
        Incident::at_renewal("Redis is away as all renew", 6, minutes(45), from_ref(&redis)),
        Incident::new("Redis is away in a deploy", before(10), minutes(15), &[redis]),
        Incident::new("the API fails in a deploy", before(15), minutes(30), from_ref(&fails)),
        Incident::new("Redis and the API are away in a deploy", before(17), minutes(15), &both),
        Incident::at_renewal(all_expired, 26, minutes(67), &[fails]),
        Incident::at_renewal("the API is silent as all renew", 28, minutes(9), &[silent]),
    ]
}
