//! Explores each world with all rules, and once without each rule.

use super::explore::{Counterexample, Figures, explore};
use super::rules::{ALL, Rules, Setup};
use super::setups::*;

fn run(setup: &Setup) -> Option<Counterexample> {
    let (figures, counterexample) = explore(setup);
    let Figures { states, transitions, depth, time, largest: [wait, call] } = figures;
    println!(
        "{}, {} hosts: {states} states, {transitions} transitions, depth {depth}, {time:.1?}; \
         longest wait for others {wait} ticks, longest call {call}",
        setup.name,
        setup.hosts.len()
    );
    counterexample
}

fn holds(setup: Setup) {
    if let Some(Counterexample { why, steps }) = run(&setup) {
        panic!("{}: {why}\n{}", setup.name, steps.join("\n"));
    }
}

fn fails(setup: Setup, property: &str, without: fn(&mut Rules)) {
    let mut rules = ALL;
    without(&mut rules);
    let setup = Setup { rules, ..setup };
    let found = run(&setup);
    let Counterexample { why, steps } = found.expect("a rule that is missing is missed");
    println!("  {why}, after\n    {}", steps.join("\n    "));
    assert!(why.starts_with(property), "{property} was expected, but {why}");
}

macro_rules! hold {
    ($($(#[$doc:meta])* $test:ident: $setup:expr;)*) => {
        $($(#[$doc])* #[test] fn $test() { holds($setup); })*
    };
}

hold! {
    a_cold_start_makes_one_request: cold_start();
    failed_requests_follow_each_other: failures();
    renewals_follow_each_other: renewals();
    refused_tokens_cost_one_request_in_thirty_seconds: all_refused();
    so_they_do_with_renewals_and_new_hosts: all_refused_and_renewed();
    a_dead_host_costs_one_request_more: one_dead();
    a_stopped_host_costs_one_request_more: one_stopped();
    a_stopped_host_lets_nobody_else_in: stopped_in_vain();
    two_dead_of_four: two_dead(4);
    a_lock_is_taken_over_only_from_who_was_waited_for: locked_files();
    clocks_and_stops_do_not_matter: wrong_clocks();
    lost_commands_leave_no_lease_and_bring_no_token_back: losses();
    a_lost_answer_brings_no_token_back: cold_losses();
    an_outage_does_no_harm: outages();
    a_failover_does_not_bring_back_what_a_host_refused: failover();
    strangers_keep_nobody_from_a_token: strangers();
    stolen_leases_cost_one_wait: stolen_leases();
    a_lease_without_an_end_costs_nothing: one_endless_lease();
    a_long_lease_costs_each_host_one_wait: one_long_lease();
    a_backoff_ends: backoffs();
    nothing_old_comes_back_when_all_goes_wrong: everything();
}

macro_rules! miss {
    ($($rule:ident: $setup:expr, $property:literal;)*) => {
        mod without {
            use super::super::setups::*;
            $(#[test] fn $rule() { super::fails($setup, $property, |rules| rules.$rule = false); })*
        }
    };
}

miss! {
    store_stamps: wrong_clocks(), "S1";
    stamp_before: wrong_clocks(), "S1";
    compare_and_set: wrong_clocks(), "S1";
    compare_and_mark: wrong_clocks(), "S1";
    leaves_newer: wrong_clocks(), "S1";
    knows_what_was_there: all_refused_and_renewed(), "S5";
    overwrites_unusable: strangers(), "S3";
    keeps_back_refused: renewals(), "S2";
    looks_again: cold_start(), "L2";
    patience_anew: one_dead(), "L2";
    whole_limit: stolen_leases(), "L1";
    backoff_length: backoffs(), "L3";
    backoff_sealed: strangers(), "S3";
    remembers_refused: renewals(), "S2";
    remembers_several: failover(), "S2";
    marks_refused: losses(), "S2";
    marks_say_why: all_refused_and_renewed(), "S5";
    shares_replacements: all_refused(), "S5";
    remembers_replacements: all_refused_and_renewed(), "S5";
    release_checks_owner: stopped_in_vain(), "S4";
    takes_endless_lease: one_endless_lease(), "S3";
    takes_over: one_long_lease(), "S3";
    compares_holder: locked_files(), "S4";
    knows_own_lease: cold_losses(), "L1";
}

/// All who wait since before the first of them died reach the limit of the whole wait at the same moment, while the
/// third has its turn: the bound of two requests for each dead host is for one, or for few that wait.
#[test]
fn two_dead_of_five_may_cost_a_request_of_each() {
    fails(two_dead(5), "L2", |_| {});
}

/// The wait for others has its limit, and then the request takes its time: `3 * timeout + 3` in all, where a
/// stranger takes the lease again and again, and where two requests before fail slowly.
#[test]
fn a_call_takes_a_request_longer_than_the_longest_wait() {
    fails(short_calls(stolen_leases()), "a call", |_| {});
    fails(short_calls(failures()), "a call", |_| {});
}
