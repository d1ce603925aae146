//! Keeps tokens in Redis or Valkey, for a fleet.
//!
//! The crate `redis` speaks the protocol; the connection is ours, so that its certificates are judged as
//! those of the API are, and so that it ends with the token request.

use std::fmt;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, Parser, Value, cmd};
use ring::rand::{SecureRandom, SystemRandom};
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use super::StoreError;
use super::session::{Backend, Item, Session, StoredItem};
use crate::error::Error;
use crate::resolver::resolve;
use crate::sys::socket::Socket;
use crate::text::{self, printable, without_brackets};
use crate::trust::Trust;
use crate::unix_time::milliseconds;

/// For each step: to find the host, to connect, to send, to get an answer.
const TIMEOUT: Duration = Duration::from_secs(1);
/// For how much longer than a token request may take the lease runs.
const LEASE_OVERTIME: Duration = Duration::from_secs(1);

/// Sets a token unless there is one that was sent for later: a value starts with 16 hexadecimal digits
/// of that time.
const SAVE_NEWER: &str = "local old = redis.call('GET', KEYS[1]) \
    if old and string.sub(old, 1, 16) > string.sub(ARGV[1], 1, 16) then return 0 end \
    redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1";
/// Ends a lease, but no other owner's.
const RELEASE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";
const SENT: usize = 16;
/// No more of the code of an error is shown, in characters.
const LONGEST_CODE: usize = 64;

/// The address of a server, which may hold a password.
#[derive(Clone)]
pub(super) struct RedisUrl {
    host: String,
    port: u16,
    is_tls: bool,
    info: ConnectionInfo,
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.location())
    }
}

impl RedisUrl {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let refused = || {
            Error::invalid(
                "the store is not a redis:// or rediss:// URL; give one like \
                 rediss://user:password@host:6379/0",
            )
        };
        let (is_tls, rest) = match text.strip_prefix("rediss://") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("redis://").ok_or_else(refused)?),
        };
        let info = format!("redis://{rest}").into_connection_info().map_err(|_| refused())?;
        let ConnectionAddr::Tcp(host, port) = info.addr() else { return Err(refused()) };
        Ok(Self { host: host.clone(), port: *port, is_tls, info })
    }

    fn location(&self) -> String {
        let scheme = if self.is_tls { "rediss" } else { "redis" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }
}

pub(super) struct RedisStore {
    url: RedisUrl,
    name: String,
    trust: Arc<Trust>,
    lease: Duration,
}

impl Backend for RedisStore {
    fn open(&self) -> Result<Box<dyn Session + '_>, StoreError> {
        let wire = self.connect().map_err(|why| self.error(&why))?;
        let mut session = RedisSession { store: self, wire, owner: None, is_broken: false };
        let settings = self.url.info.redis_settings();
        if let Some(password) = settings.password() {
            let mut auth = cmd("AUTH");
            if let Some(user) = settings.username() {
                auth.arg(user);
            }
            session.run(auth.arg(password))?;
        }
        if settings.db() != 0 {
            session.run(cmd("SELECT").arg(settings.db()))?;
        }
        Ok(Box::new(session))
    }

    fn location(&self) -> String {
        self.url.location()
    }
}

impl RedisStore {
    pub(super) fn new(url: RedisUrl, name: &str, trust: Arc<Trust>, timeout: Duration) -> Self {
        Self { url, name: name.to_owned(), trust, lease: timeout + LEASE_OVERTIME }
    }

    fn connect(&self) -> Result<Box<dyn Wire>, String> {
        let RedisUrl { host, port, is_tls, .. } = &self.url;
        let failed = |error: io::Error| format!("cannot be reached ({})", text::system(&error));
        let host = without_brackets(host);
        let mut last = io::Error::other("its name has no address");
        for address in resolve(host, *port, TIMEOUT).map_err(failed)? {
            match connect(&address) {
                Ok(socket) if *is_tls => return self.secure(host, socket),
                Ok(socket) => return Ok(Box::new(socket)),
                Err(error) => last = error,
            }
        }
        Err(failed(last))
    }

