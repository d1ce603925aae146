//! Tests the shared store as a whole.

mod late_answers;
pub(crate) mod simulation;
mod upkeep;
