//! One fault, in one state of a provider, in one language.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use test_support::faulty::{Certificates, FaultyServer, Step};
use test_support::redis::Redis;
use test_support::wait_until;

use crate::driver::{Driver, Failure, Reply};
use crate::file::Folder;
use crate::redis::FaultyRedis;
use crate::script::Script;
use crate::table::{Fault, Outcome, Rule, Table};

const SECRET: &str = "not-a-real-secret-0123456789abcdef";
/// In all that is secret, and in all that a server says that is not to be shown.
const HIDDEN: &str = "not-a-real";
const LIVE: &str = "not-a-real-token-of-before";

/// Of the live token, in seconds: its last part is the last 30 s.
const LIFETIME: i64 = 600;
const LAST_PART: i64 = LIFETIME - 10;
/// No back-off is longer.
const LATER: i64 = 340;

/// Time-outs in milliseconds: where all of it is waited for; where a token request that is well must fit into it too;
/// and where it does not matter.
const SHORT: u64 = 1000;
const MIDDLE: u64 = 3000;
const LONG: u64 = 60_000;
/// More than anybody waits for a fault that takes as long as it may, and less than if nothing ended that.
const LIMIT: u64 = 20_000;

#[derive(Clone, Copy, Debug)]
pub enum State {
    NoToken,
    Live,
    LastPart,
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
    let mut cell = Cell::new(world, driver, rule, fault);
    let checked = match state {
        State::NoToken => cell.without_a_token(),
        State::Live => cell.with_a_live_token(),
        State::LastPart => cell.in_the_last_part(),
    };
    cell.driver.ask("close");
    checked
}

struct Cell<'a> {
    world: &'a World,
    driver: &'a mut Driver,
    rule: &'a Rule,
    fault: &'a Fault,
    outcome: Outcome,
    server: FaultyServer,
    redis: Option<FaultyRedis>,
    folder: Option<Folder>,
    client_id: String,
    /// Wall time of the driver.
    now: i64,
}

impl<'a> Cell<'a> {
    fn new(world: &'a World, driver: &'a mut Driver, rule: &'a Rule, fault: &'a Fault) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("cell-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let redis = fault.redis.as_ref().map(|_| FaultyRedis::before(&world.redis));
        let folder = fault
            .file
            .as_ref()
            .map(|file| Folder::new(world.folder.join(&name), file, driver.id()));
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
        self.make(match (self.outcome.hangs, self.outcome.no_token) {
            (true, Some(_)) => SHORT,
            (true, None) => MIDDLE,
            (false, _) => LONG,
        });
        let first = self.driver.ask("token");
        let next = self.driver.ask("token");
        same("connections", self.outcome.attempts, self.server.connections())?;
        let Some(again) = self.outcome.no_token else {
            self.is_the_next(&first)?;
            self.lives_as_long_as_it_says(&first)?;
            return self.is_the_next(&next);
        };
        self.fails(&first, again)?;
        self.fails(&next, again)?;
        self.has("peek", None)?;
        self.check_what_was_sent()?;
        self.heal();
        self.driver.set_ahead(LATER);
        self.has("token", Some(LIVE)).map_err(|why| format!("when all is well again: {why}"))
    }

    fn with_a_live_token(&mut self) -> Result<(), String> {
        self.begin(if self.outcome.hangs { MIDDLE } else { LONG })?;
        self.spoil();
        let refreshed = self.driver.ask("refresh");
        same("connections", self.outcome.attempts, self.server.connections())?;
        let Some(again) = self.outcome.live else {
            self.is_the_next(&refreshed)?;
            return self.has_next();
        };
        self.fails(&refreshed, again)?;
        self.has("token", Some(LIVE))?;
        self.has("peek", Some(LIVE))?;
        same("connections in the end", self.outcome.attempts, self.server.connections())?;
        self.check_what_was_sent()
    }

    fn in_the_last_part(&mut self) -> Result<(), String> {
        self.begin(LONG)?;
        self.now += LAST_PART;
        self.driver.set_ahead(LAST_PART);
        self.spoil();
        let reply = self.driver.ask("token");
        let brings_one = self.outcome.live.is_none();
        self.in_time(&reply)?;
        let is_old = reply.token.as_deref() == Some(LIVE);
        // Whoever waited for as long as anybody does gets the old one.
        let may_be_old = !brings_one || self.outcome.hangs || reply.waited >= 900;
        match &reply.token {
            Some(_) if is_old && may_be_old => {}
            Some(_) if !is_old && brings_one => {}
            other => return Err(format!("the caller gets {other:?} after {} ms", reply.waited)),
        }
        if self.outcome.hangs {
            if self.server.connections() > self.outcome.attempts {
                return same("connections", self.outcome.attempts, self.server.connections());
            }
        } else {
            let driver = &mut *self.driver;
            wait_until(|| driver.ask("count").ended == 2);
            if brings_one {
                self.has_next()?
            } else {
                self.has("token", Some(LIVE))?
            }
            same("connections", self.outcome.attempts, self.server.connections())?;
        }
        self.check_what_was_sent()?;
        self.driver.set_ahead(LIFETIME);
        let expired = self.driver.ask("peek").token;
        if expired.as_deref() == Some(LIVE) {
            Err("it is expired, and handed out".into())
        } else {
            Ok(())
        }
    }

