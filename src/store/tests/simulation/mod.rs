//! Runs the shared store on several hosts in simulated time, over a store that may fail and that strangers use.
//!
//! The code of [`SharedStore`](crate::store::SharedStore), of `access.rs`, `publish.rs`, and of the records and
//! seals is the real one. Simulated are what is below it (`store.rs`, `session.rs`), beside it (`api.rs`,
//! `clocks.rs`) and above it (`host.rs`, in place of the provider). Each host is a thread, and `schedule.rs` lets
//! one of them run at a time: until it sends a command, pauses, or waits for the API. There it may also die, or
//! stop and go on later. A run is given by its world (`worlds.rs`) and a seed, and is the same each time.
//!
//! For thousands of hosts (`provider/tests/fleet`) the real provider is above it. `fleet_world.rs` is their world,
//! `tasks.rs` and `threads.rs` give a thread to those that do something, `conditions.rs` says how the API and the
//! ways to the store are, and `load.rs` counts what both are asked.
//!
//! `checks.rs` says what must hold: the properties of `tests/model/src/store`, by the same names. That model
//! goes through all states of the same protocol in few words; here it is the code, in more detail and at random.
//! `flaws.rs` lists for each check what makes it fail. The clock of the store does not step, a provider does one
//! thing at a time, and the file store is left out.

mod api;
mod checks;
mod clocks;
mod conditions;
mod flaws;
mod fleet_world;
mod host;
mod load;
mod parts;
mod runs;
mod schedule;
mod seals;
mod session;
mod store;
mod tasks;
mod tests;
mod threads;
mod turns;
mod worlds;

pub(crate) use self::conditions::{ApiState, Change};
pub(crate) use self::fleet_world::fleet;
pub(crate) use self::load::{Counts, Load};
pub(crate) use self::parts::Parts;
pub(crate) use self::schedule::{Simulation, State};
pub(crate) use self::tasks::Process;
pub(crate) use self::worlds::Speed;
