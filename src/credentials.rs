//! Holds a client id and secret, and reads the secret again where it may have changed.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::env;
use crate::error::{Error, ErrorKind};
use crate::interface::{OptionName, Scope};
use crate::option_values::OptionValues;
use crate::secret::Secret;
use crate::sys::file::{FileError, read_file};
use crate::text::{is_unprintable, printable};

/// A secret file larger than this is surely the wrong file.
const SECRET_FILE_LIMIT: usize = 64 * 1024;
/// No more is shown of what a function says of its failure, in characters.
const LONGEST_REASON: usize = 500;

/// The client id and the client secret with which a token is requested.
///
/// The secret is wiped from memory on drop, and `Debug` prints `[redacted]` in its place. Clones
/// share a secret that is read again.
///
/// # Errors
/// All constructors refuse an empty id or secret and one with control characters
/// ([`ErrorKind::InvalidArgument`](crate::ErrorKind::InvalidArgument)).
#[derive(Clone, Debug)]
pub struct Credentials {
    client_id: String,
    source: SecretSource,
    /// An atomic, since a fork may come at any time.
    current: Arc<ArcSwap<Current>>,
    fallback: Option<Arc<Secret>>,
}

/// What came from the source, and whether the fallback is used in its place.
#[derive(Clone, Debug)]
struct Current {
    from_source: Arc<Secret>,
    uses_fallback: bool,
    /// Whether no request has been sent with it yet, since the look that found it was ended.
    is_untried: bool,
}

/// What a program's own function for the secret fails with.
type SourceError = Box<dyn std::error::Error + Send + Sync>;

impl Credentials {
    /// Credentials that the program already holds.
    pub fn new(
        client_id: impl Into<String>,
        client_secret: impl Into<String>,
    ) -> Result<Self, Error> {
        Self::checked(client_id.into(), SecretSource::Given(Secret::new(client_secret)))
    }

    /// Credentials whose secret is in a file, such as a mounted secret.
    ///
    /// The file is read now, and again when the API refuses the secret; a changed one is then tried
    /// at once. It must be a regular file of at most 64 KiB. One newline at its end is dropped.
    ///
    /// # Errors
    /// [`Transport`](crate::ErrorKind::Transport), which may pass, if the file cannot be read for want
    /// of descriptors or memory, or because of a fault of its disk.
    pub fn from_file(
        client_id: impl Into<String>,
        client_secret_file: impl Into<PathBuf>,
    ) -> Result<Self, Error> {
        Self::checked(client_id.into(), SecretSource::file(client_secret_file))
    }

    /// Credentials whose secret comes from a function, such as a call to a secret manager.
    ///
    /// It is called now, and again when the API refuses the secret; a changed one is then tried at
    /// once. That call comes from a thread of the library, and may block.
    ///
    /// # Errors
    /// What the function fails with is reported as
    /// [`InvalidArgument`](crate::ErrorKind::InvalidArgument) with its own text, so that text must
    /// not hold the secret.
    pub fn from_fn<E: Into<Box<dyn std::error::Error + Send + Sync>>>(
        client_id: impl Into<String>,
        client_secret: impl Fn() -> Result<String, E> + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let call = move || client_secret().map(Secret::new).map_err(Into::into);
        Self::checked(client_id.into(), SecretSource::Function(SecretFunction(Arc::new(call))))
    }

    /// Credentials from `CLAZAR_CLIENT_ID` and either `CLAZAR_CLIENT_SECRET` or
    /// `CLAZAR_CLIENT_SECRET_FILE`, read now and never again (the file itself as
    /// [`from_file`](Self::from_file) says).
    pub fn from_env() -> Result<Self, Error> {
        let mut values = OptionValues::default();
        values.fill_from_env(|row| row.scope == Scope::Credentials)?;
        Self::from_values(&values)
    }

    pub(crate) fn from_values(values: &OptionValues) -> Result<Self, Error> {
        let client_id = values.text(OptionName::ClientId).ok_or_else(|| {
            let or_set = env::or_set(OptionName::ClientId.row().variable);
            Error::invalid(format!("no client id was given; pass one{or_set}"))
        })?;
        let credentials = Self::checked(client_id.to_owned(), SecretSource::from_values(values)?)?;
        match values.secret(OptionName::ClientSecretFallback) {
            Some(secret) => credentials.fallback(secret.expose()),
            None => Ok(credentials),
        }
    }

