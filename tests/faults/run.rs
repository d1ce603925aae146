//! Goes through all cells, with several programs of each language at a time.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::geteuid;
use test_support::faulty::{Certificates, FaultyServer};
use test_support::redis::Redis;

use crate::cell::{State, World, check};
use crate::driver::{Driver, Language, Programs};
use crate::stalls::Stalls;
use crate::table::{Fault, Rule, Table};

/// Of each language. They wait for most of the time.
const PROGRAMS: usize = 6;
const LANGUAGES: [Language; 3] = [Language::Rust, Language::C, Language::Python];
const STATES: [State; 3] = [State::NoToken, State::Fresh, State::Expiring];
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
    let leaks = Mutex::default();
    let world = World { table, certificates, redis, elsewhere, folder, now, leaks };
    let cells = cells(&world.table, word);
    assert!(!cells.is_empty(), "no fault has {word} in its name or its rule");
    let failures = Mutex::new(Vec::new());
    let run = Run { programs: &programs, world: &world, cells: &cells, failures: &failures };
    run.in_all_languages();

    let failures = [world.leaks.into_inner().unwrap(), failures.into_inner().unwrap()].concat();
    for failure in &failures {
        eprintln!("{failure}");
    }
    let (all, failed) = (cells.len() * LANGUAGES.len(), failures.len());
    println!("{all} cells of faults, {failed} not as the table has it, {:?}", start.elapsed());
    failures.is_empty()
}

#[derive(Clone, Copy)]
struct Run<'a> {
    programs: &'a Programs,
    world: &'a World,
    cells: &'a [(&'a Rule, &'a Fault, State)],
    failures: &'a Mutex<Vec<String>>,
}

impl Run<'_> {
    fn in_all_languages(self) {
        let (stalls, running) = (Stalls::watch(), Running::default());
        end_what_hangs(running.clone());
        thread::scope(|scope| {
            for language in LANGUAGES {
                let next = Arc::new(AtomicUsize::new(0));
                for number in 0..PROGRAMS {
                    let (next, stalls, running) = (next.clone(), &stalls, running.clone());
                    let work = move || {
                        self.work(language, &next, stalls, |cell| {
                            running.lock().unwrap().insert((language, number), cell);
                        })
                    };
                    scope.spawn(work);
                }
            }
        });
    }

    /// Checks the next cells with a program of its own until there are none left. `tell` is told which one.
    fn work(self, language: Language, next: &AtomicUsize, stalls: &Stalls, tell: impl Fn(String)) {
        let mut driver = Driver::start(self.programs, language);
        while let Some(&(rule, fault, state)) = self.cells.get(next.fetch_add(1, Ordering::Relaxed))
        {
            let name = format!("{} / {state:?} / {language:?}", fault.name);
            tell(name.clone());
            let check = || check(self.world, &mut driver, rule, fault, state);
            if let Err(why) = without_a_stall(stalls, check) {
                self.failures.lock().unwrap().push(format!("{name}: {why}"));
            }
        }
    }
}

/// The cells that programs check now, or have checked last.
type Running = Arc<Mutex<BTreeMap<(Language, usize), String>>>;

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
            if fault.needs_root && !geteuid().is_root() {
                println!("{} is left out: it needs root", fault.name);
            } else {
                cells.extend(STATES.map(|state| (rule, fault, state)));
            }
        }
    }
    cells.sort_by_key(|(rule, fault, _)| {
        let outcome = table.outcome(rule, fault);
        (!outcome.is_slow(), std::cmp::Reverse(outcome.connections))
    });
    cells
}

/// Says after a long time what is still running, and ends all.
fn end_what_hangs(running: Running) {
    thread::spawn(move || {
        thread::sleep(LONGEST);
        eprintln!("these hang: {:#?}", running.lock().unwrap());
        std::process::exit(1);
    });
}
