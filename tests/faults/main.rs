//! What each fault leads to, in three states of a provider and in three languages, as faults.toml has it.
//!
//! A word as the argument picks the faults with that in their name or in the title of their rule.

mod ask;
mod cell;
mod driver;
mod file;
#[path = "../../src/interface.rs"]
#[allow(dead_code, unused_imports, unused_macros)]
mod interface;
mod redis;
mod run;
mod script;
mod stalls;
#[allow(dead_code)] // What the page alone shows.
mod table;

use std::process::ExitCode;

fn main() -> ExitCode {
    let is_driver = std::env::var_os(driver::MEMORY).is_some();
    let passed =
        if is_driver { ask::run() } else { run::run(&std::env::args().nth(1).unwrap_or_default()) };
    if passed { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
