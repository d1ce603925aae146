//! Explores the protocol by which hosts share a token in a store, in every order of its steps.
//!
//! The rules are written down here once more, in few words: `protocol` is what `src/store/access.rs` and
//! `publish.rs` do over the traits of `src/store/session.rs`, but it is not that code. `explore` goes through
//! all states of a small world, `setups` lists the worlds, and `tests` runs each with all rules and once
//! without each rule, which must break the property that the rule is for. `CLAZAR_MODEL=large` makes the
//! worlds larger.
//!
//! # What is modelled
//!
//! The store has a token, a back-off and a lease, and a clock. A host looks, marks what it refused, tries
//! to get the lease, waits, looks once more, sends its request, hands the token out, publishes it, and
//! releases the lease. Each of these is one step, and the steps of all hosts come in every order. Between
//! any two of them a host may die, or stop and go on later; a command or its answer may be lost, the store
//! may be out of reach, a replica that lags may take its place, and strangers may delete, replay and write
//! garbage and leases. The clocks of hosts may be wrong. The API may refuse a token at any time, and a
//! request may take any time up to the time-out and fail.
//!
//! # What is checked
//!
//! | | always, or where it is said in `setups` |
//! | --- | --- |
//! | S1 | An older token never replaces a newer one by a write of a host, a host marks what it refused only, and no dead token is handed out. *Older* means: requested before the other's host looked for the last time. |
//! | S2 | A host neither uses nor publishes a token that it refused. Once who refused it has looked with its turn, nobody else is given it either, unless an old state of the store came back. |
//! | S3 | Who has no seal costs a host one wait for each write and each call at the most, which ends with a token all the same. |
//! | S4 | There is one request at a time, while nobody dies, stops, or runs out of patience. |
//! | S5 | Requests for replacements of refused tokens are far enough apart, for all hosts together; so is one that finds the mark of another host. |
//! | L1 | A wait for others ends within `2 * timeout + 3`, and no lease is left behind by one lost answer. |
//! | L2 | There are at most two requests for a host that died or stopped, and one if none did. |
//! | L3 | A back-off never lasts longer than its length. |
//!
//! # Where it is coarser than the code
//!
//! - A tick is a second or more: `timeout` is 1 or 2 ticks. A step takes no time, unless its host is
//!   stopped; who waits looks once a tick. An answer that comes late is one whose host is stopped.
//! - What happens in one tick has equal stamps, which in the code are a millisecond wide.
//! - A request of one's own after the longest wait takes its whole time, where the code cuts it so that all
//!   of it ends within `2 * timeout + 3`.
//! - A file has two locks; here who takes over has the only one.
//! - The seal is perfect, names and clients do not matter, and all hosts have the same `timeout`.
//! - The clock of the store never steps, and a replica has the same one.
//! - A failed command is tried once more at once. After a second failure the host goes on without the store,
//!   and publishes nothing that it could not date.
//! - A back-off has one length and is written over another. Back-offs in memory, `refresh()`, tokens in
//!   their last part and the fallback secret are left out.
//! - One call at a time for each host, which does not begin to look before the rest of the last one is
//!   done. The threads of one process are modelled by loom.
//! - Each world has few hosts, calls and faults, and ends at a horizon. The kinds of faults are explored
//!   one or two at a time, and all together in one very small world.

mod explore;
mod faults;
mod properties;
mod protocol;
mod rules;
mod setups;
mod steps;
mod symmetry;
mod tell;
mod tests;
mod world;
