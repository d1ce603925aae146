//! Decides which certificate authorities are trusted, and makes the TLS configuration from them.

mod no_keys;
mod reader;
mod sources;
mod stamps;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::{ClientConfig, RootCertStore};

use self::no_keys::NoKeys;
use self::reader::{Anchors, Reader};
use self::sources::{Place, Sources};
use self::stamps::Stamps;
use crate::env::Common;
use crate::error::Error;
use crate::queue::Queue;
use crate::sys::clock::{Clock, Moment};
use crate::sys::memory;

/// How often the files are looked at, at the most, while no certificate is refused.
const BETWEEN_LOOKS: Duration = Duration::from_secs(60);

pub(crate) struct Trust {
    ca_file: Option<CaFile>,
    sources: Sources,
    clock: Clock,
    /// Made by the first connection over TLS; an atomic, since a fork may come in between.
    kept: ArcSwapOption<Kept>,
    /// What could not be read, for now, of what the last connection was to trust.
    missed: ArcSwapOption<String>,
    /// What is to be told once the connection has ended.
    warnings: Queue<String>,
}

struct CaFile {
    path: PathBuf,
    /// What it held when it was last read: it need not stay there, or stay readable.
    anchors: ArcSwap<Anchors>,
}

/// A configuration from all that is to be trusted.
struct Kept {
    config: Arc<ClientConfig>,
    /// Taken before the files were read.
    stamps: Stamps,
    looked: ArcSwap<Moment>,
}

impl Trust {
    /// Reads `ca_file` now, so that a wrong one is known at once; all else comes with the first
    /// connection over TLS.
    pub(crate) fn new(
        ca_file: Option<&Path>,
        variables: Common,
        system_roots: bool,
    ) -> Result<Self, Error> {
        let ca_file = ca_file.map(CaFile::new).transpose()?;
        let sources = if system_roots { Sources::from_env(variables)? } else { Sources::Nothing };
        Ok(Self {
            ca_file,
            sources,
            clock: Clock::default(),
            kept: ArcSwapOption::empty(),
            missed: ArcSwapOption::empty(),
            warnings: Queue::default(),
        })
    }

    /// Refuses what can be known to be wrong without a connection over TLS.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if matches!((&self.sources, &self.ca_file), (Sources::Nothing, None)) {
            return Err(nothing_trusted());
        }
        self.sources.check()
    }

    /// TLS 1.2 or 1.3 with ring; no process-wide default is asked for or set.
    ///
    /// # Errors
    /// `InvalidArgument` if nothing is trusted, `Transport` if that cannot be known now.
    pub(crate) fn client_config(&self) -> Result<Arc<ClientConfig>, Error> {
        self.missed.store(None);
        let kept = self.kept.load_full();
        if let Some(kept) = kept.as_ref().filter(|kept| self.is_current(kept)) {
            return Ok(kept.config.clone());
        }
        let (now, stamps) = (self.clock.now(), self.stamps());
        let mut reader = Reader::new();
        let roots = self.read(&mut reader);
        let config = match (roots, kept) {
            (Ok(roots), _) if reader.missed.is_none() => configure(roots),
            // Rather all that was trusted before than a part of what is to be trusted now.
            (roots, Some(kept)) => {
                let _ = roots.inspect_err(|error| self.warn(error));
                return Ok(kept.config.clone());
            }
            // It may do for one connection; the next one reads all again.
            (Ok(roots), None) => {
                self.missed.store(reader.missed.map(Arc::new));
                return Ok(configure(roots));
            }
            (Err(error), None) => return Err(error),
        };
        // What there is for a time without memory is not to be taken up for long.
        if memory::is_short() {
            return Ok(config);
        }
        let looked = ArcSwap::from_pointee(now);
        self.kept.store(Some(Arc::new(Kept { config: config.clone(), stamps, looked })));
        Ok(config)
    }

    /// Why a certificate that was refused may be a good one, if a part could not be read for now.
    pub(crate) fn excuse(&self) -> Option<Error> {
        self.missed.load().as_ref().map(|missed| sources::for_now(missed))
    }

    /// Has the next connection read all again, since a certificate was refused. Whether other
    /// certificates may be trusted by then.
    pub(crate) fn reconsider(&self) -> bool {
        self.kept.swap(None).is_none_or(|kept| kept.stamps != self.stamps())
    }

    fn is_current(&self, kept: &Kept) -> bool {
        let now = self.clock.now();
        if now.since(**kept.looked.load()) < BETWEEN_LOOKS {
            return true;
        }
        let is_current = kept.stamps == self.stamps();
        if is_current {
            kept.looked.store(Arc::new(now));
        }
        is_current
    }

    fn stamps(&self) -> Stamps {
        let ca_file = self.ca_file.iter().map(|file| file.path.clone());
        Stamps::of(self.sources.paths().into_iter().chain(ca_file))
    }

    fn read(&self, reader: &mut Reader) -> Result<RootCertStore, Error> {
        let mut roots = self.sources.read(reader)?;
        if let Some(file) = &self.ca_file {
            let anchors = file.read(reader, |error| self.warn(&error));
            roots.extend(anchors.iter().cloned());
        }
        if roots.is_empty() {
            return Err(nothing_trusted());
        }
        for what in &reader.passed_over {
            self.warn(&format_args!("{what}; it is skipped"));
        }
        Ok(RootCertStore { roots })
    }

    fn warn(&self, what: &dyn Display) {
        self.warnings.push(&what.to_string());
    }

    /// What there is to tell of the files that were read, in sentences; each is given once.
    pub(crate) fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    /// How many authorities are trusted and where they come from, for people.
    pub(crate) fn describe(&self) -> Result<String, Error> {
        let mut reader = Reader::new();
        let roots = self.read(&mut reader)?.roots;
        // A folder may hold each one under several names.
        let keys: HashSet<_> = roots.iter().map(|root| &*root.subject_public_key_info).collect();
        let mut text =
            format!("number of authorities: {}, from {}", keys.len(), self.sources.describe());
        for what in reader.passed_over.iter().chain(&reader.missed) {
            text.push_str("; ");
            text.push_str(what);
        }
        Ok(text)
    }
}

impl CaFile {
    fn new(path: &Path) -> Result<Self, Error> {
        let anchors = Place::CaFile.read(path, &mut Reader::new())?;
        Ok(Self { path: path.to_owned(), anchors: ArcSwap::from_pointee(anchors) })
    }

    /// What is in it now, or what was in it when it could be read.
    fn read(&self, reader: &mut Reader, warn: impl FnOnce(Error)) -> Arc<Anchors> {
        match Place::CaFile.read(&self.path, reader) {
            Ok(anchors) if reader.missed.is_none() => self.anchors.store(Arc::new(anchors)),
            Ok(part) => return Arc::new(part),
            Err(error) => warn(error),
        }
        self.anchors.load_full()
    }
}

fn nothing_trusted() -> Error {
    Error::invalid(
        "no certificate can be trusted, since system_roots is off and there is no ca_file; give one",
    )
}

fn configure(roots: RootCertStore) -> Arc<ClientConfig> {
    let provider = CryptoProvider { key_provider: &NoKeys, ..ring::default_provider() };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .expect("ring speaks TLS 1.2 and 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    // No connection follows another soon enough to profit from a kept session.
    config.resumption = Resumption::disabled();
    Arc::new(config)
}