    /// The client id, which is no secret.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// A second secret, for the time of a rotation: it is tried once when the first is refused, and the
    /// one that works stays in use.
    pub fn fallback(mut self, client_secret: impl Into<String>) -> Result<Self, Error> {
        let secret = Secret::new(client_secret);
        check("fallback of the client secret", secret.expose())?;
        self.fallback = Some(Arc::new(secret));
        Ok(self)
    }

    /// The secret in use.
    pub(crate) fn client_secret(&self) -> Arc<Secret> {
        self.in_use(&self.current.load()).clone()
    }

    fn in_use<'a>(&'a self, current: &'a Current) -> &'a Arc<Secret> {
        let fallback = self.fallback.as_ref().filter(|_| current.uses_fallback);
        fallback.unwrap_or(&current.from_source)
    }

    /// Each secret that may have sealed a token, the one in use first.
    pub(crate) fn secrets(&self) -> Vec<Arc<Secret>> {
        let in_use = self.client_secret();
        let others = [Some(self.current.load().from_source.clone()), self.fallback.clone()];
        let others = others.into_iter().flatten().filter(|other| *other != in_use);
        std::iter::once(in_use.clone()).chain(others).collect()
    }

    pub(crate) fn uses_fallback(&self) -> bool {
        self.current.load().uses_fallback
    }

    /// A secret to try after those that were refused: the source is asked again, and then there is the
    /// fallback. An error if there is none, and the source could not be asked.
    pub(crate) fn another(&self, refused: &[Arc<Secret>]) -> Result<Option<Arc<Secret>>, Error> {
        let fresh = self.source.read().map(Arc::new);
        let mut others = fresh.as_ref().ok().into_iter().chain(&self.fallback);
        match others.find(|other| !refused.contains(other)) {
            Some(other) => Ok(Some(other.clone())),
            None => fresh.map(|_| None),
        }
    }

    /// Whether the secret's source may give another one.
    pub(crate) fn can_change(&self) -> bool {
        !matches!(self.source, SecretSource::Given(_))
    }

    /// Asks the source again; whether there is a secret to try, which is then the one in use. Not if a
    /// request has found one that works meanwhile, which may be newer.
    pub(crate) fn reload(&self) -> bool {
        let before = self.current.load_full();
        let fresh = self.source.read().ok().map(Arc::new);
        let known = [&before.from_source, self.in_use(&before)];
        let Some(fresh) = fresh.filter(|fresh| !known.contains(&fresh)) else {
            return before.is_untried;
        };
        let next = Current { is_untried: true, ..self.with(&fresh, &before) };
        Arc::ptr_eq(&self.current.compare_and_swap(&before, Arc::new(next)), &before)
    }

    /// Notes that a request was sent with a secret.
    pub(crate) fn note_tried(&self, secret: &Arc<Secret>) {
        let current = self.current.load();
        if current.is_untried && self.in_use(&current) == secret {
            let next = Current { is_untried: false, ..Current::clone(&current) };
            self.current.compare_and_swap(&current, Arc::new(next));
        }
    }

    /// Goes on with a secret that worked.
    pub(crate) fn keep(&self, secret: &Arc<Secret>) {
        self.current.store(Arc::new(self.with(secret, &self.current.load())));
    }

    /// What is current with `secret` in use.
    fn with(&self, secret: &Arc<Secret>, last: &Current) -> Current {
        let is_from_source = last.from_source == *secret;
        let uses_fallback = self.fallback.as_ref() == Some(secret) && !is_from_source;
        let from_source = if uses_fallback { &last.from_source } else { secret };
        Current { from_source: from_source.clone(), uses_fallback, is_untried: false }
    }

