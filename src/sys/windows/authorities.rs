//! Reads whom the system trusts, as the user who runs this process sees it.

use std::{io, ptr, slice};

use windows_sys::Win32::Security::Cryptography::{
    CertCloseStore, CertEnumCertificatesInStore, CertOpenSystemStoreW, HCERTSTORE,
};
use windows_sys::core::{PCWSTR, w};

pub(crate) use crate::sys::system_roots::SystemRoots;

/// What people are told of it, if there is one.
pub(crate) const NAME: Option<&str> = Some("certificate store, with Mozilla");

/// Windows adds a root only when a program of its own needs it, so ROOT is incomplete. CertGetCertificateChain would
/// fetch the rest, but may wait for the network for half a minute.
pub(crate) fn list() -> Option<io::Result<SystemRoots>> {
    let list = || {
        let (trusted, distrusted) = (Store::open(w!("ROOT"))?, Store::open(w!("Disallowed"))?);
        let (trusted, distrusted) = (trusted.certificates(), distrusted.certificates());
        Ok(SystemRoots { trusted, distrusted, is_complete: false })
    };
    Some(list())
}

struct Store(HCERTSTORE);

impl Store {
    fn open(name: PCWSTR) -> io::Result<Self> {
        // SAFETY: the name ends in NUL, and 0 stands for no provider.
        let store = unsafe { CertOpenSystemStoreW(0, name) };
        if store.is_null() { Err(io::Error::last_os_error()) } else { Ok(Self(store)) }
    }

    fn certificates(&self) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let mut last = ptr::null();
        loop {
            // SAFETY: the store is open, and `last` is what the call before gave, or null at first; the call
            // frees it.
            last = unsafe { CertEnumCertificatesInStore(self.0, last) };
            if last.is_null() {
                return found;
            }
            // SAFETY: the certificate is there until the next call, and so are as many bytes as it says.
            let der = unsafe {
                slice::from_raw_parts((*last).pbCertEncoded, (*last).cbCertEncoded as usize)
            };
            found.push(der.to_vec());
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // SAFETY: the store is this one's own, and nothing of it is in use.
        unsafe { CertCloseStore(self.0, 0) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_store_of_each_kind() {
        let SystemRoots { trusted, is_complete, .. } = list().unwrap().unwrap();
        assert!(!is_complete);
        // Each is a SEQUENCE, whose length is in two bytes.
        assert!(trusted.iter().all(|der| der.starts_with(&[0x30, 0x82])));
    }
}
