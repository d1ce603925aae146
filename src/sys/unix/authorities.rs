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
    Some(macos::list())
}

#[cfg(target_os = "macos")]
#[expect(non_upper_case_globals, reason = "the names are Apple's")]
mod macos {
    use std::collections::HashMap;
    use std::{io, ptr};

    use core_foundation::array::{CFArray, CFArrayRef};
    use core_foundation::base::{CFType, TCFType};
    use core_foundation::data::CFData;
    use core_foundation::dictionary::CFDictionary;
    use core_foundation::number::CFNumber;
    use core_foundation::string::CFString;
    use security_framework_sys::base::{SecCertificateRef, errSecNoTrustSettings, errSecSuccess};
    use security_framework_sys::certificate::SecCertificateCopyData;
    use security_framework_sys::trust_settings::{
        SecTrustSettingsCopyCertificates, SecTrustSettingsCopyTrustSettings,
        SecTrustSettingsDomain, kSecTrustSettingsDomainAdmin, kSecTrustSettingsDomainSystem,
        kSecTrustSettingsDomainUser, kSecTrustSettingsResultDeny,
        kSecTrustSettingsResultTrustAsRoot, kSecTrustSettingsResultTrustRoot,
    };

    use super::SystemRoots;

    pub(super) fn list() -> io::Result<SystemRoots> {
        let mut decisions = HashMap::new();
        for domain in [
            kSecTrustSettingsDomainUser,
            kSecTrustSettingsDomainAdmin,
            kSecTrustSettingsDomainSystem,
        ] {
            for certificate in &certificates(domain)? {
                let certificate = certificate.as_CFTypeRef().cast_mut().cast();
                // Who says nothing here leaves it to the next.
                if let Some(is_trusted) = decision(certificate, domain) {
                    decisions.entry(der(certificate)).or_insert(is_trusted);
                }
            }
        }
        let (trusted, distrusted): (Vec<_>, Vec<_>) =
            decisions.into_iter().partition(|(_, is_trusted)| *is_trusted);
        let [trusted, distrusted] =
            [trusted, distrusted].map(|list| list.into_iter().map(|(der, _)| der).collect());
        Ok(SystemRoots { trusted, distrusted, is_complete: true })
    }

    fn certificates(domain: SecTrustSettingsDomain) -> io::Result<CFArray<CFType>> {
        let mut certificates: CFArrayRef = ptr::null();
        // SAFETY: `certificates` is valid for a write.
        match unsafe { SecTrustSettingsCopyCertificates(domain, &mut certificates) } {
            // SAFETY: the call made the array for its caller.
            errSecSuccess => Ok(unsafe { CFArray::wrap_under_create_rule(certificates) }),
            errSecNoTrustSettings => Ok(CFArray::from_CFTypes(&[])),
            error => Err(io::Error::other(format!("OSStatus {error}"))),
        }
    }

    fn der(certificate: SecCertificateRef) -> Vec<u8> {
        // SAFETY: the certificate is valid, and the call makes the data for its caller.
        unsafe { CFData::wrap_under_create_rule(SecCertificateCopyData(certificate)) }.to_vec()
    }

    /// Whether it may say whom a server is; `None` if nothing is said of that.
    fn decision(certificate: SecCertificateRef, domain: SecTrustSettingsDomain) -> Option<bool> {
        let mut settings: CFArrayRef = ptr::null();
        // SAFETY: the certificate is valid, and `settings` is for a write.
        let status =
            unsafe { SecTrustSettingsCopyTrustSettings(certificate, domain, &mut settings) };
        if status != errSecSuccess {
            return None;
        }
        // SAFETY: the call made the array for its caller; what is in it are dictionaries with texts as keys.
        let settings =
            unsafe { CFArray::<CFDictionary<CFString, CFType>>::wrap_under_create_rule(settings) };
        // "An empty array means always trust this certificate" (SecTrustSettings.h).
        if settings.is_empty() {
            return Some(true);
        }
        settings.iter().find_map(|setting| decision_for_servers(&setting))
    }

    /// By a setting that is for all servers.
    fn decision_for_servers(setting: &CFDictionary<CFString, CFType>) -> Option<bool> {
        let find = |key| setting.find(&CFString::from_static_string(key));
        // Such as the name of one host.
        if find("kSecTrustSettingsPolicyString").is_some() {
            return None;
        }
        let name = find("kSecTrustSettingsPolicyName").and_then(|name| name.downcast::<CFString>());
        let is_of_a_policy = find("kSecTrustSettingsPolicy").is_some() || name.is_some();
        if is_of_a_policy && name.is_none_or(|name| name != "sslServer") {
            return None;
        }
        let result = find("kSecTrustSettingsResult").and_then(|it| it.downcast::<CFNumber>());
        let result = result.and_then(|result| result.to_i64());
        // "If not present, a default value of TrustRoot is assumed" (the same).
        let result = result.unwrap_or(kSecTrustSettingsResultTrustRoot.into());
        match u32::try_from(result).ok()? {
            kSecTrustSettingsResultTrustRoot | kSecTrustSettingsResultTrustAsRoot => Some(true),
            kSecTrustSettingsResultDeny => Some(false),
            _ => None,
        }
    }
}
