//! Makes the commands: whatever is done to a key is one script, so that who may not run scripts changes
//! nothing before that is known.
//!
//! A script answers with a number, with bytes, or with a command and what Redis said against it.

use std::time::Duration;

use super::command::Command;
use crate::store::seal;
use crate::unix_time::milliseconds;

/// All that a user of Redis must be allowed to do.
pub(super) const COMMANDS: [&str; 5] = ["EVAL", "TIME", "GETRANGE", "PTTL", "SET"];

/// No longer value opens, so no more of it is read than shows that it is longer.
const LAST_BYTE: u64 = seal::LONGEST as u64;
/// Redis adds a life to its clock, which must not overflow.
const LONGEST_LIFE: u64 = 10 * 365 * 24 * 3600 * 1000;

macro_rules! script {
    ($file:literal) => {
        concat!(include_str!("read.lua"), include_str!($file))
    };
}

/// When it is there, and what these items hold.
pub(super) fn look(items: &[&str]) -> Vec<u8> {
    eval(script!("look.lua"), items).number(LAST_BYTE).packed()
}

/// Takes a lease that is free or has this holder, or says whose it is.
pub(super) fn lock(lease: &str, owner: &[u8], life: Duration, from: &[u8]) -> Vec<u8> {
    eval(script!("lock.lua"), &[lease]).arg(owner).number(in_bounds(life)).arg(from).packed()
}

/// Ends a lease, but no other owner's.
pub(super) fn release(lease: &str, owner: &[u8]) -> Vec<u8> {
    eval(script!("release.lua"), &[lease]).arg(owner).packed()
}

/// Replaces an item if it holds `old`: 1 if it did, 2 if it holds `new` already, else 0. Nothing is ''.
pub(super) fn replace(item: &str, old: &[u8], new: &[u8], life: Duration) -> Vec<u8> {
    let command = eval(script!("replace.lua"), &[item]).number(LAST_BYTE);
    command.arg(old).arg(new).number(in_bounds(life)).packed()
}

fn eval(script: &str, keys: &[&str]) -> Command {
    let command = Command::new("EVAL").arg(script).number(keys.len() as u64);
    keys.iter().fold(command, Command::arg)
}

/// In milliseconds.
fn in_bounds(life: Duration) -> u64 {
    milliseconds(life).clamp(1, LONGEST_LIFE)
}
