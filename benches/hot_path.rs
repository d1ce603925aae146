//! What a fresh token costs, beside what it must cost: two reads of a coarse clock and a copy of the
//! header. All figures come from one run, each from the quietest of many
//! short rounds; `make bench` prints them.

use std::hint::{self, black_box};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, Options, TokenProvider};
use rustix::time::{ClockId, clock_gettime};

const CALLS: u32 = 100_000;
const ROUNDS: usize = 200;

fn main() {
    let sandbox = Sandbox::start().unwrap();
    let credentials = Credentials::new(sandbox.client_id(), sandbox.client_secret()).unwrap();
    let options = Options::default().auth_url(sandbox.auth_url());
    let provider = TokenProvider::builder(credentials).options(options).build().unwrap();
    let token = provider.token().unwrap();
    let header = token.authorization();

    let floor = || {
        let mut buffer = [0; 4096];
        move || {
            black_box(clock_gettime(ClockId::MonotonicCoarse));
            black_box(clock_gettime(ClockId::RealtimeCoarse));
            buffer[..header.len()].copy_from_slice(black_box(header).as_bytes());
            black_box(&buffer);
        }
    };
    let copied = || {
        let mut buffer = [0; 4096];
        let provider = &provider;
        move || {
            let copy = |header: &str| buffer[..header.len()].copy_from_slice(header.as_bytes());
            provider.with_authorization(copy).unwrap();
            black_box(&buffer);
        }
    };
    let shared = || || drop(black_box(provider.token().unwrap()));

    println!("a header of {} bytes, best of {ROUNDS} rounds of {CALLS} calls", header.len());
    let [floor_1, copied_1, shared_1] =
        compare([&|| time(1, floor), &|| time(1, copied), &|| time(1, shared)]);
    println!("clock and copy      {floor_1:7.1} ns");
    println!("with_authorization  {copied_1:7.1} ns, {:.2} times as long", copied_1 / floor_1);
    println!("token               {shared_1:7.1} ns, {:.2} times as long", shared_1 / floor_1);
    let [floor_2, copied_2, shared_2] =
        compare([&|| time(2, floor), &|| time(2, copied), &|| time(2, shared)]);
    println!("on 2 threads, the throughput of one is multiplied by");
    println!("clock and copy      {:7.2}", 2.0 * floor_1 / floor_2);
    println!("with_authorization  {:7.2}", 2.0 * copied_1 / copied_2);
    println!(
        "token               {:7.2}, since it counts who holds the token",
        2.0 * shared_1 / shared_2
    );
}

/// Nanoseconds for each call, measured in turns.
fn compare<const N: usize>(subjects: [&dyn Fn() -> Duration; N]) -> [f64; N] {
    let mut best = [Duration::MAX; N];
    for _ in 0..ROUNDS {
        for (subject, best) in subjects.iter().zip(&mut best) {
            *best = subject().min(*best);
        }
    }
    best.map(|time| time.as_secs_f64() * 1e9 / f64::from(CALLS))
}

/// The time from the first to the last of `CALLS` calls on each of so many threads, side by side.
fn time<F: FnMut()>(threads: usize, make: impl Fn() -> F + Sync) -> Duration {
    let ready = AtomicUsize::new(0);
    let work = || {
        let mut call = make();
        ready.fetch_add(1, Ordering::SeqCst);
        while ready.load(Ordering::SeqCst) < threads {
            hint::spin_loop();
        }
        let start = Instant::now();
        for _ in 0..CALLS {
            call();
        }
        (start, Instant::now())
    };
    let spans: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let start = spans.iter().map(|(start, _)| *start).min();
    let end = spans.iter().map(|(_, end)| *end).max();
    end.zip(start).map_or(Duration::ZERO, |(end, start)| end - start)
}
