//! Tests the shared store as a whole.

mod one_host;
pub(crate) mod simulation;
mod upkeep;
