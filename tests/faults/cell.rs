//! One fault, in one state of a provider, in one language.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use test_support::faulty::{Certificates, FaultyServer, Step};
use test_support::redis::{PASSWORD, Redis};
use test_support::wait_until;

use crate::driver::{Driver, Failure, Reply};
use crate::file::Folder;
use crate::redis::FaultyRedis;
use crate::script::Script;
use crate::table::{Fault, Outcome, Rule, Table};

const SECRET: &str = "not-a-real-secret-0123456789abcdef";
/// In all that is secret, and in all that a server says that is not to be shown.
const HIDDEN: &str = "not-a-real";
/// What the server gives when all is well.
const OLD: &str = "not-a-real-token-of-before";

/// Of that token, in seconds: it is expiring for the last 30 s.
const LIFETIME: i64 = 600;
const EXPIRING: i64 = LIFETIME - 10;
/// No back-off is longer.
const LATER: i64 = 340;

/// Time-outs in milliseconds: where all of it is waited for; where a token request that is well must fit into it too;
/// and where it does not matter.
const SHORT: u64 = 1000;
const MIDDLE: u64 = 4000;
const LONG: u64 = 60_000;
/// More milliseconds than a busy machine needs for what takes no time, and for what it is late with; what waits for
/// anything waits for longer.
const AT_ONCE: u64 = 500;
const LATE: u64 = 2000;
/// So late is no event.
const LAST_EVENT: Duration = Duration::from_secs(10);

#[derive(Clone, Copy, Debug)]
pub enum State {
    NoToken,
    Fresh,
    Expiring,
}

/// What all share.
pub struct World {
    pub table: Table,
    pub certificates: Arc<Certificates>,
    pub redis: Redis,
    /// Where nobody is to go.
    pub elsewhere: FaultyServer,
    /// For stores in files.
    pub folder: PathBuf,
    /// Wall time of the drivers.
    pub now: i64,
    /// What was shown, sent or handed out and must not be, however busy the machine is.
    pub leaks: Mutex<Vec<String>>,
}

/// Checks one cell; the error is what is not as the table has it.
pub fn check(
    world: &World,
    driver: &mut Driver,
    rule: &Rule,
    fault: &Fault,
    state: State,
) -> Result<(), String> {
    driver.set_ahead(0);
    driver.set_disk_full(false);
    let mut cell = Cell::new(world, driver, rule, fault);
    let checked = match state {
        State::NoToken => cell.without_a_token(),
        State::Fresh => cell.with_a_fresh_token(),
        State::Expiring => cell.with_an_expiring_token(),
    };
    cell.driver.ask("close");
    checked
}

struct Cell<'a> {
    world: &'a World,
    driver: &'a mut Driver,
    rule: &'a Rule,
    fault: &'a Fault,
    outcome: &'a Outcome,
    server: FaultyServer,
    redis: Option<FaultyRedis>,
    folder: Option<Folder>,
    client_id: String,
    /// The length of the log before anything went wrong.
    logged: usize,
    /// In milliseconds.
    timeout: u64,
    /// Wall time of the driver.
    now: i64,
}

