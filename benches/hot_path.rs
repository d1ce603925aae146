//! What a fresh token costs, beside what it must cost: two reads of a coarse clock and a copy of the
//! header. All figures come from one run, as medians; `make bench` prints them.

use std::hint::black_box;
use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use clazar_auth::sandbox::Sandbox;
use clazar_auth::{Credentials, Options, TokenProvider};
use rustix::time::{ClockId, clock_gettime};

const CALLS: u32 = 200_000;
const ROUNDS: usize = 25;

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

    println!("a header of {} bytes, medians of {ROUNDS} rounds of {CALLS} calls", header.len());
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

/// Medians of nanoseconds for each call, measured in turns.
fn compare<const N: usize>(subjects: [&dyn Fn() -> Duration; N]) -> [f64; N] {
    let mut times = [(); N].map(|()| Vec::with_capacity(ROUNDS));
    for _ in 0..ROUNDS {
        for (subject, times) in subjects.iter().zip(&mut times) {
            times.push(subject().as_secs_f64() * 1e9 / f64::from(CALLS));
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[ROUNDS / 2]
    })
}

/// The time of `CALLS` calls on each of so many threads, side by side.
fn time<F: FnMut()>(threads: usize, make: impl Fn() -> F + Sync) -> Duration {
    let barrier = Barrier::new(threads);
    let work = || {
        let mut call = make();
        barrier.wait();
        let start = Instant::now();
        for _ in 0..CALLS {
            call();
        }
        start.elapsed()
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).max().unwrap_or_default()
    })
}
