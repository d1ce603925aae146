//! Makes what a provider is made of, for a host of a simulation.

use std::sync::Arc;

use super::api::Api;
use super::clocks::Clocks;
use super::schedule::Simulation;
use super::seals::{CLIENT, SECRET, URL};
use super::session::SimulatedStore;
use crate::credentials::Credentials;
use crate::store::{Sealer, SharedStore};
use crate::sys::clock::Clock;

pub(crate) struct Parts {
    pub(crate) clock: Clock,
    pub(crate) sealer: Arc<Sealer>,
    pub(crate) store: SharedStore,
    pub(crate) credentials: Credentials,
}

impl Parts {
    pub(crate) fn new(simulation: &Arc<Simulation>, host: usize) -> Self {
        let clock = Clock::Simulated(Arc::new(Clocks { simulation: simulation.clone(), host }));
        let sealer = Arc::new(Sealer::new(URL, CLIENT, clock.clone()));
        let api = Api { simulation: simulation.clone(), host };
        let backend = SimulatedStore { simulation: simulation.clone(), host };
        let timeout = simulation.world.timeout;
        let store = SharedStore::around(Arc::new(api), timeout, Box::new(backend), sealer.clone());
        let credentials = Credentials::new(CLIENT, SECRET).unwrap();
        Self { clock, sealer, store, credentials }
    }
}
