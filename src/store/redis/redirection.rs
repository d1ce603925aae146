//! Reads where a server says that the keys are.

use crate::request::url::Origin;

/// Where a node of a cluster says that the keys are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Redirection {
    pub(super) origin: Origin,
    /// They are on their way there (ASK), and not there for good (MOVED).
    pub(super) is_ask: bool,
}

impl Redirection {
    /// Whether an error is one.
    pub(super) fn is_in(error: &str) -> bool {
        error.starts_with("MOVED ") || error.starts_with("ASK ")
    }

    /// Reads `MOVED slot host:port`; without a host, or with one that is not known, it is the one that says so.
    pub(super) fn parse(error: &str, at: &Origin) -> Option<Self> {
        let mut words = error.split(' ');
        let is_ask = words.next()? == "ASK";
        let (host, port) = words.nth(1)?.rsplit_once(':')?;
        let host = if host.is_empty() || host == "?" { at.host() } else { host };
        Some(Self { origin: origin(host.as_bytes(), port.as_bytes())?, is_ask })
    }
}

/// An IPv6 address may be without its brackets.
pub(super) fn origin(host: &[u8], port: &[u8]) -> Option<Origin> {
    let (host, port) = (str::from_utf8(host).ok()?, str::from_utf8(port).ok()?);
    let is_bare_ipv6 = host.contains(':') && !host.starts_with('[');
    let text = if is_bare_ipv6 { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    Origin::parse(&text, 0)
}
