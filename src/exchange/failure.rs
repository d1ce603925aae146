//! What an exchange that brought no answer is called.

use std::io;
use std::time::Duration;

use rustls::CertificateError;
use ureq::{Proxy, Timeout};

use super::url::SecureUrl;
use crate::{Error, ErrorKind, text};

/// Where the exchange went, for the error that says so.
pub(super) struct Route<'a> {
    pub(super) url: &'a SecureUrl,
    pub(super) proxy: Option<&'a Proxy>,
    pub(super) timeout: Duration,
}

impl Route<'_> {
    /// No answer came.
    pub(super) fn failed(&self, error: ureq::Error) -> Error {
        use ureq::Error as E;
        match error {
            E::Timeout(stage) => self.timed_out(stage),
            E::Rustls(error) => self.tls_failed(&error),
            E::Tls(why) => self.tls(why),
            E::Io(error) => self.io_failed(&error),
            E::HostNotFound => self.unreachable("the host name has no address"),
            E::ConnectProxyFailed(why) => self.unreachable(&why),
            E::ConnectionFailed => self.unreachable("no connection could be made"),
            E::Protocol(_) | E::Http(_) => self.malformed("the answer is not HTTP/1.1"),
            E::LargeResponseHeader(..) => self.malformed("the header is larger than 64 KiB"),
            E::BodyExceedsLimit(_) => self.malformed("the body is larger than 64 KiB"),
            _ => Error::new(
                ErrorKind::Internal,
                format!("the request to {} could not be made; please report this", self.url),
            ),
        }
    }

    /// An answer came, but not all of its body.
    pub(super) fn broke_off(&self, error: ureq::Error) -> Error {
        match error {
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => self
                .malformed("the body ends before its announced length")
                .with_another_attempt(true),
            error => self.failed(error),
        }
    }

    fn io_failed(&self, error: &io::Error) -> Error {
        let inner = error.get_ref();
        if let Some(error) = inner.and_then(|e| e.downcast_ref::<rustls::Error>()) {
            return self.tls_failed(error);
        }
        match error.kind() {
            io::ErrorKind::TimedOut => self.timed_out(Timeout::Global),
            io::ErrorKind::UnexpectedEof => self
                .unreachable("the connection was closed before an answer came")
                .with_another_attempt(true),
            kind => {
                let broken = matches!(
                    kind,
                    io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::BrokenPipe
                );
                self.unreachable(&text::system(error)).with_another_attempt(broken)
            }
        }
    }

    fn timed_out(&self, stage: Timeout) -> Error {
        let what = match stage {
            Timeout::Connect => format!("no connection to {} could be made in time", self.place()),
            _ => format!("{} gave no answer within {:.1?}", self.place(), self.timeout),
        };
        Error::new(
            ErrorKind::Timeout,
            format!("{what}; try again, and if the network is slow raise the timeout"),
        )
        .with_another_attempt(true)
    }

    fn unreachable(&self, why: &str) -> Error {
        Error::new(
            ErrorKind::Transport,
            format!(
                "{} could not be reached: {why}; check the URL, the network and the proxy, and try again",
                self.place()
            ),
        )
    }

    fn tls_failed(&self, error: &rustls::Error) -> Error {
        use CertificateError as C;
        use rustls::Error as E;
        match error {
            E::InvalidCertificate(C::UnknownIssuer) => self.tls(
                "its certificate comes from no trusted authority (for a private one, pass ca_file)",
            ),
            E::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
                self.tls("its certificate has expired")
            }
            E::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
                self.tls("its certificate is not valid yet")
            }
            E::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
                self.tls("its certificate is for another host name")
            }
            E::InvalidCertificate(_) => self.tls("its certificate is not acceptable"),
            E::AlertReceived(alert) => self.tls(&format!("it ended the handshake with {alert:?}")),
            _ => self.tls("it does not speak TLS 1.2 or 1.3 as it should"),
        }
    }

    fn tls(&self, why: &str) -> Error {
        Error::new(
            ErrorKind::Tls,
            format!(
                "{} was refused: {why}; check the URL, the clock and the certificate",
                self.place()
            ),
        )
    }

    fn malformed(&self, why: &str) -> Error {
        Error::new(
            ErrorKind::InvalidResponse,
            format!("{} gave no token: {why}; check the URL", self.url),
        )
    }

    /// Where the exchange went, for people.
    pub(super) fn place(&self) -> String {
        match self.proxy {
            Some(proxy) => {
                format!("{} (through the proxy {}:{})", self.url, proxy.host(), proxy.port())
            }
            None => self.url.to_string(),
        }
    }
}
