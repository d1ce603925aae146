//! Tests the facts that each event tells.

use std::time::SystemTime;

use super::*;
use crate::interface::Cause;
use crate::provider::event::EventKind;
use crate::store::Store;

/// What an event tells but for its times: what happened, why a request was made, and what failed.
type Facts = (EventKind, Cause, Option<(ErrorKind, Option<u16>)>);

fn facts(event: &Event) -> Facts {
    let error = event.error.as_ref().map(|error| (error.kind(), error.http_status()));
    (event.kind, event.cause, error)
}

impl Fixture {
    /// The facts of the events since the last look.
    fn told(&self) -> Vec<Facts> {
        self.events.take().iter().map(facts).collect()
    }

    fn the_only_event(&self) -> Event {
        let [event] = <[Event; 1]>::try_from(self.events.take()).unwrap();
        event
    }
}

fn retry_after(event: &Event) -> Option<Duration> {
    event.error.as_ref().and_then(Error::retry_after)
}

/// A provider whose token is to be renewed, and has 1,000 s left.
fn with_a_stale_token() -> Fixture {
    let fixture = Fixture::new();
    fixture.value();
    fixture.pass(DAY - 1000.0);
    fixture.events.take();
    fixture
}

#[test]
fn a_new_token_says_why_it_was_requested() {
    let fixture = Fixture::new();
    let token = fixture.provider.token().unwrap();
    let event = fixture.the_only_event();
    assert_eq!(facts(&event), (EventKind::Refreshed, Cause::Empty, None));
    assert_eq!((&*event.client_id, retry_after(&event)), (fixture.provider.client_id(), None));
    assert_eq!(event.expires_in, Some(Duration::from_secs(86_400)));

    fixture.provider.invalidate(&token);
    fixture.provider.token().unwrap();
    fixture.provider.refresh().unwrap();
    fixture.pass(DAY - 1000.0);
    fixture.provider.token().unwrap();
    fixture.settle();
    let causes: Vec<_> = fixture.told().into_iter().map(|(_, cause, _)| cause).collect();
    assert_eq!(causes, [Cause::Invalidated, Cause::Refresh, Cause::Proactive]);
}

#[test]
fn a_failure_says_what_failed_and_when_the_next_request_is_due() {
    let fixture = Fixture::new();
    fixture.fail_next(429, &[("Retry-After", "200")]);
    let error = fixture.error();
    let event = fixture.the_only_event();
    let limited = Some((ErrorKind::RateLimited, Some(429)));
    assert_eq!(facts(&event), (EventKind::RefreshFailed, Cause::Empty, limited));
    assert_eq!((retry_after(&event), event.expires_in), (error.retry_after(), None));

    // It is not of interest then that there is a token.
    fixture.provider.refresh().unwrap();
    fixture.pass(400.0);
    fixture.fail_next(400, &[]);
    fixture.provider.refresh().unwrap_err();
    let event = fixture.events.take().pop().unwrap();
    let rejected = Some((ErrorKind::Rejected, Some(400)));
    assert_eq!(facts(&event), (EventKind::RefreshFailed, Cause::Refresh, rejected));
    assert_eq!(event.expires_in, Some(Duration::from_secs(86_000)));
}

#[test]
fn the_outcome_of_a_request_says_when_that_was_and_how_long_it_took() {
    let fixture = Fixture::new();
    fixture.sandbox.set_delay(Duration::from_millis(50));
    let before = SystemTime::now();
    fixture.provider.token().unwrap();
    fixture.fail_next(400, &[]);
    fixture.provider.refresh().unwrap_err();
    for event in fixture.events.take() {
        let request = event.request.unwrap();
        assert!(request.took >= Duration::from_millis(50), "{event:?}");
        assert!(before <= request.began, "{event:?}");
        assert!(request.began + request.took <= SystemTime::now() + Duration::from_millis(50));
        assert_eq!(event.auth_url, fixture.provider.auth_url());
    }
}

#[test]
fn a_stale_token_is_told_with_the_failure_of_its_renewal() {
    let rejected = Some((ErrorKind::Rejected, Some(400)));
    let renew = |fixture: &Fixture| drop(fixture.value());
    let refresh = |fixture: &Fixture| drop(fixture.provider.refresh().unwrap_err());
    for (fail, cause) in
        [(&renew as &dyn Fn(&Fixture), Cause::Proactive), (&refresh, Cause::Refresh)]
    {
        let fixture = with_a_stale_token();
        fixture.fail_next(400, &[]);
        fail(&fixture);
        fixture.settle();
        assert_eq!(fixture.told(), [(EventKind::RefreshFailed, cause, rejected)]);
        fixture.pass(1.0);
        fixture.value();
        let event = fixture.the_only_event();
        assert_eq!(facts(&event), (EventKind::StaleServed, cause, rejected));
        assert_eq!(retry_after(&event), fixture.provider.stats().backoff);
        assert_eq!(event.expires_in, Some(Duration::from_secs(999)));
        fixture.value();
        assert_eq!(fixture.told(), [], "once");
    }
}

/// In its last part a caller waits a moment for the renewal.
#[test]
fn a_stale_token_is_told_although_its_renewal_is_only_late() {
    let fixture = with_a_stale_token();
    fixture.pass(990.0);
    fixture.sandbox.set_delay(Duration::from_secs(3600));
    fixture.value();
    assert_eq!(fixture.told(), [(EventKind::StaleServed, Cause::Proactive, None)]);
    fixture.provider.close();

    let fixture = with_a_stale_token();
    fixture.pass(990.0);
    fixture.fail_next(400, &[]);
    fixture.value();
    let rejected = Some((ErrorKind::Rejected, Some(400)));
    let kinds = [EventKind::RefreshFailed, EventKind::StaleServed];
    assert_eq!(fixture.told(), kinds.map(|kind| (kind, Cause::Proactive, rejected)));
}

/// What happened on the way is told with the token that came of it.
#[test]
fn a_store_error_is_told_when_the_request_is_over() {
    let mut fixture = Fixture::new();
    let credentials =
        Credentials::new(fixture.sandbox.client_id(), fixture.sandbox.client_secret()).unwrap();
    fixture.provider = TokenProvider::builder(credentials)
        .options(Options::default().auth_url(fixture.sandbox.auth_url()))
        // It is a file, and no folder.
        .store(Store::folder(std::env::current_exe().unwrap()))
        .listener(Some(Listener::Queue(fixture.events.clone())))
        .build()
        .unwrap();
    fixture.value();
    let events = fixture.events.take();
    let store = Some((ErrorKind::Store, None));
    let kinds = [(EventKind::StoreError, store), (EventKind::Refreshed, None)];
    let expected = kinds.map(|(kind, error)| (kind, Cause::Empty, error));
    assert_eq!(events.iter().map(facts).collect::<Vec<_>>(), expected);
    assert!(events.iter().all(|event| event.expires_in > Some(Duration::from_secs(86_000))));
}
