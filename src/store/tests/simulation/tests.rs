//! Runs each world with many seeds.

use std::time::Duration;

use super::flaws;
use super::runs::{Run, run};
use super::worlds::{self, INEXACT_CLOCKS, Requests, WRONG_CLOCKS, WallClocks, World};

/// How many runs there are in place of so many.
fn runs(count: u64) -> u64 {
    let is_large = std::env::var("CLAZAR_MODEL").is_ok_and(|size| size == "large");
    if is_large { 50 * count } else { count }
}

/// Panics with what happened.
fn fail(world: &World, seed: u64, what: &str) -> ! {
    let told = run(world, seed, true).told;
    panic!("{what}: world {:?}, seed {seed}\n{}", world.name, told.join("\n"));
}

fn hold_once(world: &World, seed: u64) -> Run {
    let run = run(world, seed, false);
    match run.broken {
        Some(broken) => fail(world, seed, broken),
        None => run,
    }
}

#[test]
fn the_properties_hold_in_each_world() {
    for world in worlds::all() {
        let runs = runs(100);
        let (mut commands, mut requests, mut ends) = (0, 0, [0; 3]);
        let mut longest_wait = Duration::ZERO;
        for seed in 0..runs {
            let run = hold_once(&world, seed);
            commands += run.commands;
            requests += run.requests;
            longest_wait = longest_wait.max(run.longest_wait);
            ends.iter_mut().zip(run.ends).for_each(|(sum, more)| *sum += more);
        }
        let [found, got, failed] = ends;
        println!(
            "{}: {runs} runs, {commands} commands, {requests} requests; {found} tokens from the store, {got} \
             from the API, {failed} errors; the longest wait {longest_wait:.1?}",
            world.name
        );
        assert!(found > 0 && got > 0, "nothing was tried in the world {:?}", world.name);
    }
}

#[test]
fn each_check_sees_what_it_is_for() {
    for (flaw, world, broken) in flaws::seen() {
        let world = World { flaw: Some(flaw), ..world };
        let is_seen = |seed| run(&world, seed, false).broken == Some(broken);
        assert!(
            (0..500).any(is_seen),
            "{flaw:?} in the world {:?} is not seen: {broken}",
            world.name
        );
    }
}

/// The time of a session begins anew with each answer that it is another's turn.
#[test]
fn long_waits_are_tried_at_a_slow_store() {
    let world = worlds::slow_store();
    let longest = (0..10).map(|seed| hold_once(&world, seed).longest_wait).max();
    assert!(longest > Some(2 * world.timeout), "{longest:?}");
}

/// Runs a world with right clocks and with others: hosts and store do the same at the same times.
fn change_nothing(clocks: WallClocks, world: World) {
    let right = World { wall_clocks: WallClocks::RIGHT, ..world.clone() };
    let wrong = World { wall_clocks: clocks, ..world };
    for seed in 0..runs(10) {
        let [right, is] = [&right, &wrong].map(|world| run(world, seed, true).told);
        if right != is {
            let at = right.iter().zip(&is).take_while(|(right, is)| right == is).count();
            println!("with right clocks: {:?}", right.get(at));
            println!("with wrong clocks: {:?}", is.get(at));
            fail(&wrong, seed, "wrong wall clocks change something");
        }
    }
}

#[test]
fn inexact_wall_clocks_change_nothing() {
    worlds::all().into_iter().for_each(|world| change_nothing(INEXACT_CLOCKS, world));
}

/// But for this: to a host whose clock is wrong by more than a minute, a back-off is none, and neither is a
/// replacement of a refused token.
#[test]
fn wrong_wall_clocks_change_nothing() {
    for world in worlds::all() {
        let requests = Requests { failed: 0.0, ..world.requests };
        change_nothing(WRONG_CLOCKS, World { requests, unauthorized: 0.0, ..world });
    }
}

#[test]
fn a_run_is_the_same_each_time() {
    let [first, second] = [(); 2].map(|()| run(&worlds::everything(), 1, true).told);
    assert_eq!(first, second);
}
