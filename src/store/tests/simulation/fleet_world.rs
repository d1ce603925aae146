//! Says what the world of a fleet is like.

use std::time::Duration;

use super::clocks::WALL;
use super::worlds::{DAY, Faults, Requests, Speed, StoreClock, WallClocks, World, cold, seconds};

/// Thousands of hosts, whose providers are the real ones.
pub(crate) fn fleet(hosts: usize, store_speed: Speed) -> World {
    World {
        hosts,
        store_speed,
        hosts_on_a_machine: 1,
        lifetime: seconds(86_400),
        faults: Faults {
            lost: 1e-5,
            answer_lost: 1e-5,
            late: 1e-5,
            slow: 1e-4,
            ..Faults::default()
        },
        wall_clocks: CLOCKS_OF_A_FLEET,
        store_clock: StoreClock { name: "unix", epoch: Duration::from_secs(WALL as u64) },
        ..cold("a fleet")
    }
}

impl World {
    /// The API answers no more requests in a minute.
    pub(crate) fn with_limit(self, most_a_minute: u32) -> Self {
        let requests = Requests { most_a_minute: Some(most_a_minute), ..self.requests };
        Self { requests, ..self }
    }

    /// The API takes as long as it ever does.
    pub(crate) fn with_slow_api(self) -> Self {
        let requests = Requests { shortest: self.requests.longest, ..self.requests };
        Self { requests, ..self }
    }
}

/// Most are right within two seconds. Of forty one is behind by five minutes, one ahead by a day, and one set
/// forward by an hour in the middle.
const CLOCKS_OF_A_FLEET: WallClocks =
    WallClocks { ahead: &AHEAD, later: &LATER, step: seconds(15 * 86_400) };
const AHEAD: [f64; 40] = {
    let mut ahead = [0.0; 40];
    let mut host = 0;
    while host < 37 {
        ahead[host] = (host % 9) as f64 * 0.4 - 1.6;
        host += 1;
    }
    (ahead[37], ahead[38], ahead[39]) = (-300.0, DAY, 0.0);
    ahead
};
const LATER: [f64; 40] = {
    let mut later = AHEAD;
    later[39] = 3600.0;
    later
};
