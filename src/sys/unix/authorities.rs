//! Reads whom the system trusts where it keeps that elsewhere than in files.

use std::io;

pub(crate) use crate::sys::system_roots::SystemRoots;

/// What people are told of it, if there is one.
pub(crate) const NAME: Option<&str> =
    if cfg!(target_os = "macos") { Some("keychain") } else { None };

/// `None` where there are files.
#[cfg(not(target_os = "macos"))]
pub(crate) fn list() -> Option<io::Result<SystemRoots>> {
    None
}

/// The trust settings of the user go before those of the administrator, and these before Apple's.
#[cfg(target_os = "macos")]
pub(crate) fn list() -> Option<io::Result<SystemRoots>> {
    Some(macos::list().map_err(io::Error::other))
}

#[cfg(target_os = "macos")]
mod macos {
    use std::collections::HashMap;

    use security_framework::base::Result;
    use security_framework::trust_settings::TrustSettingsForCertificate::{TrustAsRoot, TrustRoot};
    use security_framework::trust_settings::{Domain, TrustSettings};

    use super::SystemRoots;

    pub(super) fn list() -> Result<SystemRoots> {
        let mut is_trusted = HashMap::new();
        for domain in [Domain::User, Domain::Admin, Domain::System] {
            let settings = TrustSettings::new(domain);
            for certificate in settings.iter()? {
                // What has no settings for TLS is trusted.
                let setting = settings.tls_trust_settings_for_certificate(&certificate)?;
                let trusts = matches!(setting, None | Some(TrustRoot | TrustAsRoot));
                is_trusted.entry(certificate.to_der()).or_insert(trusts);
            }
        }
        let trusted = is_trusted.into_iter().filter_map(|(der, trusts)| trusts.then_some(der));
        Ok(SystemRoots { trusted: trusted.collect(), distrusted: Vec::new(), is_complete: true })
    }
}
