//! Tests the table of `docs/lifetime.md`, and years of it in milliseconds.

use proptest::prelude::*;

use super::*;

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A token whose refresh point is so far from the latest (0) to the earliest (1).
fn token(age: f64, lifetime: f64, random: f64) -> Option<TokenAge> {
    let schedule = Schedule::new(seconds(lifetime), Duration::ZERO, random);
    Some(TokenAge { elapsed: seconds(age), schedule })
}

const FAILURE: LastFailure = LastFailure {
    count: 1,
    transient: true,
    requested_wait: Duration::ZERO,
    may_pass: false,
    shared: Duration::ZERO,
    before_margin: false,
    jitter: 0.5,
    age: Duration::ZERO,
};

#[test]
fn each_state_of_a_token_has_its_decision() {
    use Decision::*;
    // A day: refreshed from 3600 * 0.5 s before its end, with a margin of 30 s.
    let day = |age| decide(token(age, 86_400.0, 0.0), None);
    assert_eq!(day(84_599.0), Serve);
    assert_eq!(day(84_600.0), ServeAndRefresh);
    assert_eq!(day(86_369.0), ServeAndRefresh);
    assert_eq!(day(86_370.0), WaitAtMost(seconds(1.0)));
    assert_eq!(day(86_399.0), WaitAtMost(seconds(0.5)));
    assert_eq!(day(86_400.0), Wait);
    assert_eq!(decide(None, None), Wait);
    // Five minutes: 45 s, halfway between 30 and 60 s, and a margin of 15 s.
    let short = |age| decide(token(age, 300.0, 0.5), None);
    assert_eq!(short(254.0), Serve);
    assert_eq!(short(255.0), ServeAndRefresh);
    assert_eq!(short(285.0), WaitAtMost(seconds(1.0)));
    // Three seconds: half of it, and a margin of 0.15 s.
    let tiny = |age| decide(token(age, 3.0, 1.0), None);
    assert_eq!(tiny(1.49), Serve);
    assert_eq!(tiny(1.5), ServeAndRefresh);
    assert_eq!(tiny(2.9), WaitAtMost(seconds(0.05)));
}

/// Who cannot have the lock is served such a token all the same.
#[test]
fn a_stale_token_is_one_that_is_served_while_it_is_renewed() {
    for age in [0.0, 84_599.0, 84_600.0, 86_369.0, 86_370.0, 86_399.0, 86_400.0] {
        let token = token(age, 86_400.0, 0.0);
        let is_renewed = decide(token, None) == Decision::ServeAndRefresh;
        assert_eq!(token.unwrap().is_stale(), is_renewed, "{age}");
    }
}

#[test]
fn a_look_into_the_store_gives_way_to_what_starts_a_request() {
    use Decision::*;
    assert!([ServeAndRefresh, WaitAtMost(seconds(1.0)), Wait].iter().all(|it| it.needs_request()));
    assert!(![Serve, Fail(seconds(1.0))].iter().any(|it| it.needs_request()));
}

#[test]
fn another_process_is_waited_for_until_the_last_part_begins_or_ends() {
    let longest = |age| token(age, 86_400.0, 0.0).unwrap().max_wait();
    assert_eq!(longest(84_600.0), seconds(1770.0));
    assert_eq!(longest(86_369.0), seconds(1.0));
    assert_eq!(longest(86_370.0), seconds(30.0));
    assert_eq!(longest(86_400.0), Duration::ZERO);
}

#[test]
fn the_next_request_is_due_at_the_refresh_point_or_when_the_pause_is_over() {
    let day = |age| token(age, 86_400.0, 0.0);
    assert_eq!(until_request(day(0.0), None), seconds(84_600.0));
    assert_eq!(until_request(day(84_600.0), None), Duration::ZERO);
    assert_eq!(until_request(day(90_000.0), None), Duration::ZERO);
    assert_eq!(until_request(None, None), Duration::ZERO);
    // Half a second without a token; half of thirty ahead of its end, which is over before a refresh point
    // that is far away.
    assert_eq!(until_request(None, Some(FAILURE)), seconds(0.5));
    let before_margin = Some(LastFailure { before_margin: true, ..FAILURE });
    assert_eq!(until_request(day(84_590.0), before_margin), seconds(15.0));
    assert_eq!(until_request(day(0.0), before_margin), seconds(84_600.0));
}

