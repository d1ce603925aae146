//! Decides which URLs may see a secret or a token.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use ureq::http::Uri;
use ureq::http::uri::Authority;

use crate::error::Error;
use crate::text::{self, printable, without_brackets};

/// No URL is longer, in bytes: what [`Uri`] holds.
const LONGEST: usize = 65_534;

/// The host and port of a URL that may see a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    host: String,
    port: u16,
}

impl Origin {
    /// Reads `host[:port]`.
    pub(crate) fn parse(text: &str, default_port: u16) -> Option<Self> {
        let authority: Authority = text.parse().ok()?;
        Self::of(&authority, default_port)
    }

    fn of(authority: &Authority, default_port: u16) -> Option<Self> {
        let host = authority.host();
        // What follows the host may be `:port` and nothing else; what precedes it, nothing.
        let port = match authority.as_str().strip_prefix(host)? {
            "" => default_port,
            suffix => parse_port(suffix.strip_prefix(':')?)?,
        };
        is_host(host).then(|| Self { host: host.to_ascii_lowercase(), port })
    }

    /// An IPv6 address is without its brackets.
    pub(crate) fn host(&self) -> &str {
        without_brackets(&self.host)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// 127.0.0.0/8, `::1` and `localhost`: what never leaves this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        let host = self.host();
        host == "localhost"
            || host.parse().is_ok_and(|ip: Ipv4Addr| ip.is_loopback())
            || host.parse().is_ok_and(|ip: Ipv6Addr| ip.is_loopback())
    }
}

/// One host: an IPv6 address in brackets, or labels of letters, digits, hyphens and underscores, which an
/// IPv4 address looks like.
pub(crate) fn is_host(text: &str) -> bool {
    if let Some(address) = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        return address.parse::<Ipv6Addr>().is_ok();
    }
    let is_label = |label: &str| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
        !label.is_empty() && label.bytes().all(allowed)
    };
    text.strip_suffix('.').unwrap_or(text).split('.').all(is_label)
}

/// A port above 0, without a sign or zeros before it.
fn parse_port(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    is_plain.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

/// What a URL is for, for the errors that speak of it.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Authentication,
    Request,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Self::Authentication => "authentication URL",
            Self::Request => "request URL",
        }
    }

    fn example(self) -> &'static str {
        match self {
            Self::Authentication => "https://api.clazar.io/authenticate/",
            Self::Request => "https://api.clazar.io/listings/",
        }
    }

    /// What is sent there.
    fn carries(self) -> &'static str {
        match self {
            Self::Authentication => "secret",
            Self::Request => "token",
        }
    }
}

/// An absolute URL that may see a secret: `https`, or `http` to this machine.
#[derive(Clone)]
pub(crate) struct SecureUrl {
    uri: Uri,
    origin: Origin,
}

impl SecureUrl {
    /// The error does not repeat a URL that may hold a password.
    pub(crate) fn parse(purpose: Purpose, text: &str) -> Result<Self, Error> {
        let refused = |why: &str| Err(Error::invalid(format!("the {} {why}", purpose.name())));
        let not_one = |what: &str| refused(&format!("{what}; give one like {}", purpose.example()));
        if text.len() > LONGEST {
            return refused(&format!("is longer than {LONGEST} bytes; shorten its query"));
        }
        let Ok(uri) = text.parse::<Uri>() else {
            return not_one("is not a valid URL");
        };
        let default_port = match uri.scheme_str() {
            Some("https") => 443,
            Some("http") => 80,
            Some(_) => return not_one("is not an https:// URL"),
            None => return not_one("is not a whole URL, with https:// and a host"),
        };
        let authority = uri.authority().expect("a URI with a scheme has an authority");
        if authority.as_str().contains('@') {
            return refused("contains user information; remove all up to the @");
        }
        let Some(origin) = Origin::of(authority, default_port) else {
            return not_one("has no valid host and port");
        };
        if default_port == 80 && !origin.is_loopback() {
            return refused(&format!(
                "is plain http to {}, where anyone on the way could read the {}; use https",
                origin.host,
                purpose.carries()
            ));
        }
        Ok(Self { uri, origin })
    }

    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(crate) fn host(&self) -> &str {
        &self.origin.host
    }

    pub(crate) fn port(&self) -> u16 {
        self.origin.port
    }

    pub(crate) fn is_https(&self) -> bool {
        self.uri.scheme_str() == Some("https")
    }
}

impl fmt::Display for SecureUrl {
    /// Without query and fragment, which may hold anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        let authority = self.uri.authority().map_or("", Authority::as_str);
        // A path may hold any character that is not of ASCII.
        write!(f, "{scheme}://{authority}{}", printable(self.uri.path(), text::LONGEST))
    }
}
