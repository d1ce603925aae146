//! Chooses the proxy of a token request: one that was given, or one of the environment.

use ureq::{Proxy, ProxyProtocol};

use super::url::{Origin, SecureUrl};
use crate::env::Common;
use crate::error::Error;
use crate::text::without_brackets;

/// The proxy for `url`: `given` if there is one (an empty text means none), else the environment's.
///
/// A plain-http URL is on this machine and never goes through a proxy.
pub(super) fn choose(
    url: &SecureUrl,
    given: Option<&str>,
    variables: Common,
) -> Result<Option<Proxy>, Error> {
    if !url.is_https() {
        return Ok(None);
    }
    match given {
        Some("") => Ok(None),
        Some(text) => parse("proxy", text).map(Some),
        None => from_env(url, variables),
    }
}

fn from_env(url: &SecureUrl, variables: Common) -> Result<Option<Proxy>, Error> {
    let Some(text) = variables.read_any(&["HTTPS_PROXY", "https_proxy"])? else {
        return Ok(None);
    };
    let exempt = variables.read_any(&["NO_PROXY", "no_proxy"])?.unwrap_or_default();
    if is_exempt(&exempt, url.host(), url.port()) {
        return Ok(None);
    }
    parse("HTTPS_PROXY", &text).map(Some)
}

pub(super) fn parse(what: &str, text: &str) -> Result<Proxy, Error> {
    Proxy::new(text)
        .ok()
        .filter(|_| has_plain_authority(text))
        .filter(|proxy| matches!(proxy.protocol(), ProxyProtocol::Http | ProxyProtocol::Https))
        .ok_or_else(|| {
            Error::invalid(format!(
                "the {what} is not an http:// or https:// URL of a proxy; give one like \
                 http://user:password@proxy:3128, with each / # ? @ : in the password as %2F and so on"
            ))
        })
}

/// Whether a proxy's URL is user information, host and port, and no more: with a `/` or a `#` in a
/// password, a part of it would be taken for the host.
fn has_plain_authority(text: &str) -> bool {
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
    let authority = authority.strip_suffix('/').unwrap_or(authority);
    let origin = authority.rsplit_once('@').map_or(authority, |(_, origin)| origin);
    !authority.contains(['/', '#', '?']) && Origin::parse(origin, 443).is_some()
}

/// `list` holds `*`, or hosts and domains (with or without a leading dot), each with an optional
/// port, separated by commas or spaces: what curl and Python's requests read.
fn is_exempt(list: &str, host: &str, port: u16) -> bool {
    let host = without_brackets(host);
    list.split([',', ' '])
        .filter(|entry| !entry.is_empty())
        .any(|entry| entry == "*" || entry_matches(&entry.to_ascii_lowercase(), host, port))
}

fn entry_matches(entry: &str, host: &str, port: u16) -> bool {
    // More than one colon without brackets is an IPv6 address, not a port.
    let (name, wanted_port) = match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') || name.ends_with(']') => {
            (name, port.parse().ok())
        }
        _ => (entry, Some(port)),
    };
    let name = without_brackets(name).trim_start_matches("*.");
    let name = name.trim_start_matches('.');
    let within = || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'));
    wanted_port == Some(port) && !name.is_empty() && (host == name || within())
}

#[cfg(test)]
mod tests {
    use super::{is_exempt, parse};

    #[test]
    fn no_proxy_matches_hosts_domains_and_ports() {
        for list in [
            "*",
            "api.clazar.io",
            "API.clazar.io",
            "clazar.io",
            ".clazar.io",
            "*.clazar.io",
            "other.org, clazar.io:443",
            "other.org clazar.io",
        ] {
            assert!(is_exempt(list, "api.clazar.io", 443), "{list}");
        }
        for list in ["", ",", ".", "lazar.io", "api.clazar.io.org", "clazar.io:8443", "clazar.io:x"]
        {
            assert!(!is_exempt(list, "api.clazar.io", 443), "{list}");
        }
        assert!(is_exempt("::1", "[::1]", 443));
        assert!(is_exempt("[::1]:443", "[::1]", 443));
        assert!(is_exempt("127.0.0.1:8443", "127.0.0.1", 8443));
    }

    #[test]
    fn a_proxy_is_a_host_and_a_port() {
        for text in [
            "http://proxy:3128",
            "https://proxy",
            "http://user:p%2Fw@proxy:3128/",
            "proxy:3128",
            "http://[::1]:3128",
        ] {
            assert!(parse("proxy", text).is_ok(), "{text}");
        }
        for text in [
            "",
            "ftp://proxy",
            "socks5://proxy:1080",
            "http://user:12/34@proxy:3128",
            "http://user:pass#word@proxy:3128",
            "http://user:pass?word@proxy:3128",
            "http://proxy:port",
            "http://proxy:99999",
            "http://proxy/path",
        ] {
            let error = parse("proxy", text).expect_err(text);
            assert!(text.is_empty() || !error.to_string().contains(text), "{error}");
        }
    }
}
