//! Answers the lines of `benches/measure.py` for a program that needs the Authorization header.

use std::hint;
use std::io::{self, BufRead};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant, SystemTime};
use std::{env, fs};

use cpu_time::ProcessTime;

/// A way to the header.
pub trait Subject: Send + Sync + 'static {
    /// The header, from memory where the subject keeps it.
    fn authorization(&self) -> Result<String, String>;

    /// Gets another token from the server.
    fn request(&self);

    /// Gets the header so many times in the way of that name.
    fn cached(&self, _way: &str, _calls: usize) {
        unimplemented!("the subject keeps no token")
    }
}

/// A variable of the environment that must be there.
pub fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

/// With the argument `header` gets the header and says so, with `nothing` only says so; otherwise answers lines.
pub fn run<S: Subject>(make: impl FnOnce() -> S) {
    match env::args().nth(1).as_deref() {
        Some("nothing") => println!("ready"),
        Some("header") => {
            make().authorization().unwrap();
            println!("ready");
        }
        _ => answer(&Arc::new(make())),
    }
}

fn answer<S: Subject>(subject: &Arc<S>) {
    for line in io::stdin().lock().lines() {
        let line = line.unwrap();
        let words: Vec<_> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<usize>().unwrap();
        let answer: Vec<u128> = match words[0] {
            "request" => request(&**subject, number(1)),
            "cached" => cached(subject, words[1].to_owned(), number(2), number(3)),
            "stampede" => stampede(subject, number(1)),
            "callers" => callers(subject, number(1), Duration::from_millis(number(2) as u64)),
            other => panic!("{other} is no command"),
        };
        println!("{}", answer.iter().map(u128::to_string).collect::<Vec<_>>().join(" "));
    }
}

/// What so many token requests cost: nanoseconds of the processor on all threads, page faults, nanoseconds.
fn request(subject: &impl Subject, requests: usize) -> Vec<u128> {
    let (faults, processor, clock) = (page_faults(), ProcessTime::now(), Instant::now());
    (0..requests).for_each(|_| subject.request());
    vec![processor.elapsed().as_nanos(), page_faults() - faults, clock.elapsed().as_nanos()]
}

fn page_faults() -> u128 {
    // proc_pid_stat(5): the tenth field; the second, in brackets, may hold spaces.
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(") ").unwrap();
    fields.split(' ').nth(7).unwrap().parse().unwrap()
}

/// The time from the first to the last of so many calls on each of so many threads, side by side.
fn cached<S: Subject>(subject: &Arc<S>, way: String, calls: usize, threads: usize) -> Vec<u128> {
    subject.authorization().unwrap();
    let ready = AtomicUsize::new(0);
    let work = || {
        ready.fetch_add(1, Ordering::SeqCst);
        while ready.load(Ordering::SeqCst) < threads {
            hint::spin_loop();
        }
        let start = Instant::now();
        subject.cached(&way, calls);
        (start, Instant::now())
    };
    let spans: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let start = spans.iter().map(|(start, _)| *start).min().unwrap();
    let end = spans.iter().map(|(_, end)| *end).max().unwrap();
    vec![(end - start).as_nanos()]
}

/// The time until so many threads that begin at once all have the header.
fn stampede<S: Subject>(subject: &Arc<S>, threads: usize) -> Vec<u128> {
    let barrier = Barrier::new(threads + 1);
    let start = thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                barrier.wait();
                subject.authorization().unwrap();
            });
        }
        barrier.wait();
        Instant::now()
    });
    vec![start.elapsed().as_nanos()]
}

/// So many threads get the header again and again for so long: the longest wait in nanoseconds, waits of more than a
/// millisecond, failed calls, tokens that were dead.
fn callers<S: Subject>(subject: &Arc<S>, threads: usize, time: Duration) -> Vec<u128> {
    subject.authorization().unwrap();
    let end = Instant::now() + time;
    let caller = || {
        let mut seen = [0; 4];
        while Instant::now() < end {
            let start = Instant::now();
            let answer = subject.authorization();
            let wait = start.elapsed().as_nanos();
            seen[0] = seen[0].max(wait);
            seen[1] += u128::from(wait > 1_000_000);
            match answer {
                Ok(header) => seen[3] += u128::from(is_dead(&header)),
                Err(_) => seen[2] += 1,
            }
            thread::sleep(Duration::from_millis(5));
        }
        seen
    };
    let all: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(caller)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let sum = |at: usize| all.iter().map(|seen| seen[at]).sum();
    vec![all.iter().map(|seen| seen[0]).max().unwrap(), sum(1), sum(2), sum(3)]
}

/// Whether the token is past the moment that the server wrote at its end, in milliseconds of Unix time.
fn is_dead(header: &str) -> bool {
    let moment: u128 = header[header.len() - 13..].parse().unwrap();
    SystemTime::UNIX_EPOCH.elapsed().unwrap().as_millis() > moment
}
