//! Reads whom the system trusts, as the user who runs this process sees it.

use std::ffi::CStr;
use std::{io, ptr, slice};

use windows_sys::Win32::Foundation::{CRYPT_E_NOT_FOUND, GetLastError};
use windows_sys::Win32::Security::Cryptography::{
    CERT_CONTEXT, CERT_STORE_PROV_SYSTEM_W, CERT_STORE_READONLY_FLAG,
    CERT_SYSTEM_STORE_CURRENT_USER, CTL_USAGE, CertCloseStore, CertEnumCertificatesInStore,
    CertGetEnhancedKeyUsage, CertOpenStore, CertVerifyTimeValidity, HCERTSTORE,
};
use windows_sys::core::{PCWSTR, w};

pub(crate) use crate::sys::system_roots::SystemRoots;

/// What people are told of it, if there is one.
pub(crate) const NAME: Option<&str> = Some("certificate store, with Mozilla");

/// The purpose of a server's certificate (id-kp-serverAuth, RFC 5280 section 4.2.1.12).
const SERVERS: &[u8] = b"1.3.6.1.5.5.7.3.1";

/// Windows adds a root only when a program of its own needs it, so ROOT is incomplete. CertGetCertificateChain would
/// fetch the rest, but may wait for the network for half a minute.
pub(crate) fn list() -> Option<io::Result<SystemRoots>> {
    let list = || {
        let (mut trusted, mut distrusted) = (Vec::new(), Vec::new());
        Store::open(w!("ROOT"))?.for_each(|certificate| {
            // Who has taken a purpose from a root does not want Mozilla's copy of it either.
            let fitting = if is_for_servers(certificate) { &mut trusted } else { &mut distrusted };
            fitting.push(der(certificate));
        });
        Store::open(w!("Disallowed"))?.for_each(|certificate| distrusted.push(der(certificate)));
        Ok(SystemRoots { trusted, distrusted, is_complete: false })
    };
    Some(list())
}

/// Whether it may say whom a server is, and is valid now.
fn is_for_servers(certificate: &CERT_CONTEXT) -> bool {
    // SAFETY: the certificate is whole; null stands for now.
    let is_valid = unsafe { CertVerifyTimeValidity(ptr::null(), certificate.pCertInfo) } == 0;
    is_valid && usages(certificate).is_none_or(|usages| usages.iter().any(|usage| usage == SERVERS))
}

/// What it may be used for, by itself and by what was set for it here; `None` is for everything.
fn usages(certificate: &CERT_CONTEXT) -> Option<Vec<Vec<u8>>> {
    let mut size = 0;
    // SAFETY: without room it tells how much is needed.
    if unsafe { CertGetEnhancedKeyUsage(certificate, 0, ptr::null_mut(), &mut size) } == 0 {
        return Some(Vec::new());
    }
    // What is aligned for a CTL_USAGE.
    let mut room = vec![0_u64; (size as usize).div_ceil(size_of::<u64>())];
    let usage = room.as_mut_ptr().cast::<CTL_USAGE>();
    // SAFETY: there is room for so many bytes.
    if unsafe { CertGetEnhancedKeyUsage(certificate, 0, usage, &mut size) } == 0 {
        return Some(Vec::new());
    }
    // SAFETY: the call has no preconditions; it follows the one that it is about.
    let is_for_all = unsafe { GetLastError() } == CRYPT_E_NOT_FOUND.cast_unsigned();
    // SAFETY: the room was filled in, with so many texts that end in NUL.
    let texts = unsafe {
        let count = (*usage).cUsageIdentifier as usize;
        (0..count).map(|at| CStr::from_ptr((*(*usage).rgpszUsageIdentifier.add(at)).cast()))
    };
    let usages: Vec<_> = texts.map(|text| text.to_bytes().to_vec()).collect();
    if usages.is_empty() && is_for_all { None } else { Some(usages) }
}

fn der(certificate: &CERT_CONTEXT) -> Vec<u8> {
    let size = certificate.cbCertEncoded as usize;
    // SAFETY: the certificate has so many bytes.
    unsafe { slice::from_raw_parts(certificate.pbCertEncoded, size) }.to_vec()
}

struct Store(HCERTSTORE);

impl Store {
    /// To read alone: that of the user, which has that of the machine in it, also where the user has none yet.
    fn open(name: PCWSTR) -> io::Result<Self> {
        let flags = CERT_SYSTEM_STORE_CURRENT_USER | CERT_STORE_READONLY_FLAG;
        // SAFETY: the name ends in NUL, and 0 stands for no provider.
        let store = unsafe { CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, flags, name.cast()) };
        if store.is_null() { Err(io::Error::last_os_error()) } else { Ok(Self(store)) }
    }

    fn for_each(&self, mut look: impl FnMut(&CERT_CONTEXT)) {
        let mut last = ptr::null();
        loop {
            // SAFETY: the store is open, and `last` is what the call before gave, or null at first; the call
            // frees it.
            last = unsafe { CertEnumCertificatesInStore(self.0, last) };
            // SAFETY: the certificate is there until the next call.
            let Some(certificate) = (unsafe { last.as_ref() }) else { return };
            look(certificate);
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
    fn roots_are_trusted_and_not_all_others() {
        let SystemRoots { trusted, is_complete, .. } = list().unwrap().unwrap();
        assert!(!trusted.is_empty() && !is_complete);
        // Each is a SEQUENCE, whose length is in two bytes.
        assert!(trusted.iter().all(|der| der.starts_with(&[0x30, 0x82])));
    }
}