impl<'a> Cell<'a> {
    fn new(world: &'a World, driver: &'a mut Driver, rule: &'a Rule, fault: &'a Fault) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cell-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let before = || FaultyRedis::before(&world.redis, &world.certificates, rule.secure);
        let redis = fault.redis.as_ref().map(|_| before());
        let folder = |fault: &String| Folder::new(world.folder.join(&name), fault);
        let folder = fault.file.as_ref().map(folder);
        let outcome = world.table.outcome(rule, fault);
        let server = FaultyServer::new();
        let mut cell = Self {
            world,
            driver,
            rule,
            fault,
            outcome,
            server,
            redis,
            folder,
            client_id: name,
            logged: 0,
            timeout: LONG,
            now: world.now,
        };
        cell.heal();
        cell
    }

    // ---- The three states ----

    fn without_a_token(&mut self) -> Result<(), String> {
        if self.folder.is_some() {
            self.begin(LONG)?;
            self.driver.ask("close");
        }
        self.spoil();
        self.make(match (self.outcome.waits_for_the_timeout(), self.brings_a_token()) {
            (true, false) => SHORT,
            (true, true) => MIDDLE,
            (false, _) => LONG,
        });
        let first = self.ask("token")?;
        self.is_in_time(&first)?;
        let next = self.ask("token")?;
        is_at_once(&next)?;
        self.has_made_its_connections()?;
        self.check_what_was_sent()?;
        let Some(again) = self.outcome.no_token else {
            self.is_the_next(&first)?;
            self.lives_as_long_as_it_says(&first)?;
            self.is_the_next(&next)?;
            return self.has_come_about();
        };
        self.fails(&first, again)?;
        self.fails(&next, again)?;
        self.is_logged(None)?;
        self.has("peek", None)?;
        self.heal();
        self.driver.set_ahead(LATER);
        let well = self.has("token", Some(OLD));
        well.map(drop).map_err(|why| format!("when all is well again: {why}"))
    }

    fn with_a_fresh_token(&mut self) -> Result<(), String> {
        self.begin_for_renewal()?;
        self.spoil();
        let refreshed = self.ask("refresh")?;
        self.is_in_time(&refreshed)?;
        self.has_made_its_connections()?;
        let Some(again) = self.outcome.fresh else {
            self.is_the_next(&refreshed)?;
            self.has_the_next()?;
            self.check_what_was_sent()?;
            return self.has_come_about();
        };
        self.fails(&refreshed, again)?;
        self.has_the_old_one_at_once("token")?;
        self.has_the_old_one_at_once("peek")?;
        self.has_made_its_connections()?;
        self.check_what_was_sent()
    }

    fn with_an_expiring_token(&mut self) -> Result<(), String> {
        self.begin_for_renewal()?;
        self.now += EXPIRING;
        self.driver.set_ahead(EXPIRING);
        self.spoil();
        let first = self.ask("token")?;
        self.is_the_next_or_the_old_one(&first)?;
        if !self.outcome.is_slow() {
            self.goes_on_with_what_has_come()?;
        }
        self.driver.set_ahead(LIFETIME);
        self.hands_out_no_expired_token()?;
        self.check_what_was_sent()?;
        if self.brings_a_token() { self.has_come_about() } else { Ok(()) }
    }

    /// Whoever waited for as long as anybody does gets the old one.
    fn is_the_next_or_the_old_one(&self, reply: &Reply) -> Result<(), String> {
        const LONGEST: u64 = 1000;
        within(LONGEST + LATE, reply)?;
        let brings_one = self.brings_a_token();
        let may_be_old = !brings_one || self.outcome.is_slow() || reply.waited >= LONGEST / 10 * 9;
        match reply.token.as_deref() {
            Some(OLD) if may_be_old => Ok(()),
            Some(OLD) | None => Err(format!("{:?} after {} ms", reply.token, reply.waited)),
            Some(_) if brings_one => Ok(()),
            Some(other) => Err(format!("the caller gets {other}")),
        }
    }

    /// When the request has ended.
    fn goes_on_with_what_has_come(&mut self) -> Result<(), String> {
        let driver = &mut *self.driver;
        wait_until(|| driver.ask("count").ended == 2);
        if self.brings_a_token() {
            self.has_the_next()?;
        } else {
            self.has_the_old_one_at_once("token")?;
        }
        self.has_made_its_connections()
    }

    fn hands_out_no_expired_token(&mut self) -> Result<(), String> {
        let peeked = self.ask("peek")?;
        let got = self.ask("token")?;
        within(self.longest(), &got)?;
        if [&peeked, &got].iter().any(|reply| reply.token.as_deref() == Some(OLD)) {
            return Err(self.leak("it is expired, and handed out"));
        }
        match &got.error {
            _ if self.brings_a_token() => self.is_the_next(&got),
            Some(error) => same("the kind in the end", self.kind(), &error.kind()),
            None => Err(format!("the token {:?} in the end", got.token)),
        }
    }

    // ---- What is wrong, and what is well ----

    fn heal(&mut self) {
        let answer = format!(r#"{{"access_token":"{OLD}","expires_in":{LIFETIME}}}"#);
        let mut steps = vec![Step::Read, Step::Ok(answer)];
        if self.rule.secure {
            steps.insert(0, Step::Tls("good".into()));
        }
        if self.fault.proxy.is_some() {
            let tunnel = Step::Send("HTTP/1.1 200 OK\r\n\r\n".into());
            steps.splice(0..0, [Step::Read, tunnel]);
        }
        self.server.take(steps, &self.world.certificates);
    }

    fn spoil(&mut self) {
        let fault = self.fault;
        let elsewhere = self.world.elsewhere.address().to_string();
        if let (Some(redis), Some(what)) = (&mut self.redis, &fault.redis) {
            redis.serve(Some(what.clone().map(|text| text.replace("$elsewhere", &elsewhere))));
        }
        if let (Some(folder), Some(what)) = (&mut self.folder, &fault.file) {
            folder.spoil(what);
            self.driver.set_disk_full(what == "full disk");
        }
        self.driver.count_connections(self.server.address().port());
        match fault.listen.as_deref() {
            Some("refuse") => self.server.refuse(),
            Some("black hole") => self.server.swallow(),
            Some(other) => panic!("{other} is no way to listen"),
            None => self.server.take(self.script(), &self.world.certificates),
        }
    }

    fn script(&self) -> Vec<Step> {
        let elsewhere = self.world.elsewhere.address().to_string();
        Script { fault: self.fault, now: self.now, elsewhere }.steps()
    }

    // ---- The provider ----

    /// Makes a provider.
    fn make(&mut self, timeout: u64) {
        self.timeout = timeout;
        self.logged = 0;
        let address = self.server.address();
        let (scheme, ca_file) = match self.rule.secure {
            true => ("https", self.world.certificates.ca_file().to_str().unwrap()),
            false => ("http", ""),
        };
        let (url, proxy) = match self.fault.proxy {
            Some(_) => ("https://127.0.0.1:1/".into(), format!("http://{address}")),
            None => (format!("{scheme}://{address}/authenticate/"), String::new()),
        };
        let of_redis = self.redis.as_ref().map(FaultyRedis::url);
        let store = of_redis.or(self.folder.as_ref().map(|folder| folder.path().to_owned()));
        let store = store.unwrap_or_default();
        let id = &self.client_id;
        self.driver
            .ask(&format!("new\t{url}\t{id}\t{SECRET}\t{timeout}\t{ca_file}\t{proxy}\t{store}"));
    }

    /// With a token.
    fn begin(&mut self, timeout: u64) -> Result<(), String> {
        self.make(timeout);
        let well =
            self.has("token", Some(OLD)).map_err(|why| format!("at the beginning: {why}"))?;
        self.logged = well.log.len();
        Ok(())
    }

    fn begin_for_renewal(&mut self) -> Result<(), String> {
        self.begin(if self.outcome.waits_for_the_timeout() { MIDDLE } else { LONG })
    }

    /// Nothing that is told but a token may be secret.
    fn ask(&mut self, command: &str) -> Result<Reply, String> {
        let reply = self.driver.ask(command);
        if reply.besides.contains(HIDDEN) {
            return Err(self.leak(&format!("what is secret is shown at {command}")));
        }
        Ok(reply)
    }

    fn has(&mut self, command: &str, token: Option<&str>) -> Result<Reply, String> {
        let reply = self.ask(command)?;
        let error = reply.error.as_ref().map(|error| &error.message);
        if reply.token.as_deref() == token && error.is_none() {
            return Ok(reply);
        }
        Err(format!("{command} gives {:?} {error:?} and not {token:?}", reply.token))
    }

    fn has_the_old_one_at_once(&mut self, command: &str) -> Result<(), String> {
        is_at_once(&self.has(command, Some(OLD))?)
    }

    fn has_the_next(&mut self) -> Result<(), String> {
        let reply = self.ask("token")?;
        self.is_the_next(&reply)?;
        is_at_once(&reply)
    }

    /// What a token came in spite of.
    fn has_come_about(&mut self) -> Result<(), String> {
        self.is_logged(self.fault.event.as_ref().or(self.rule.event.as_ref()))?;
        match &self.redis {
            Some(redis) if !redis.has_gone_wrong() => Err("the command is not called".into()),
            _ => Ok(()),
        }
    }

    /// A logger or a callback is told, a moment later, and in these words.
    fn is_logged(&mut self, words: Option<&String>) -> Result<(), String> {
        let (start, words) = (Instant::now(), words.map_or("", String::as_str));
        loop {
            let log = self.ask("peek")?.log;
            if log.len() > self.logged && log[self.logged..].contains(words) {
                return Ok(());
            }
            if start.elapsed() > LAST_EVENT {
                return Err(format!("no event says {words:?}"));
            }
            sleep(Duration::from_millis(1));
        }
    }

    // ---- What is to be ----

    /// Also keeps it as what no other try makes good.
    fn leak(&self, what: &str) -> String {
        self.world.leaks.lock().unwrap().push(format!("{}: {what}", self.fault.name));
        what.into()
    }

    fn brings_a_token(&self) -> bool {
        self.outcome.no_token.is_none()
    }

    /// Of the error.
    fn kind(&self) -> &'a str {
        self.rule.kind(self.fault).expect("a fault that fails has a kind")
    }

    fn is_the_next(&self, reply: &Reply) -> Result<(), String> {
        match &reply.token {
            Some(token) if token != OLD => Ok(()),
            other => Err(format!("{other:?} {:?} and not the next token", reply.error)),
        }
    }

    fn lives_as_long_as_it_says(&self, reply: &Reply) -> Result<(), String> {
        let expected = self.fault.lifetime.or(reply.expires_in);
        same("the lifetime", expected, reply.expires_in)
    }

    fn fails(&self, reply: &Reply, again: [f64; 2]) -> Result<(), String> {
        let Some(error) = &reply.error else {
            return Err(format!("the token {:?}, and no error", reply.token));
        };
        let shown = |why: String| format!("{why} in: {} {}", error.kind, error.message);
        self.is_as_expected(error, again).map_err(shown)
    }

    fn is_as_expected(&self, error: &Failure, again: [f64; 2]) -> Result<(), String> {
        let expected = self.kind();
        same("the kind", expected, &error.kind())?;
        let status = self.fault.status.or(self.rule.status).unwrap_or(0);
        same("the status", status, error.status)?;
        same("retryable", self.world.table.retryable[expected], error.retryable)?;
        let [least, most] = again.map(|seconds| (seconds * 1000.0) as i64);
        if error.retry_after < least || error.retry_after > most {
            return Err(format!("retry_after is {} ms", error.retry_after));
        }
        Ok(())
    }

    /// In milliseconds.
    fn longest(&self) -> u64 {
        self.outcome.longest(self.timeout) + LATE
    }

    /// What waits until the time is over does not end before that.
    fn is_in_time(&self, reply: &Reply) -> Result<(), String> {
        if self.outcome.waits_for_the_timeout() && reply.waited < self.timeout / 10 * 9 {
            return Err(format!("the caller waits for {} ms only", reply.waited));
        }
        within(self.longest(), reply)
    }

    fn has_made_its_connections(&self) -> Result<(), String> {
        same("connections", self.outcome.connections, self.driver.connections())
    }

    fn check_what_was_sent(&self) -> Result<(), String> {
        let may_be_sent = self.fault.sent.unwrap_or(self.rule.sent);
        let has_secret = |bytes: &[u8]| bytes.starts_with(b"POST") || contains(bytes, SECRET);
        let received = self.server.received();
        if !may_be_sent && received.iter().any(|it| has_secret(&it.decrypted)) {
            return Err(self.leak("the secret is sent"));
        }
        if (self.rule.secure || !may_be_sent) && received.iter().any(|it| has_secret(&it.raw)) {
            return Err(self.leak("the secret is sent in the clear"));
        }
        self.check_what_was_sent_to_redis()?;
        same("connections elsewhere", 0, self.world.elsewhere.connections())
    }

    fn check_what_was_sent_to_redis(&self) -> Result<(), String> {
        let received = self.redis.as_ref().map_or_else(Vec::new, FaultyRedis::received);
        let has =
            |text| received.iter().any(|it| contains(&[&*it.raw, &it.decrypted].concat(), text));
        if has(SECRET) || has(OLD) {
            return Err(self.leak("what is secret is sent to Redis"));
        }
        if self.rule.secure && has(PASSWORD) {
            return Err(self.leak("a Redis that is not trusted is given the password"));
        }
        Ok(())
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|part| part == text.as_bytes())
}

fn is_at_once(reply: &Reply) -> Result<(), String> {
    within(AT_ONCE, reply)
}

fn within(limit: u64, reply: &Reply) -> Result<(), String> {
    if reply.waited <= limit {
        Ok(())
    } else {
        Err(format!("the caller waits for {} ms, and not {limit} at the most", reply.waited))
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, actual: T) -> Result<(), String> {
    if actual == expected {
        Ok(())
    } else {
        Err(format!("{what}: {actual:?} and not {expected:?}"))
    }
}