#[test]
fn a_pause_doubles_up_to_its_limit() {
    let pauses = |failure: LastFailure, token| {
        let pause = |count| LastFailure { count, jitter: 1.0, ..failure }.pause(token).as_secs();
        [1, 2, 3, 5, 6, 40, u32::MAX].map(pause)
    };
    assert_eq!(pauses(FAILURE, None), [1, 2, 4, 16, 30, 30, 30]);
    let permanent = LastFailure { transient: false, ..FAILURE };
    assert_eq!(pauses(permanent, None), [30, 60, 120, 300, 300, 300, 300]);
    let young = token(0.0, 86_400.0, 0.0);
    let before_margin = LastFailure { before_margin: true, ..FAILURE };
    assert_eq!(pauses(before_margin, young), [30, 60, 120, 300, 300, 300, 300]);
    assert_eq!(pauses(FAILURE, young), [1, 2, 4, 16, 30, 30, 30], "in a token's last part");
}

#[test]
fn a_tokens_last_part_is_not_slept_through() {
    let before_margin = LastFailure { before_margin: true, ..FAILURE };
    let permanent = LastFailure { transient: false, ..before_margin };
    assert_eq!(permanent.pause(token(86_360.0, 86_400.0, 0.0)), seconds(10.0));
    let requested = LastFailure { requested_wait: seconds(300.0), may_pass: true, ..before_margin };
    assert_eq!(requested.pause(token(86_000.0, 86_400.0, 0.0)), seconds(300.0));
    assert_eq!(requested.pause(token(86_360.0, 86_400.0, 0.0)), seconds(10.0));
    // In the last part one token request is made, whatever the server asked for, and no second one.
    let last_part = token(86_380.0, 86_400.0, 0.0);
    assert_eq!(decide(last_part, Some(requested)), Decision::WaitAtMost(seconds(1.0)));
    let again = LastFailure { may_pass: false, before_margin: false, ..requested };
    assert_eq!(decide(last_part, Some(again)), Decision::Serve);
}

/// Its own back-off, or another process's, is longer than what is left of the token.
#[test]
fn a_request_for_which_the_last_part_is_too_short_is_not_made_in_spite_of_a_wait() {
    let requested = LastFailure { requested_wait: seconds(200.0), may_pass: true, ..FAILURE };
    let shared = LastFailure { shared: seconds(15.0), ..requested };
    assert_eq!(shared.pause(token(86_384.0, 86_400.0, 0.0)), seconds(15.0));
    assert_eq!(shared.pause(token(86_385.0, 86_400.0, 0.0)), seconds(200.0));
    assert_eq!(requested.pause(token(86_400.0, 86_400.0, 0.0)), seconds(200.0));
}

#[test]
fn an_outage_is_asked_about_again_before_the_last_part_begins() {
    let failure = |left: f64, age: f64| {
        let token = token(86_370.0 - left + age, 86_400.0, 0.0);
        LastFailure { before_margin: true, jitter: 1.0, age: seconds(age), ..FAILURE }.pause(token)
    };
    assert_eq!(failure(1000.0, 0.0), seconds(30.0));
    assert_eq!(failure(100.0, 0.0), seconds(25.0), "a quarter of what is left");
    assert_eq!(failure(100.0, 20.0), seconds(5.0), "of what was left when it failed");
    assert_eq!(failure(1.0, 0.0), seconds(0.5), "but half a second at least");
    assert_eq!(failure(0.4, 0.0), seconds(0.4), "and never into the last part");
}

#[test]
fn a_wait_that_the_server_asked_for_counts_if_it_is_longer_than_ours() {
    let requested = |wait| LastFailure { requested_wait: seconds(wait), ..FAILURE }.pause(None);
    assert_eq!(requested(70.0), seconds(70.0));
    assert_eq!(requested(0.1), seconds(0.5));
    let over = LastFailure { age: seconds(0.5), ..FAILURE };
    assert_eq!(over.pause(None), Duration::ZERO);
}