    // ---- What is wrong, and what is well ----

    fn heal(&mut self) {
        let answer = format!(r#"{{"access_token":"{LIVE}","expires_in":{LIFETIME}}}"#);
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
        if let (Some(redis), Some(what)) = (&mut self.redis, &fault.redis) {
            redis.serve(Some(what));
        }
        if let (Some(folder), Some(what)) = (&mut self.folder, &fault.file) {
            folder.spoil(what);
        }
        match fault.listen.as_deref() {
            Some("refuse") => self.server.refuse(),
            Some("black hole") => self.server.swallow(),
            Some(other) => panic!("{other} is no way to listen"),
            None => self.server.take(self.script(), &self.world.certificates),
        }
    }

    fn script(&self) -> Vec<Step> {
        let elsewhere = format!("http://{}/", self.world.elsewhere.address());
        Script { fault: self.fault, now: self.now, elsewhere }.steps()
    }

    // ---- The provider ----

    /// Makes a provider.
    fn make(&mut self, timeout: u64) {
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
        self.has("token", Some(LIVE)).map_err(|why| format!("at the beginning: {why}"))
    }

    fn has(&mut self, command: &str, token: Option<&str>) -> Result<(), String> {
        let reply = self.driver.ask(command);
        let error = reply.error.as_ref().map(|error| &error.message);
        if reply.token.as_deref() == token && error.is_none() {
            return Ok(());
        }
        Err(format!("{command} gives {:?} {error:?} and not {token:?}", reply.token))
    }

    fn has_next(&mut self) -> Result<(), String> {
        let reply = self.driver.ask("token");
        self.is_the_next(&reply)
    }

    // ---- What is to be ----

    fn is_the_next(&self, reply: &Reply) -> Result<(), String> {
        self.in_time(reply)?;
        match &reply.token {
            Some(token) if token != LIVE => Ok(()),
            other => Err(format!("{other:?} {:?} and not the next token", reply.error)),
        }
    }

    fn lives_as_long_as_it_says(&self, reply: &Reply) -> Result<(), String> {
        let expected = self.fault.lifetime.or(reply.expires_in);
        same("the lifetime", expected, reply.expires_in)
    }

    fn fails(&self, reply: &Reply, again: [f64; 2]) -> Result<(), String> {
        self.in_time(reply)?;
        let Some(error) = &reply.error else {
            return Err(format!("the token {:?}, and no error", reply.token));
        };
        let shown = |why: String| format!("{why} in: {} {}", error.kind, error.message);
        self.is_as_expected(error, again).map_err(shown)
    }

    fn is_as_expected(&self, error: &Failure, again: [f64; 2]) -> Result<(), String> {
        let expected = self.rule.kind(self.fault).expect("a fault that fails has a kind");
        same("the kind", expected, &error.kind())?;
        let status = self.fault.status.or(self.rule.status).unwrap_or(0);
        same("the status", status, error.status)?;
        same("retryable", self.world.table.retryable[expected], error.retryable)?;
        let [least, most] = again.map(|seconds| (seconds * 1000.0) as i64);
        if error.retry_after < least || error.retry_after > most {
            return Err(format!("retry_after is {} ms", error.retry_after));
        }
        if error.message.contains(HIDDEN) {
            return Err("what is secret is shown".into());
        }
        Ok(())
    }

    fn in_time(&self, reply: &Reply) -> Result<(), String> {
        if self.outcome.hangs && reply.waited > LIMIT {
            return Err(format!("the caller waits for {} ms", reply.waited));
        }
        Ok(())
    }

    fn check_what_was_sent(&self) -> Result<(), String> {
        let may_be_sent = self.fault.sent.unwrap_or(self.rule.sent);
        let requests = self.server.requests();
        if requests.iter().any(|request| request.starts_with(b"POST")) && !may_be_sent {
            return Err("the secret is sent".into());
        }
        same("connections elsewhere", 0, self.world.elsewhere.connections())
    }
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, expected: T, actual: T) -> Result<(), String> {
    if actual == expected {
        Ok(())
    } else {
        Err(format!("{what}: {actual:?} and not {expected:?}"))
    }
}
