//! Keeps a token outside the process, so that others need not ask for one.

mod access;
mod backoff_record;
mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod publish;
mod record;
#[cfg(feature = "redis")]
mod redis;
mod rotation;
mod seal;
mod sealer;
mod seen;
mod session;
mod shared_store;
mod stamp;
#[cfg(test)]
pub(crate) mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

pub(crate) use self::sealer::Sealer;
pub(crate) use self::shared_store::SharedStore;
use crate::error::{Error, ErrorKind};
use crate::text::{self, printable};

/// No token's blob is longer.
pub(crate) const LONGEST_SEALED: usize =
    seal::sealed_length(crate::token::LONGEST_VALUE + record::AROUND_THE_TOKEN);

/// Where a provider keeps its token besides its own memory. Default: nowhere.
///
/// What is kept is sealed with a key made from the client secret (AES-256-GCM, HKDF-SHA256), so that
/// only who holds that secret can read it; the secret must have at least 32 characters.
#[derive(Clone, Debug, Default)]
pub struct Store(Kind);

#[derive(Clone, Debug, Default)]
enum Kind {
    #[default]
    Memory,
    File(Option<PathBuf>),
    #[cfg(feature = "redis")]
    Redis(redis::RedisUrl),
}

impl Store {
    /// In memory alone.
    pub fn memory() -> Self {
        Self(Kind::Memory)
    }

    /// In a file of the user, for all processes of this user on this machine: in the folder `clazar-auth` of
    /// `$XDG_RUNTIME_DIR`, else of `$XDG_CACHE_HOME`, else of `~/.cache`; on Windows of `%LOCALAPPDATA%`. These
    /// variables are read when the provider is built, and never again.
    pub fn file() -> Self {
        Self(Kind::File(None))
    }

    /// In a file in this folder, which is made if need be, and which no other user may enter. A relative
    /// path is refused when the provider is built.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(Kind::File(Some(path.into())))
    }

    /// In Redis or Valkey, for all processes of all hosts, at a URL such as
    /// `rediss://user:password@host:6379/0`, `rediss+cluster://user:password@node,node` or
    /// `rediss+sentinel://user:password@host,host/master`. `rediss` is Redis over TLS; its certificate is
    /// judged as the API's is. Without TLS a server must be on this machine (`localhost` or a loopback address), unless
    /// the URL ends in `?plaintext=yes`. The user needs the commands EVAL, TIME, GETRANGE, PTTL and SET (and
    /// SELECT where the URL has a database) on keys that begin with `clazar-auth:`. Redis may take 1 s for
    /// each command and 2 s in all for a token request; when it is away or slow, each host carries on alone.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for any other URL, and for one that leads to
    /// another machine without TLS.
    #[cfg(feature = "redis")]
    pub fn redis(url: &str) -> Result<Self, Error> {
        redis::RedisUrl::parse(url).map(Kind::Redis).map(Self)
    }

    /// `memory`, `file`, the URL of a Redis, or the absolute path of a folder, as in
    /// `CLAZAR_STORE`.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for anything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "memory" => Ok(Self::memory()),
            "file" => Ok(Self::file()),
            #[cfg(feature = "redis")]
            url if redis::RedisUrl::is_one(url) => Self::redis(url),
            path if Path::new(path).is_absolute() => Ok(Self::folder(path)),
            _ => Err(Error::invalid(
                "the store is none that is known; give memory, file, the absolute path of a folder (~ is \
                 the shell's), or (where Redis is built in) a URL such as rediss://host:6379, as text and \
                 not as a path",
            )),
        }
    }
}

/// What is wrong with a store, in a sentence that names no secret: a miss, and never an error for a
/// caller who can have a token without it.
#[derive(Debug)]
pub(crate) struct StoreError(String);

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.0, text::LONGEST))
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::new(ErrorKind::Store, error.0)
    }
}