#[test]
fn during_a_pause_the_live_token_is_served_and_without_one_the_error() {
    use Decision::*;
    let requested = Some(LastFailure { requested_wait: seconds(70.0), ..FAILURE });
    for age in [0.0, 84_700.0, 86_371.0, 86_399.0] {
        assert_eq!(decide(token(age, 86_400.0, 0.0), requested), Serve);
    }
    assert_eq!(decide(token(86_400.0, 86_400.0, 0.0), requested), Fail(seconds(70.0)));
    assert_eq!(decide(None, requested), Fail(seconds(70.0)));
    assert_eq!(decide(None, Some(FAILURE)), Fail(seconds(0.5)));
}

#[test]
fn a_refresh_point_that_is_drawn_late_is_still_to_come() {
    for age in [0.0, 82_900.0, 84_000.0, 84_500.0] {
        for random in [0.0, 0.5, 0.999] {
            let refresh = Schedule::new(seconds(86_400.0), seconds(age), random).refresh();
            assert!(refresh > seconds(age) && refresh <= seconds(84_600.0), "{age} {refresh:?}");
        }
    }
    let past = Schedule::new(seconds(86_400.0), seconds(85_000.0), 0.5).refresh();
    assert_eq!(past, seconds(84_600.0), "too old for that");
}

#[test]
fn exceptions_are_apart() {
    assert!(may_repeat(None) && may_repeat(Some(seconds(30.0))));
    assert!(!may_repeat(Some(seconds(29.9))));
}

/// What happens between two questions of a caller.
#[derive(Clone, Debug)]
struct Step {
    /// Time that passes, and time that one of the clocks alone passes, both in seconds.
    passes: f64,
    jump: f64,
    /// What the next token request brings, if there is one.
    outcome: Result<f64, (bool, Option<f64>)>,
    random: f64,
}

fn step(longest: f64, jumps: bool) -> impl Strategy<Value = Step> {
    let jump =
        if jumps { (0.0..1.0_f64, -7200.0..7200.0).boxed() } else { Just((1.0, 0.0)).boxed() };
    let outcome = prop_oneof![
        2 => (60.0..86_400.0_f64).prop_map(Ok),
        1 => (any::<bool>(), prop::option::weighted(0.2, 0.0..5000.0_f64)).prop_map(Err),
    ];
    // Short steps and long ones alike.
    (-2.0..longest.log10(), jump, outcome, 0.5..1.0_f64).prop_map(
        |(exponent, (chance, jump), outcome, random)| Step {
            passes: 10_f64.powf(exponent),
            jump: if chance < 0.05 { jump } else { 0.0 },
            outcome,
            random,
        },
    )
}

/// One provider, asked after each step, as it would follow the policy. Gives the times of its
/// token requests, and the number of jumps; panics if an expired token is served.
fn live_through(steps: Vec<Step>) -> (Vec<f64>, usize) {
    live(steps, |step, _| step.outcome)
}

