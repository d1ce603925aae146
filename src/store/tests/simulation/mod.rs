//! Runs the shared store on several hosts in simulated time, over a store that may fail and that strangers use.
//!
//! The code of [`SharedStore`](crate::store::SharedStore), of `access.rs`, `publish.rs`, and of the records and
//! seals is the real one. Simulated are what is below it (`store.rs`, `session.rs`), beside it (`api.rs`,
//! `clocks.rs`) and above it (`host.rs`, in place of the provider). Each host is a thread, and `schedule.rs` lets
//! one of them run at a time: until it sends a command, pauses, or waits for the API. There it may also die, or
//! stop and go on later. A run is given by its world (`worlds.rs`) and a seed, and is the same each time.
//!
//! `checks.rs` says what must hold: the properties of `tests/model/src/store`, by the same names. That model
//! goes through all states of the same protocol in few words; here it is the code, in more detail and at random.
//! `flaws.rs` lists for each check what makes it fail. The clock of the store does not step, a provider does one
//! thing at a time, and the file store is left out.

mod api;
mod checks;
mod clocks;
mod flaws;
mod host;
mod runs;
mod schedule;
mod seals;
mod session;
mod store;
mod tests;
mod worlds;
