//! Which certificate authorities are trusted, and the TLS configuration made from them.

#[cfg(feature = "python")]
use std::collections::HashSet;
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

pub(crate) struct Trust {
    ca_file: Vec<CertificateDer<'static>>,
    /// What the environment names: files and folders instead of the system's own.
    named: Vec<PathBuf>,
    /// Made by the first exchange over TLS; an atomic, since a fork may come in between.
    config: ArcSwapOption<ClientConfig>,
}

impl Trust {
    /// Reads `ca_file` now, so that a wrong one is known at once; the system's roots come later.
    pub(crate) fn new(ca_file: Option<&Path>) -> Result<Self, Error> {
        let file = env::read("SSL_CERT_FILE")?.map(PathBuf::from);
        let folders = env::read("SSL_CERT_DIR")?.unwrap_or_default();
        let folders = folders.split(':').filter(|folder| !folder.is_empty()).map(PathBuf::from);
        let named: Vec<_> = file.into_iter().chain(folders).collect();
        if let Some(missing) = named.iter().find(|path| !path.exists()) {
            return Err(Error::invalid(format!(
                "SSL_CERT_FILE or SSL_CERT_DIR names {}, which cannot be read; correct or unset it",
                missing.display()
            )));
        }
        let ca_file = ca_file.map_or(Ok(Vec::new()), |path| {
            let found = read(path);
            let (added, _) =
                RootCertStore::empty().add_parsable_certificates(found.iter().cloned());
            if added == 0 { Err(no_certificate("ca_file", path)) } else { Ok(found) }
        })?;
        Ok(Self { ca_file, named, config: ArcSwapOption::empty() })
    }

    /// TLS 1.2 or 1.3 with ring; no process-wide default is asked for or set.
    pub(crate) fn client_config(&self) -> Result<Arc<ClientConfig>, Error> {
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

    /// What the environment names, else the system's bundle, else Mozilla's roots; and `ca_file`.
    fn roots(&self) -> Result<RootCertStore, Error> {
        let mut store = RootCertStore::empty();
        if let Some(first) = self.named.first() {
            let (added, _) =
                store.add_parsable_certificates(self.named.iter().flat_map(|p| read(p)));
            if added == 0 {
                return Err(no_certificate("trust store that the environment names,", first));
            }
        } else if let Some(bundle) = system_bundle() {
            let (added, _) = store.add_parsable_certificates(read(bundle));
            if added == 0 {
                return Err(no_certificate("system's trust store", bundle));
            }
        } else {
            store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        store.add_parsable_certificates(self.ca_file.iter().cloned());
        Ok(store)
    }

    /// How many authorities are trusted and where they come from, for people.
    #[cfg(feature = "python")]
    pub(crate) fn describe(&self) -> Result<String, Error> {
        let roots = self.roots()?.roots;
        // A folder may hold each one under several names.
        let keys: HashSet<_> = roots.iter().map(|root| &*root.subject_public_key_info).collect();
        let source = match (self.named.as_slice(), system_bundle()) {
            ([], None) => "Mozilla, since the system has no list of its own".to_owned(),
            ([], Some(bundle)) => format!("the system's {}", bundle.display()),
            (named, _) => {
                let paths: Vec<_> = named.iter().map(|path| path.display().to_string()).collect();
                format!("SSL_CERT_FILE or SSL_CERT_DIR ({})", paths.join(", "))
            }
        };
        Ok(format!("number of authorities: {}, from {source}", keys.len()))
    }
}

fn system_bundle() -> Option<&'static Path> {
    BUNDLES.iter().map(Path::new).find(|path| path.exists())
}

/// All certificates in a PEM file, or in the files of a folder; what is none is passed over, as
/// OpenSSL does.
fn read(path: &Path) -> Vec<CertificateDer<'static>> {
    let files = match path.read_dir() {
        Ok(entries) => entries.flatten().map(|entry| entry.path()).collect(),
        Err(_) => vec![path.to_owned()],
    };
    files
        .iter()
        .filter_map(|file| CertificateDer::pem_file_iter(file).ok())
        .flat_map(Iterator::flatten)
        .collect()
}

fn no_certificate(what: &str, path: &Path) -> Error {
    Error::invalid(format!(
        "the {what} {} holds no certificate that can be read; name a PEM file of certificate authorities",
        path.display()
    ))
}
