//! Keeps a token outside the process, so that others need not ask for one.

mod backoff_record;
mod file;
#[cfg(fuzzing)]
pub mod fuzzing;
mod record;
#[cfg(feature = "redis")]
mod redis;
mod seal;
mod sealer;
mod session;
mod shared_store;

use std::fmt;
use std::path::PathBuf;

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
    /// `$XDG_RUNTIME_DIR`, else of `$XDG_CACHE_HOME`, else of `~/.cache`. These variables are read when
    /// the provider is built, and never again.
    pub fn file() -> Self {
        Self(Kind::File(None))
    }

    /// In a file in this folder, which is made if need be, and which no other user may enter.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(Kind::File(Some(path.into())))
    }

    /// In Redis or Valkey, for all processes of all hosts, at a URL such as
    /// `rediss://user:password@host:6379/0`. `rediss` is Redis over TLS; its certificate is judged as the
    /// API's is. When the server is away, each host carries on alone.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for any other URL.
    #[cfg(feature = "redis")]
    pub fn redis(url: &str) -> Result<Self, Error> {
        redis::RedisUrl::parse(url).map(Kind::Redis).map(Self)
    }

    /// `memory`, `file`, a `redis://` or `rediss://` URL, or the path of a folder (one with a slash in
    /// it, and not like a URL: `./a:b` for `a:b`), as in `CLAZAR_STORE`.
    ///
    /// # Errors
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) for anything else.
    pub fn parse(text: &str) -> Result<Self, Error> {
        match text {
            "memory" => Ok(Self::memory()),
            "file" => Ok(Self::file()),
            #[cfg(feature = "redis")]
            url if url.starts_with("redis://") || url.starts_with("rediss://") => Self::redis(url),
            _ if text.contains("://") || begins_as_url(text) || !text.contains('/') => {
                Err(Error::invalid(
                    "the store is none that is known; give memory, file, the path of a folder (from ./ \
                     on, if it begins like a URL), or (where Redis is built in) a redis:// or rediss:// \
                     URL, as text and not as a path",
                ))
            }
            path => Ok(Self::folder(path)),
        }
    }
}

/// Whether a text begins with a scheme (RFC 3986 section 3.1) and a colon: what libraries for paths make
/// of a URL has one slash, and the folder's name would tell the password.
fn begins_as_url(text: &str) -> bool {
    let is_scheme = |scheme: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.');
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.bytes().all(allowed)
    };
    text.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme))
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
