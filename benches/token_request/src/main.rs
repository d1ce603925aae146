//! What one token request costs a process, beside what it costs in a plain ureq snippet: the time of the
//! processor on all threads, page faults, and the time on the clock.
//!
//! Each subject is a process of its own, and so is the server, whose cost is not counted. They take
//! turns, a few requests at a time, so that what slows the machine slows all; `make bench` prints the
//! medians.
//!
//! usage: token_request C-PROGRAM PYTHON PYTHON-PROGRAM

mod certificates;
mod driver;
mod server;
mod subjects;

use std::env;

fn main() {
    let arguments: Vec<_> = env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["server"] => server::serve(),
        ["snippet"] => subjects::measure(subjects::snippet()),
        ["rust"] => subjects::measure(subjects::provider()),
        [c, python, program] => driver::compare(c, [python, program]),
        _ => panic!("usage: token_request C-PROGRAM PYTHON PYTHON-PROGRAM"),
    }
}
