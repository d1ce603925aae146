//! Makes the attempts of one token request: what is tried again, when, and how often.

use std::sync::Arc;
use std::time::Duration;

use super::http_source::HttpSource;
use super::limits::{LONGEST_ATTEMPT, MOST_ATTEMPTS};
use super::note::Note;
use super::source::{FetchContext, TokenSource};
use crate::error::{Error, ErrorKind};
use crate::interface::EventKind;
use crate::random;
use crate::token::AccessToken;

/// The first pause is shorter than this, and each further one than twice the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// With less time than this no attempt is begun: it would end with a timeout, which says less than the error before.
const SHORTEST_ATTEMPT: Duration = Duration::from_millis(10);

impl TokenSource for HttpSource {
    fn fetch(&self, context: &FetchContext<'_>) -> Result<Arc<AccessToken>, Error> {
        context.progress.begins_request();
        let outcome = self.request_token(context);
        context.progress.ends_request();
        for warning in self.trust().take_warnings() {
            context.report(Note::new(EventKind::TrustWarning, warning));
        }
        outcome.map(|token| Arc::new(if context.replaces() { token.replacing() } else { token }))
    }
}

impl HttpSource {
    /// One token request, of as many attempts as it needs and as the limits allow.
    fn request_token(&self, context: &FetchContext<'_>) -> Result<AccessToken, Error> {
        let FetchContext { credentials, interrupt, clock, .. } = *context;
        let (limit, spent) = (context.limit(), context.spent());
        let started = clock.instant();
        let timeout = self.timeout().saturating_sub(spent.time);
        let whole = limit.map_or(timeout, |limit| limit.all(started).min(timeout));
        let taken = || clock.instant() - started;
        let left = || whole.saturating_sub(taken());
        let mut longest = limit.map_or(timeout, |limit| limit.first_attempt(started).min(timeout));
        let mut attempt = spent.attempts;
        loop {
            attempt += 1;
            let secret = context.secret();
            let target = self.target(longest.min(LONGEST_ATTEMPT), whole < timeout);
            let error =
                match self.attempt(&target, credentials.client_id(), &secret, interrupt, clock) {
                    Ok(token) => {
                        credentials.keep(&secret);
                        return Ok(token);
                    }
                    Err(error) => error,
                };
            if error.kind() != ErrorKind::Closed {
                credentials.note_tried(&secret);
            }
            let (next, pause) = match error.kind() {
                ErrorKind::Credentials => (context.another(&secret, &error)?, Some(Duration::ZERO)),
                _ => (secret.clone(), pause_after(&error, attempt)),
            };
            let fits =
                pause.filter(|pause| attempt < MOST_ATTEMPTS && *pause + SHORTEST_ATTEMPT < left());
            let Some(pause) = fits else { return Err(error) };
            if next != secret {
                context.go_on_with(next);
                if context.ends_at_another_secret() {
                    context.spend(attempt, taken());
                    return Err(error);
                }
            }
            context.pause(pause)?;
            longest = left();
            // A busy or suspended machine sleeps for longer.
            if longest < SHORTEST_ATTEMPT {
                return Err(error);
            }
        }
    }
}

/// How long to wait before the next attempt; `None` if none would help.
fn pause_after(error: &Error, attempt: u32) -> Option<Duration> {
    let full_jitter = (FIRST_PAUSE * (1 << (attempt - 1))).mul_f64(random::fraction());
    let pause = full_jitter.max(error.requested_wait().map_or(Duration::ZERO, random::spread));
    error.is_worth_another_attempt().then_some(pause)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::sync::Mutex;
    use std::time::Instant;

    use super::*;
    use crate::credentials::Credentials;
    use crate::request::limits::DEFAULT_TIMEOUT;
    use crate::request::{Interrupt, Options, Progress};
    use crate::sys::clock::{Boot, Clock, Moment, Simulated};

    /// Of a machine that is suspended in each pause, until there is almost no time left.
    #[derive(Debug)]
    struct Suspended {
        origin: Instant,
        passed: Mutex<Duration>,
    }

    impl Simulated for Suspended {
        fn now(&self) -> Moment {
            Moment::now()
        }

        fn instant(&self) -> Instant {
            self.origin + *self.passed.lock().unwrap()
        }

        fn boot(&self) -> Boot {
            Boot::now().unwrap()
        }

        fn pause(&self, _length: Duration) {
            *self.passed.lock().unwrap() = DEFAULT_TIMEOUT - SHORTEST_ATTEMPT / 2;
        }
    }

    /// The shortest and the longest of many pauses after an attempt.
    fn pauses(error: &Error, attempt: u32) -> (Duration, Duration) {
        let drawn = (0..1000).map(|_| pause_after(error, attempt).unwrap());
        drawn.fold((Duration::MAX, Duration::ZERO), |(least, most), next| {
            (least.min(next), most.max(next))
        })
    }

    fn busy() -> Error {
        Error::new(ErrorKind::Server, "failed").with_another_attempt(true)
    }

    #[test]
    fn a_pause_is_anything_up_to_twice_the_last() {
        for (attempt, longest) in [(1, FIRST_PAUSE), (2, 2 * FIRST_PAUSE)] {
            let (least, most) = pauses(&busy(), attempt);
            assert!(least < longest / 10, "{attempt}: {least:?}");
            assert!(most < longest && most > longest / 10 * 9, "{attempt}: {most:?}");
        }
    }

    #[test]
    fn no_pause_is_shorter_than_the_server_asked_for() {
        let wait = Duration::from_millis(300);
        let (least, _) = pauses(&busy().with_requested_wait(Some(wait)), 1);
        assert!(least >= wait, "{least:?}");
    }

    #[test]
    fn what_no_attempt_would_help_is_not_tried_again() {
        assert_eq!(pause_after(&busy().with_another_attempt(false), 1), None);
    }

    #[test]
    fn a_pause_after_which_no_time_is_left_ends_with_the_servers_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(b"HTTP/1.1 503 \r\ncontent-length: 0\r\n\r\n").unwrap();
            listener
        });
        let source = HttpSource::new(&Options::default().auth_url(url).trust_env(false)).unwrap();
        let credentials = Credentials::new("not-a-real-client", "not-a-real-secret").unwrap();
        let suspended = Suspended { origin: Instant::now(), passed: Mutex::default() };
        let clock = Clock::Simulated(Arc::new(suspended));
        let (interrupt, progress) = (Interrupt::default(), Progress::default());
        let context = FetchContext::new(&credentials, &clock, &interrupt, &progress);
        let error = source.fetch(&context).unwrap_err();
        assert_eq!((error.kind(), error.http_status()), (ErrorKind::Server, Some(503)), "{error}");
        let listener = server.join().unwrap();
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "another attempt was made");
    }
}
