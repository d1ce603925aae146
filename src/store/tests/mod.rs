//! Tests the shared store as a whole.

mod simulation;
