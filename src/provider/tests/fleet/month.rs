//! Says what a fleet goes through in a month.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::figures::{DAY, Figures, HEAD, thousands};
use super::incidents::{self, Incident, Known, deploy};
use super::programs::{Fleet, Usage};
use super::{REDIS, chart, day, hosts, hours, is_large, minutes, seed};
use crate::store::tests::simulation::{Change, Load, Simulation, State, fleet};
use crate::sync::lock;

const DAYS: u64 = 30;
/// The API answers so many requests of one client in a minute.
const MOST_A_MINUTE: u32 = 600;
/// All programs are started again within this time.
const DEPLOY: Duration = minutes(5);
/// A program ends by itself once in so many days, on average.
const DAYS_TO_A_CRASH: u64 = 10;
/// So many hosts are cut off from Redis together: one in twenty.
const ZONES: usize = 20;
/// Each host asks for its token once a minute, on average.
const CALLS: Duration = minutes(2);
/// What is said of an incident is of the time from its beginning until so long after its end.
const TIME_TO_RECOVER: Duration = minutes(40);

fn run(hosts: usize, seed: u64) -> (Figures, Vec<Incident>) {
    let limit = (MOST_A_MINUTE * hosts as u32).div_ceil(10_000);
    let world = fleet(hosts, REDIS).with_limit(limit);
    let simulation = Arc::new(Simulation::new(world, seed, false));
    let usage = Usage { between_calls: Some(CALLS), until: day(DAYS), step: day(15) };
    let fleet = Fleet::new(simulation.clone(), hosts, usage);
    let mut state = simulation.state();
    plan_restarts(&fleet, &mut state, hosts);
    let known = Known::default();
    for incident in incidents::all() {
        incident.plan(&simulation, &mut state, &known);
    }
    for number in 0..DAYS {
        cut_off_a_zone(&mut state, hosts, day(number));
    }
    drop(state);
    simulation.run_fleet();
    let mut incidents = std::mem::take(&mut *lock(&known));
    incidents.sort_by_key(|incident| incident.from);
    (Figures::of(&fleet), incidents)
}

/// One zone each day, for up to an hour.
fn cut_off_a_zone(state: &mut State, hosts: usize, day: Duration) {
    let zone = state.numbers.next() as usize % ZONES;
    let size = hosts / ZONES;
    let from = day + state.up_to(hours(22));
    let length = minutes(1) + state.up_to(hours(1));
    state.plan_change(from, Change::CutOff(zone * size..(zone + 1) * size));
    state.plan_change(from + length, Change::CutOff(Range::default()));
}

/// The first start, a deploy each working day, and crashes.
fn plan_restarts(fleet: &Arc<Fleet>, state: &mut State, hosts: usize) {
    let deploys = (0..DAYS).filter(|number| number % 7 < 5).map(deploy);
    for at in [Duration::ZERO].into_iter().chain(deploys) {
        for host in 0..hosts {
            let at = at + state.up_to(DEPLOY);
            fleet.restart_at(state, host, at);
        }
    }
    for _ in 0..hosts as u64 * DAYS / DAYS_TO_A_CRASH {
        let host = state.numbers.next() as usize % hosts;
        let at = state.up_to(day(DAYS));
        fleet.restart_at(state, host, at);
    }
}

/// So many requests, and no more, are sent on half of the days.
fn on_half_of_the_days(figures: &Figures) -> u64 {
    let mut days = figures.load.requests.by(DAY);
    days.sort_unstable();
    days[days.len() / 2]
}

fn print(figures: &Figures, incidents: &[Incident]) {
    print_all(figures);
    println!("{HEAD}\n{}", figures.within(&(Duration::ZERO..day(DAYS))).line("the whole month"));
    let quiet = figures.within(&(day(8)..day(9)));
    println!("{}", quiet.line("a day with a deploy, crashes, and a zone cut off"));
    let spans = incidents.iter().map(|incident| {
        let span = incident.from..incident.from + incident.length + TIME_TO_RECOVER;
        (incident.title(), span)
    });
    let spans: Vec<_> =
        spans.enumerate().map(|(at, (title, span))| (at + 1, title, span)).collect();
    for (number, title, span) in &spans {
        println!("{}", figures.within(span).line(&format!("{number}. {title}")));
    }
    let Load { commands, wrong_clocks, .. } = &figures.load;
    for (number, _, span) in &spans {
        let scripts = thousands(commands.within(span).sum());
        let wrong = thousands(wrong_clocks.within(span).sum());
        println!("({number}) {scripts} scripts; from hosts with wrong clocks: {wrong} requests");
    }
}

/// What there is to say of the month as a whole.
fn print_all(figures: &Figures) {
    let load = &figures.load;
    println!("token requests by day: {:?}", load.requests.by(DAY));
    println!("on half of the days no more than {}", on_half_of_the_days(figures));
    let [looks, locks, replacements, releases] = load.kinds.map(thousands);
    println!(
        "scripts at Redis: {looks} looks, {locks} locks, {replacements} replacements, {releases} releases; {} in \
         all, over {} connections",
        thousands(load.kinds.iter().sum()),
        thousands(load.connections.sum())
    );
    println!("calls that were not passed over: {}", thousands(figures.calls.count));
    println!("the longest time without a token: {:.0?}", figures.calls.longest_without_token);
}

#[test]
fn no_call_fails_in_a_month_while_a_token_lives() {
    let (hosts, since) = (hosts(10_000, 100), Instant::now());
    let (figures, incidents) = run(hosts, seed());
    let (took, threads) = (since.elapsed(), figures.threads);
    println!("{hosts} hosts, {DAYS} days, seed {}: {took:.1?}, {threads} threads", seed());
    print(&figures, &incidents);
    figures.check();
    let usual = on_half_of_the_days(&figures);
    assert!((1..=5).contains(&usual), "{usual} requests in a day without trouble");
    if is_large() {
        chart::write(&figures, &incidents);
    }
}

#[test]
fn a_month_is_the_same_each_time() {
    let [first, second] = [(); 2].map(|()| run(40, 7).0);
    assert!(first.load.commands == second.load.commands, "the seconds differ");
    assert!(first.calls.failed == second.calls.failed, "the failed calls differ");
    assert_eq!(first.calls.count, second.calls.count);
}
