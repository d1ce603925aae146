//! Which certificate authorities are trusted, and the TLS configuration made from them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rustls::client::Resumption;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use crate::{Error, env};

/// Where systems keep all their trusted authorities in one file, most common first.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/cacert.pem",
    "/etc/ssl/cert.pem",
];

pub(super) struct Trust {
    ca_file: Vec<CertificateDer<'static>>,
    bundle: Option<PathBuf>,
    folder: Option<PathBuf>,
    /// Made by the first exchange over TLS; an atomic, since a fork may come in between.
    config: ArcSwapOption<ClientConfig>,
}

impl Trust {
    /// Reads `ca_file` now, so that a wrong one is known at once; the system's roots come later.
    pub(super) fn new(ca_file: Option<&Path>) -> Result<Self, Error> {
        Ok(Self {
            ca_file: ca_file.map_or(Ok(Vec::new()), |path| read_file("ca_file", path))?,
            bundle: env::read("SSL_CERT_FILE")?.map(PathBuf::from),
            folder: env::read("SSL_CERT_DIR")?.map(PathBuf::from),
            config: ArcSwapOption::empty(),
        })
    }

    /// TLS 1.2 or 1.3 with ring; no process-wide default is asked for or set.
    pub(super) fn client_config(&self) -> Result<Arc<ClientConfig>, Error> {
        if let Some(config) = self.config.load_full() {
            return Ok(config);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring speaks TLS 1.2 and 1.3")
            .with_root_certificates(self.roots()?)
            .with_no_client_auth();
        // No connection follows another soon enough to profit from a kept session.
        config.resumption = Resumption::disabled();
        let config = Arc::new(config);
        self.config.store(Some(config.clone()));
        Ok(config)
    }

    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut store = RootCertStore::empty();
        let (added, _) = store.add_parsable_certificates(self.system_roots()?);
        if added == 0 {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        store.add_parsable_certificates(self.ca_file.iter().cloned());
        Ok(store)
    }

    /// What the environment names, else the system's bundle; nothing on a system without one.
    fn system_roots(&self) -> Result<Vec<CertificateDer<'static>>, Error> {
        if self.bundle.is_none() && self.folder.is_none() {
            let bundle = BUNDLES.iter().map(Path::new).find(|path| path.exists());
            return bundle.map_or(Ok(Vec::new()), |path| read_file("system's trust store", path));
        }
        let mut roots = Vec::new();
        if let Some(path) = &self.bundle {
            roots.extend(read_file("SSL_CERT_FILE", path)?);
        }
        if let Some(path) = &self.folder {
            roots.extend(read_folder(path)?);
        }
        Ok(roots)
    }
}

fn read_file(what: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let certificates = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .unwrap_or_default();
    if certificates.is_empty() {
        return Err(Error::invalid(format!(
            "the {what} {} holds no certificate that can be read; name a PEM file of certificate authorities",
            path.display()
        )));
    }
    Ok(certificates)
}

/// All certificates in the files of `path`; what is not a PEM file is passed over, as OpenSSL does.
fn read_folder(path: &Path) -> Result<Vec<CertificateDer<'static>>, Error> {
    let entries = path.read_dir().map_err(|error| {
        Error::invalid(format!(
            "SSL_CERT_DIR {} cannot be read ({}); name a folder of PEM files",
            path.display(),
            error.kind()
        ))
    })?;
    Ok(entries
        .flatten()
        .filter_map(|entry| CertificateDer::pem_file_iter(entry.path()).ok())
        .flat_map(Iterator::flatten)
        .collect())
}
