//! Goes through all cells, with several programs of each language at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use test_support::faulty::{Certificates, FaultyServer};
use test_support::redis::Redis;

use crate::cell::{State, World, check};
use crate::driver::{Driver, Language, Programs};
use crate::stalls::Stalls;
use crate::table::{Fault, Rule, Table};

/// Of each language. They wait for most of the time.
const PROGRAMS: usize = 6;
const LANGUAGES: [Language; 3] = [Language::Rust, Language::C, Language::Python];
const STATES: [State; 3] = [State::NoToken, State::Live, State::LastPart];
const MOST_TRIES: usize = 10;
/// Ten times as long as it takes.
const LONGEST: Duration = Duration::from_secs(600);

/// Checks the faults with `word` in their name or their rule. Tells whether all are as the table has it.
pub fn run(word: &str) -> bool {
    let start = Instant::now();
    let programs = Programs::compile();
    let mut elsewhere = FaultyServer::new();
    let certificates = Arc::new(Certificates::new());
    elsewhere.take(Vec::new(), &certificates);
    let (table, redis) = (Table::read(), Redis::start(&[]));
    let (folder, now) = (programs.folder.clone(), programs.now);
    let world = World { table, certificates, redis, elsewhere, folder, now };

    let cells = cells(&world.table, word);
    let (failures, stalls) = (Mutex::new(Vec::new()), Stalls::watch());
    let running = Arc::new(Mutex::new(vec![String::new(); LANGUAGES.len() * PROGRAMS]));
    end_what_hangs(running.clone());
    thread::scope(|scope| {
        for (at, language) in LANGUAGES.iter().enumerate() {
            let next = Arc::new(AtomicUsize::new(0));
            for number in 0..PROGRAMS {
                let (next, world, cells, programs) = (next.clone(), &world, &cells, &programs);
                let (failures, running, stalls) = (&failures, &running, &stalls);
                let place = at * PROGRAMS + number;
                scope.spawn(move || {
                    let mut driver = Driver::start(programs, *language);
                    while let Some(&(rule, fault, state)) =
                        cells.get(next.fetch_add(1, Ordering::Relaxed))
                    {
                        let name = format!("{} / {state:?} / {language:?}", fault.name);
                        running.lock().unwrap()[place].clone_from(&name);
                        let check = || check(world, &mut driver, rule, fault, state);
                        if let Err(why) = without_a_stall(stalls, check) {
                            failures.lock().unwrap().push(format!("{name}: {why}"));
                        }
                    }
                    running.lock().unwrap()[place].clear();
                });
            }
        }
    });
    let failures = failures.into_inner().unwrap();
    for failure in &failures {
        eprintln!("{failure}");
    }
    let count = cells.len() * LANGUAGES.len();
    println!(
        "{count} cells of faults, {} not as the table has it, {:?}",
        failures.len(),
        start.elapsed()
    );
    assert!(count > 0, "no fault has {word} in its name or its rule");
    failures.is_empty()
}

/// What failed while the machine stood still is tried again.
fn without_a_stall(
    stalls: &Stalls,
    mut check: impl FnMut() -> Result<(), String>,
) -> Result<(), String> {
    let mut outcome = Ok(());
    for _ in 0..MOST_TRIES {
        let before = stalls.so_far();
        outcome = check();
        if outcome.is_ok() || stalls.count() == before {
            break;
        }
    }
    outcome
}

/// Those that take long come first, so that nothing is left to wait for in the end.
fn cells<'a>(table: &'a Table, word: &str) -> Vec<(&'a Rule, &'a Fault, State)> {
    let mut cells = Vec::new();
    for rule in &table.rules {
        let named = |text: &str| text.to_lowercase().contains(&word.to_lowercase());
        for fault in rule.faults.iter().filter(|it| named(&it.name) || named(&rule.title)) {
            cells.extend(STATES.map(|state| (rule, fault, state)));
        }
    }
    cells.sort_by_key(|(rule, fault, _)| {
        let outcome = table.outcome(rule, fault);
        (!outcome.hangs, std::cmp::Reverse(outcome.attempts))
    });
    cells
}

/// Says after a long time what is still running, and ends all.
fn end_what_hangs(running: Arc<Mutex<Vec<String>>>) {
    thread::spawn(move || {
        thread::sleep(LONGEST);
        eprintln!("these hang: {:#?}", running.lock().unwrap());
        std::process::exit(1);
    });
}