/// `outcome` also gets the age of the last token.
fn live(
    steps: impl IntoIterator<Item = Step>,
    outcome: impl Fn(&Step, f64) -> Result<f64, (bool, Option<f64>)>,
) -> (Vec<f64>, usize) {
    let (mut monotonic, mut wall) = (0.0_f64, 1e9_f64);
    let (mut requests, mut jumps) = (Vec::new(), 0);
    let mut token: Option<(f64, f64, Schedule, f64)> = None;
    let mut failed: Option<(f64, f64, LastFailure)> = None;
    for step in steps {
        let Step { passes, jump, random, .. } = step;
        monotonic += passes;
        wall += passes + jump;
        jumps += usize::from(jump != 0.0);
        let since = |m: f64, w: f64| seconds((monotonic - m).max(wall - w).max(0.0));
        let age = token.map(|(m, w, schedule, _)| TokenAge { elapsed: since(m, w), schedule });
        let failure = failed.map(|(m, w, failure)| {
            let age = since(m, w);
            let requested_wait = failure.requested_wait.saturating_sub(age);
            LastFailure { requested_wait, age, ..failure }
        });
        let decision = decide(age, failure);
        if !matches!(decision, Decision::Wait | Decision::Fail(_)) {
            let (m, w, _, lifetime) = token.expect("a token is served");
            assert!(monotonic - m < lifetime && wall - w < lifetime, "a dead token is served");
        }
        if matches!(decision, Decision::Serve | Decision::Fail(_)) {
            continue;
        }
        requests.push(monotonic);
        match outcome(&step, monotonic - token.map_or(0.0, |(born, ..)| born)) {
            Ok(lifetime) => {
                token = Some((
                    monotonic,
                    wall,
                    Schedule::new(seconds(lifetime), Duration::ZERO, 2.0 * random - 1.0),
                    lifetime,
                ));
                failed = None;
            }
            Err((transient, wait)) => {
                let before_margin = age.is_some_and(|age| age.is_before_margin());
                let alike = |last: &LastFailure| {
                    last.before_margin == before_margin && last.transient == transient
                };
                let last = failed.map(|(_, _, failure)| failure).filter(alike);
                let failure = LastFailure {
                    count: last.map_or(1, |last| last.count + 1),
                    transient,
                    requested_wait: wait.map_or(Duration::ZERO, seconds),
                    may_pass: before_margin,
                    shared: Duration::ZERO,
                    before_margin,
                    jitter: random,
                    age: Duration::ZERO,
                };
                failed = Some((monotonic, wall, failure));
            }
        }
    }
    (requests, jumps)
}

/// With tokens that are valid for a minute or more.
const MOST_PER_HOUR: usize = 1000;

/// The densest run: tokens of a minute, of which each is renewed only when it has died, after as many
/// failures as there can be.
#[test]
fn requests_are_bounded_at_the_worst() {
    let step = Step { passes: 0.01, jump: 0.0, outcome: Ok(60.0), random: 0.999 };
    let until_it_has_died =
        |step: &Step, age: f64| if age < 60.0 { Err((true, None)) } else { step.outcome };
    let (requests, _) = live(std::iter::repeat_n(step, 360_000), until_it_has_died);
    assert!((100..MOST_PER_HOUR).contains(&requests.len()), "{}", requests.len());
}

proptest! {
    #[test]
    fn a_request_is_due_when_it_was_said_to_be_and_not_before(
        (age, lifetime, has_token) in (0.0..90_000.0, 1.0..86_400.0, any::<bool>()),
        (count, transient, before_margin) in (1_u32..9, any::<bool>(), any::<bool>()),
        may_pass in any::<bool>(),
        (requested, failed_before, has_failed) in (0.0..600.0, 0.0..600.0, any::<bool>()),
    ) {
        let asked_for = if requested > 300.0 { seconds(requested) } else { Duration::ZERO };
        let at = |passed: Duration| {
            let failed = LastFailure { count, transient, before_margin, may_pass, ..FAILURE };
            let since = seconds(failed_before) + passed;
            let requested_wait = asked_for.saturating_sub(since);
            let failure = LastFailure { age: since, requested_wait, ..failed };
            let token = token(age, lifetime, 0.5).filter(|_| has_token);
            let token = token.map(|token| TokenAge { elapsed: token.elapsed + passed, ..token });
            (token, Some(failure).filter(|_| has_failed))
        };
        let starts = |passed| {
            let (token, failure) = at(passed);
            !matches!(decide(token, failure), Decision::Serve | Decision::Fail(_))
        };
        let (token, failure) = at(Duration::ZERO);
        let wait = until_request(token, failure);
        prop_assert!(starts(wait));
        prop_assert!(wait.is_zero() || !starts(wait / 2) && !starts(wait - Duration::from_nanos(1)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..Default::default() })]

    #[test]
    fn no_dead_token_is_served_in_years(
        steps in prop::collection::vec(step(20_000.0, true), 10_000)
    ) {
        live_through(steps);
    }

    #[test]
    fn requests_are_bounded_whatever_happens(
        steps in prop::collection::vec(step(2.0, true), 10_000)
    ) {
        let (requests, jumps) = live_through(steps);
        for (first, start) in requests.iter().enumerate() {
            let within = requests[first..].iter().take_while(|time| **time - start < 3600.0).count();
            prop_assert!(within <= MOST_PER_HOUR + 5 + jumps, "{within} requests in an hour");
        }
    }
}