    fn secure(&self, host: &str, mut socket: Socket) -> Result<Box<dyn Wire>, String> {
        let config = self.trust.client_config().map_err(|error| error.to_string())?;
        let name = ServerName::try_from(host.to_owned()).map_err(|_| "has no valid name")?;
        let connection = ClientConnection::new(config, name);
        let mut connection = connection.map_err(|error| format!("was refused ({error})"))?;
        connection.complete_io(&mut socket).map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match inner {
                Some(rustls::Error::InvalidCertificate(_)) => {
                    self.trust.reconsider();
                    "has a certificate that is not trusted; name its authority in ca_file"
                }
                Some(_) => "does not speak TLS 1.2 or 1.3 as it should",
                None => "does not answer",
            }
        })?;
        Ok(Box::new(StreamOwned::new(connection, socket)))
    }

    fn key(&self, what: &str) -> String {
        format!("clazar-auth:{}:{what}", self.name)
    }

    fn error(&self, what: &str) -> StoreError {
        StoreError(format!("the store {} {what}", self.location()))
    }
}

fn connect(address: &SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(address)?;
    socket.connect(address, TIMEOUT)?;
    let stream = socket.get()?;
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    Ok(socket)
}

trait Wire: Read + Write {}
impl<T: Read + Write> Wire for T {}

pub(super) struct RedisSession<'a> {
    store: &'a RedisStore,
    wire: Box<dyn Wire>,
    /// Of the lease, if this session holds it.
    owner: Option<[u8; 16]>,
    /// Whether the connection ended, and nothing is worth a try.
    is_broken: bool,
}

impl RedisSession<'_> {
    fn run(&mut self, command: &Cmd) -> Result<Value, StoreError> {
        if self.is_broken {
            return Err(self.store.error("broke off"));
        }
        let sent = self.wire.write_all(&command.get_packed_command());
        let answer = match sent.and_then(|()| self.wire.flush()) {
            Ok(()) => Parser::new().parse_value(&mut self.wire),
            Err(error) => Err(error.into()),
        };
        answer.and_then(Value::extract_error).map_err(|error| {
            self.is_broken = error.code().is_none();
            // The error's own text may repeat a part of the command.
            let code = error.code().map(|code| printable(code, LONGEST_CODE));
            let what = code.map(|code| format!("answered with the error {code}"));
            self.store.error(&what.unwrap_or_else(|| "does not answer".into()))
        })
    }

    fn key(&self, item: Item) -> String {
        self.store.key(match item {
            Item::Token => "token",
            Item::Failure => "failed",
            Item::Probe => "trial",
        })
    }
}

impl Session for RedisSession<'_> {
    fn load(&mut self, item: Item) -> Result<Option<StoredItem>, StoreError> {
        let key = self.key(item);
        let value = self.run(cmd("GET").arg(&key))?;
        let Value::BulkString(bytes) = value else { return Ok(None) };
        let left = match self.run(cmd("PTTL").arg(&key))? {
            Value::Int(left) => u64::try_from(left).ok().map(Duration::from_millis),
            _ => None,
        };
        let blob = bytes.get(SENT..).unwrap_or_default().to_vec();
        Ok(Some(StoredItem { blob, left }))
    }

    fn save(
        &mut self,
        item: Item,
        blob: &[u8],
        sent: u64,
        life: Duration,
    ) -> Result<(), StoreError> {
        let value = [format!("{sent:016x}").as_bytes(), blob].concat();
        let life = milliseconds(life).max(1);
        let key = self.key(item);
        self.run(cmd("EVAL").arg(SAVE_NEWER).arg(1).arg(key).arg(value).arg(life)).map(drop)
    }

    fn erase(&mut self, item: Item) -> Result<(), StoreError> {
        let key = self.key(item);
        self.run(cmd("DEL").arg(key)).map(drop)
    }

    fn try_lock(&mut self) -> Result<bool, StoreError> {
        let mut owner = [0; 16];
        let drawn = SystemRandom::new().fill(&mut owner);
        drawn.map_err(|_| self.store.error("cannot be locked, for want of random numbers"))?;
        let (key, life) = (self.store.key("lease"), milliseconds(self.store.lease));
        let mut set = cmd("SET");
        set.arg(key).arg(&owner).arg("NX").arg("PX").arg(life);
        let is_ours = self.run(&set)? == Value::Okay;
        self.owner = is_ours.then_some(owner);
        Ok(is_ours)
    }
}

impl Drop for RedisSession<'_> {
    fn drop(&mut self) {
        if let Some(owner) = self.owner.take() {
            let key = self.store.key("lease");
            // A lease that cannot be released runs out.
            let _ = self.run(cmd("EVAL").arg(RELEASE).arg(1).arg(key).arg(&owner));
        }
    }
}
