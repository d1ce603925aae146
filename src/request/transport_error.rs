//! Maps transport errors to `ErrorKind`.

use std::io;
use std::time::Duration;

use ureq::{Proxy, Timeout};

use super::limits::LONGEST_ATTEMPT;
use super::tls_failure;
use super::tunnel::CredentialsWanted;
use super::url::SecureUrl;
use crate::error::{Error, ErrorKind};
use crate::sys::lookup;
use crate::text::{self, seconds};

/// Where the token request went, for the error that says so.
pub(super) struct Target<'a> {
    pub(super) url: &'a SecureUrl,
    pub(super) proxy: Option<&'a Proxy>,
    /// For this attempt.
    pub(super) limit: Duration,
    /// For the whole token request.
    pub(super) timeout: Duration,
    /// Whether the end of a valid token leaves less than that.
    pub(super) is_cut: bool,
}

impl Target<'_> {
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
            E::Other(error) if error.is::<CredentialsWanted>() => self.refused_by_the_proxy(),
            E::ConnectionFailed => self.unreachable("no connection could be made"),
            E::Protocol(_) | E::Http(_) => self.malformed("the answer is not HTTP/1.1"),
            E::LargeResponseHeader(..) => self.malformed("the header is larger than 64 KiB"),
            E::BodyExceedsLimit(limit) => {
                self.malformed(&format!("the answer is larger than {} KiB", limit / 1024))
            }
            E::BadUri(_) | E::InvalidProxyUrl | E::RequireHttpsOnly(_) | E::TlsRequired => {
                Error::new(
                    ErrorKind::Internal,
                    format!("the request to {} could not be made; please report this", self.url),
                )
            }
            // Whatever else there is comes of what the server sent.
            _ => self.malformed("the answer cannot be read as HTTP/1.1"),
        }
    }

    /// An answer came, but not all of its body.
    pub(super) fn body_error(&self, error: ureq::Error) -> Error {
        match error {
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => self.cut(),
            // The end came within what surrounds a chunk.
            ureq::Error::BodyStalled => self.cut(),
            error => self.failed(error),
        }
    }

    fn cut(&self) -> Error {
        self.unreachable("the connection was closed before the whole answer came")
            .with_another_attempt(true)
    }

    fn io_failed(&self, error: &io::Error) -> Error {
        let inner = error.get_ref();
        if let Some(error) = inner.and_then(|e| e.downcast_ref::<rustls::Error>()) {
            return self.tls_failed(error);
        }
        match error.kind() {
            io::ErrorKind::TimedOut => self.timed_out(Timeout::Global),
            io::ErrorKind::OutOfMemory => Error::out_of_memory(),
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
                        | io::ErrorKind::NetworkUnreachable
                        | io::ErrorKind::NetworkDown
                        | io::ErrorKind::HostUnreachable
                        | io::ErrorKind::AddrNotAvailable
                ) || lookup::may_pass(error);
                self.unreachable(&text::system(error)).with_another_attempt(broken)
            }
        }
    }

    fn timed_out(&self, stage: Timeout) -> Error {
        let place = self.location();
        let (limit, timeout) = (seconds(self.limit), seconds(self.timeout));
        let text = match stage {
            Timeout::Resolve => {
                format!(
                    "the name lookup for {place} took too long; check the name server, and try again"
                )
            }
            Timeout::Connect => format!(
                "no connection to {place} could be made in time; check the URL and the network, and \
                 try again"
            ),
            _ if self.limit == self.timeout => format!(
                "{place} gave no answer within {timeout}; try again, and if it is slow raise the timeout"
            ),
            _ if self.limit == LONGEST_ATTEMPT => format!(
                "{place} gave no answer within {limit}, the limit of each attempt; try again later"
            ),
            _ if self.is_cut => format!(
                "{place} gave no answer within {limit}, the time left to renew the token in use; try \
                 again"
            ),
            _ => format!(
                "{place} gave no answer before the timeout of {timeout} had passed; try again, and if \
                 it is slow raise the timeout"
            ),
        };
        Error::new(ErrorKind::Timeout, text).with_another_attempt(true)
    }

    fn unreachable(&self, why: &str) -> Error {
        Error::new(
            ErrorKind::Transport,
            format!(
                "{} could not be reached: {why}; check the URL, the network and the proxy, and try again",
                self.location()
            ),
        )
    }

    fn tls_failed(&self, error: &rustls::Error) -> Error {
        let why = tls_failure::words(error);
        if tls_failure::may_pass(error) {
            return self.unreachable(&why).with_another_attempt(true);
        }
        self.tls(&why)
    }

    fn tls(&self, why: &str) -> Error {
        Error::new(
            ErrorKind::Tls,
            format!(
                "{} was refused: {why}; check the URL, the clock and the certificate",
                self.location()
            ),
        )
    }

    fn refused_by_the_proxy(&self) -> Error {
        let Some(proxy) = self.proxy else { return self.unreachable("a proxy refused it") };
        let (host, port) = (proxy.host(), proxy.port());
        Error::invalid(if proxy.username().is_some() {
            format!(
                "the proxy {host}:{port} refused the user name or the password (HTTP 407); correct them \
                 in the proxy's URL"
            )
        } else {
            format!(
                "the proxy {host}:{port} wants a user name and a password (HTTP 407); give them in the \
                 proxy's URL, http://user:password@{host}:{port}"
            )
        })
    }

    fn malformed(&self, why: &str) -> Error {
        Error::new(
            ErrorKind::InvalidResponse,
            format!("{} gave no token: {why}; check the URL", self.url),
        )
    }

    /// Where the token request went, for people.
    pub(super) fn location(&self) -> String {
        match self.proxy {
            Some(proxy) => {
                format!("{} (through the proxy {}:{})", self.url, proxy.host(), proxy.port())
            }
            None => self.url.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use ureq::Error as E;

    use super::*;
    use crate::request::url::Purpose;

    #[test]
    fn each_error_has_its_kind_and_says_what_happened() {
        let url = "https://api.clazar.io/authenticate/";
        let url = SecureUrl::parse(Purpose::Authentication, url).unwrap();
        let (limit, timeout) = (LONGEST_ATTEMPT, 2 * LONGEST_ATTEMPT);
        let target = Target { url: &url, proxy: None, limit, timeout, is_cut: false };
        for (error, kind, words) in [
            (E::Tls("no name"), ErrorKind::Tls, "was refused: no name"),
            (E::HostNotFound, ErrorKind::Transport, "the host name has no address"),
            (E::ConnectionFailed, ErrorKind::Transport, "no connection could be made"),
            (E::BadUri("x".into()), ErrorKind::Internal, "please report this"),
            (E::TooManyRedirects, ErrorKind::InvalidResponse, "cannot be read as HTTP/1.1"),
            (E::Timeout(Timeout::Connect), ErrorKind::Timeout, "no connection to"),
            (io::Error::from(io::ErrorKind::TimedOut).into(), ErrorKind::Timeout, "no answer"),
        ] {
            let error = target.failed(error);
            assert_eq!(error.kind(), kind, "{error}");
            let text = error.to_string();
            assert!(text.contains(words) && text.contains("https://api.clazar.io/"), "{text}");
        }
    }
}