    fn checked(client_id: String, source: SecretSource) -> Result<Self, Error> {
        check("client id", &client_id)?;
        let from_source = Arc::new(source.read()?);
        let current = Current { from_source, uses_fallback: false, is_untried: false };
        let current = Arc::new(ArcSwap::from_pointee(current));
        Ok(Self { client_id, source, current, fallback: None })
    }
}

/// Where a client secret comes from.
#[derive(Clone, Debug)]
enum SecretSource {
    Given(Secret),
    File(SecretFile),
    Function(SecretFunction),
}

/// A file with a client secret.
#[derive(Clone, Debug)]
struct SecretFile {
    path: PathBuf,
    /// The argument or the variable that has the path.
    named_by: &'static str,
}

/// A program's own function for the secret.
#[derive(Clone)]
struct SecretFunction(Arc<dyn Fn() -> Result<Secret, SourceError> + Send + Sync>);

impl fmt::Debug for SecretFunction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretFunction")
    }
}

impl SecretSource {
    fn file(path: impl Into<PathBuf>) -> Self {
        Self::File(SecretFile { path: path.into(), named_by: "client_secret_file" })
    }

    /// Of a secret and a file with one only one may be given.
    fn from_values(values: &OptionValues) -> Result<Self, Error> {
        let secret = values.secret(OptionName::ClientSecret);
        let file = values.path(OptionName::ClientSecretFile);
        match (secret, file) {
            (Some(_), Some(_)) => {
                let [secret, file] = [OptionName::ClientSecret, OptionName::ClientSecretFile]
                    .map(|o| values.named_by(o));
                Err(Error::invalid(format!(
                    "a client secret ({secret}) and a file with one ({file}) were both given; keep only one"
                )))
            }
            (Some(secret), None) => Ok(Self::Given(secret.clone())),
            (None, Some(path)) => Ok(Self::File(SecretFile {
                path: path.to_owned(),
                named_by: values.named_by(OptionName::ClientSecretFile),
            })),
            (None, None) => {
                let or_set = env::or_set("CLAZAR_CLIENT_SECRET or CLAZAR_CLIENT_SECRET_FILE");
                Err(Error::invalid(format!(
                    "no client secret was given; pass one or a file with it{or_set}"
                )))
            }
        }
    }

    /// A secret that can be sent.
    fn read(&self) -> Result<Secret, Error> {
        let secret = match self {
            Self::Given(secret) => secret.clone(),
            Self::File(file) => file.read()?,
            Self::Function(SecretFunction(call)) => call().map_err(|error| {
                let why = printable(&error.to_string(), LONGEST_REASON);
                Error::invalid(format!(
                    "the client secret could not be had from its function: {why}"
                ))
            })?,
        };
        check("client secret", secret.expose())?;
        Ok(secret)
    }
}

impl SecretFile {
    fn read(&self) -> Result<Secret, Error> {
        let bytes = read_file(&self.path, SECRET_FILE_LIMIT).map_err(|why| self.unread(why))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| self.unusable("is not UTF-8 text"))?;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(self.unusable("is empty"));
        }
        Ok(Secret::new(text))
    }

    fn unread(&self, why: FileError) -> Error {
        let name = self.named_by;
        match why {
            _ if why.is_transient() => Error::new(
                ErrorKind::Transport,
                format!("the client secret file that {name} names {why}; try again"),
            ),
            // What is not there may be no path, but the secret itself.
            FileError::NotOpened(_) => Error::invalid(format!(
                "the client secret file that {name} names {why}; give the path of a file with the \
                 secret in it, which this process may read"
            )),
            _ => self.unusable(&why.to_string()),
        }
    }

    fn unusable(&self, why: &str) -> Error {
        Error::invalid(format!(
            "the client secret file {} {why}; give a file with the secret in it and nothing else",
            self.path.display()
        ))
    }
}

fn check(what: &str, text: &str) -> Result<(), Error> {
    if text.is_empty() {
        return Err(Error::invalid(format!(
            "the {what} is empty; give the one from the Clazar console"
        )));
    }
    if text.chars().any(is_unprintable) {
        return Err(Error::invalid(format!(
            "the {what} contains a line break, a byte order mark or another invisible character; \
             give it as one line of text"
        )));
    }
    Ok(())
}
