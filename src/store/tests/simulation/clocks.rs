//! Gives each host clocks of its own.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::schedule::Simulation;
use crate::sys::clock::{Boot, Moment, Simulated};

/// All hosts were up so long when the run began.
const UPTIME: Duration = Duration::from_secs(1000);
/// The right wall clock at that time, since 1970.
pub(super) const WALL: f64 = 1.8e9;

pub(super) struct Clocks {
    pub(super) simulation: Arc<Simulation>,
    pub(super) host: usize,
}

impl Clocks {
    fn now(&self) -> Duration {
        self.simulation.state().now
    }
}

impl Simulated for Clocks {
    fn now(&self) -> Moment {
        let now = self.now();
        let ahead = self.simulation.world.wall_clocks.ahead(self.host, now);
        let (uptime, passed) = ((UPTIME + now).as_secs_f64(), now.as_secs_f64());
        Moment::at(uptime, WALL + passed + ahead)
    }

    fn instant(&self) -> Instant {
        self.simulation.origin + self.now()
    }

    /// Some hosts are processes of one machine.
    fn boot(&self) -> Boot {
        let machine = self.host / self.simulation.world.hosts_on_a_machine;
        Boot { id: format!("boot {machine}"), uptime: UPTIME + self.now() }
    }

    fn pause(&self, length: Duration) {
        self.simulation.pass(self.host, length);
    }
}

impl fmt::Debug for Clocks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the clocks of host {}", self.host)
    }
}
