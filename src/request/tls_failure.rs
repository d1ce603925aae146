//! Maps TLS errors to words that say what to do.

use std::io;

use rustls::{AlertDescription, CertificateError, Error, OtherError};

use crate::text::printable;

/// So much is shown of the names in a certificate, in characters.
const LONGEST_NAMES: usize = 200;

/// What is spoken, for those who run a server that speaks something else; docs/platforms.md has more.
const SPOKEN: &str = "TLS 1.2 or 1.3 with ECDHE (X25519, P-256, P-384) and AES-GCM or ChaCha20-Poly1305 \
                      is spoken here, with certificates of RSA from 2,048 bits, P-256, P-384 or Ed25519";

pub(crate) fn words(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => certificate(error),
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "it wants a client certificate, which can be given to Redis alone: in its URL, with \
             ?ssl_certfile=PATH&ssl_keyfile=PATH"
                .into()
        }
        // What a server says of a certificate can only be about that of its client.
        Error::AlertReceived(
            alert @ (AlertDescription::BadCertificate
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA),
        ) => format!("it does not accept the client certificate ({alert:?})"),
        // In TLS 1.2 it says no more if it wants a certificate (RFC 5246 section 7.4.6).
        Error::AlertReceived(AlertDescription::HandshakeFailure) => format!(
            "it ended the handshake with HandshakeFailure ({SPOKEN}), or wants a client certificate"
        ),
        Error::AlertReceived(
            alert @ (AlertDescription::InsufficientSecurity | AlertDescription::ProtocolVersion),
        ) => format!("it ended the handshake with {alert:?} ({SPOKEN})"),
        Error::AlertReceived(alert) => format!("it ended the handshake with {alert:?}"),
        Error::PeerIncompatible(_) => format!("it agrees to nothing that is offered ({SPOKEN})"),
        Error::FailedToGetRandomBytes => "the system gave no random numbers".into(),
        _ => "it does not speak TLS 1.2 or 1.3 as it should".into(),
    }
}

/// Whether the server has a fault of its own that has nothing to do with what was offered (RFC 8446
/// section 6.2), or this machine has one.
pub(super) fn may_pass(error: &Error) -> bool {
    matches!(
        error,
        Error::AlertReceived(AlertDescription::InternalError) | Error::FailedToGetRandomBytes
    )
}

/// Whether a certificate was refused that is valid at another time.
pub(super) fn is_about_time(error: &io::Error) -> bool {
    use CertificateError::*;
    let error = error.get_ref().and_then(|error| error.downcast_ref::<Error>());
    matches!(
        error,
        Some(Error::InvalidCertificate(
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. }
        ))
    )
}

fn certificate(error: &CertificateError) -> String {
    use CertificateError::*;
    let why = match error {
        UnknownIssuer => {
            "comes from no trusted authority (for a private one, pass ca_file; a server must also \
             send the certificates between its own and the authority's)"
        }
        Expired | ExpiredContext { .. } => "has expired",
        NotValidYet | NotValidYetContext { .. } => "is not valid yet",
        NotValidForNameContext { presented, .. } => return for_another_host(presented),
        NotValidForName => "is for another host name",
        InvalidPurpose | InvalidPurposeContext { .. } => {
            "is not for servers (its extended key usage lacks serverAuth)"
        }
        BadSignature => {
            "or a proof that the server holds its key is signed wrongly, or by an RSA key of fewer \
             than 2,048 bits"
        }
        UnsupportedSignatureAlgorithmContext { .. }
        | UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            "is signed in a way that is not accepted (RSA from 2,048 bits, P-256, P-384 and Ed25519 \
             are, with SHA-256, SHA-384 or SHA-512)"
        }
        UnhandledCriticalExtension => "has a critical extension that is not known",
        BadEncoding => "cannot be parsed",
        Revoked => "was revoked",
        Other(error) => return other(error),
        _ => "is not acceptable",
    };
    format!("its certificate {why}")
}

fn for_another_host(presented: &[String]) -> String {
    if presented.is_empty() {
        return "its certificate names no host: it has no subject alternative name, and a common name \
                does not count (RFC 6125)"
            .into();
    }
    let names = printable(&presented.join(", "), LONGEST_NAMES);
    format!("its certificate is for another host name ({names})")
}

/// What rustls has no name for.
fn other(OtherError(error): &OtherError) -> String {
    match error.downcast_ref() {
        Some(webpki::Error::CaUsedAsEndEntity) => {
            "its certificate is a certificate authority's own (CA:TRUE, which openssl req -x509 makes \
             unless told otherwise) and not a server's; make one with \
             -addext basicConstraints=critical,CA:FALSE, or have the authority sign one"
                .into()
        }
        Some(error) => {
            // The variant's name alone; what is in it came from the server.
            let name = format!("{error:?}");
            let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap_or_default();
            format!("its certificate is not acceptable ({name})")
        }
        None => "its certificate is not acceptable".into(),
    }
}

#[cfg(test)]
mod tests {
    use rustls::PeerIncompatible;

    use super::*;

    /// What is said of an error that comes of a certificate, without the start that all have in common.
    fn said(error: CertificateError) -> String {
        let said = words(&Error::InvalidCertificate(error));
        said.strip_prefix("its certificate ").expect(&said).to_owned()
    }

    fn from_webpki(error: webpki::Error) -> CertificateError {
        CertificateError::Other(OtherError(std::sync::Arc::new(error)))
    }

    #[test]
    fn each_flaw_of_a_certificate_has_its_words() {
        use CertificateError::*;
        for (error, start) in [
            (NotValidForName, "is for another host name"),
            (BadSignature, "or a proof that the server holds its key is signed wrongly"),
            (
                UnsupportedSignatureAlgorithmForPublicKeyContext {
                    signature_algorithm_id: Vec::new(),
                    public_key_algorithm_id: Vec::new(),
                },
                "is signed in a way that is not accepted",
            ),
            (UnhandledCriticalExtension, "has a critical extension that is not known"),
            (BadEncoding, "cannot be parsed"),
            (Revoked, "was revoked"),
            (UnknownRevocationStatus, "is not acceptable"),
            (from_webpki(webpki::Error::CaUsedAsEndEntity), "is a certificate authority's own"),
            (Other(OtherError(std::sync::Arc::new(std::fmt::Error))), "is not acceptable"),
        ] {
            assert!(said(error.clone()).starts_with(start), "{error:?}");
        }
    }

    /// The name of the error alone: what is in it came from the server.
    #[test]
    fn what_has_no_words_has_a_name() {
        let error = webpki::Error::UnsupportedCertVersion;
        assert_eq!(said(from_webpki(error)), "is not acceptable (UnsupportedCertVersion)");
    }

    #[test]
    fn a_server_that_agrees_to_nothing_is_told_what_is_offered() {
        let error = Error::PeerIncompatible(PeerIncompatible::NoCipherSuitesInCommon);
        assert_eq!(words(&error), format!("it agrees to nothing that is offered ({SPOKEN})"));
    }
}
