//! Reads certificates from PEM files and from folders of them.

use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, TrustAnchor};

use crate::sys::file::{FileError, not_opened, read_file};

/// For all files together: many times what any system has.
const LIMIT: usize = 16 * 1024 * 1024;

/// Certificate authorities.
pub(super) type Anchors = Vec<TrustAnchor<'static>>;

/// Those of certificates in DER that can be read.
pub(super) fn parse(certificates: Vec<Vec<u8>>) -> Anchors {
    let mut store = RootCertStore::empty();
    store.add_parsable_certificates(certificates.into_iter().map(CertificateDer::from));
    store.roots
}

/// Reads all that is trusted, up to a limit.
pub(super) struct Reader {
    left: usize,
    /// The last thing that was not read and may be read another time.
    pub(super) missed: Option<String>,
    /// What was named and cannot be read.
    pub(super) passed_over: Vec<String>,
}

impl Reader {
    pub(super) fn new() -> Self {
        Self { left: LIMIT, missed: None, passed_over: Vec::new() }
    }

    /// All authorities in a PEM file, or in the files of a folder. What is no certificate there is
    /// skipped, as OpenSSL does.
    pub(super) fn read(&mut self, path: &Path) -> Result<Anchors, FileError> {
        let mut store = RootCertStore::empty();
        let read = match self.add_file(path, &mut store) {
            Err(FileError::Folder) => self.add_folder(path, &mut store),
            result => result,
        };
        read.inspect_err(|&why| self.miss(path, why))?;
        Ok(store.roots)
    }

    fn miss(&mut self, path: &Path, why: FileError) {
        if why.is_transient() {
            self.missed = Some(format!("{} {why}", path.display()));
        }
    }

    fn add_folder(&mut self, path: &Path, store: &mut RootCertStore) -> Result<(), FileError> {
        for entry in path.read_dir().map_err(not_opened)? {
            let file = entry.map_err(not_opened)?.path();
            match self.add_file(&file, store) {
                Err(why @ FileError::Larger(_)) => return Err(why),
                Err(why) => self.miss(&file, why),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    fn add_file(&mut self, path: &Path, store: &mut RootCertStore) -> Result<(), FileError> {
        let bytes = read_file(path, self.left).map_err(|why| match why {
            FileError::Larger(_) => FileError::Larger(LIMIT),
            why => why,
        })?;
        self.left -= bytes.len();
        store.add_parsable_certificates(CertificateDer::pem_slice_iter(&bytes).flatten());
        Ok(())
    }
}
