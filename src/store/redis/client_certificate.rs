//! Reads the certificate, and its key, by which a Redis over TLS knows its clients.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::InconsistentKeys;
use rustls::client::ResolvesClientCert;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use zeroize::Zeroizing;

use crate::sys::file::read_file;

/// A file that is longer, in bytes, is refused.
const LONGEST: usize = 256 * 1024;

/// The files in the query of a URL.
#[derive(Clone)]
pub(super) struct ClientCertificate {
    pub(super) chain: PathBuf,
    pub(super) key: PathBuf,
}

impl ClientCertificate {
    /// As redis-py names them in a URL.
    pub(super) const CHAIN: &str = "ssl_certfile";
    pub(super) const KEY: &str = "ssl_keyfile";

    /// Read for each connection, so that what was renewed is used at once; and once more, for the case that one of
    /// the files was replaced in between.
    pub(super) fn read(&self) -> Result<Arc<dyn ResolvesClientCert>, String> {
        self.read_once().or_else(|_| self.read_once())
    }

    fn read_once(&self) -> Result<Arc<dyn ResolvesClientCert>, String> {
        let chain = read_pem(Self::CHAIN, &self.chain)?;
        let chain = CertificateDer::pem_slice_iter(&chain).collect::<Result<Vec<_>, _>>();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| unusable(Self::CHAIN, "has no certificate in PEM"))?;
        let key = PrivateKeyDer::from_pem_slice(&read_pem(Self::KEY, &self.key)?).ok();
        let key = key.and_then(|key| ring::sign::any_supported_type(&key).ok());
        let key = key.ok_or_else(|| {
            unusable(Self::KEY, "has no key in PEM of RSA, ECDSA or Ed25519 without a passphrase")
        })?;
        let certified = CertifiedKey::new(chain, key);
        // A certificate that is not understood is the server's to judge.
        let mismatch = rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch);
        if certified.keys_match() == Err(mismatch) {
            return Err(unusable(Self::KEY, "has the key of another certificate"));
        }
        Ok(Arc::new(SingleCertAndKey::from(certified)))
    }
}

fn read_pem(name: &str, path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    read_file(path, LONGEST).map_err(|why| unusable(name, &why.to_string()))
}

fn unusable(name: &str, why: &str) -> String {
    format!("the file that {name} in its URL names {why}")
}
