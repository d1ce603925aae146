//! Reads the address of a server, and refuses what would be lost or would be read on the way.

use std::fmt;
use std::net::IpAddr;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};

use crate::error::Error;
use crate::text::without_brackets;

/// For who knows that nobody reads what goes to another machine in the clear.
const PLAINTEXT: &str = "plaintext=yes";

/// The address of a server, which may hold a password.
#[derive(Clone)]
pub(in crate::store) struct RedisUrl {
    host: String,
    pub(super) port: u16,
    pub(super) is_tls: bool,
    info: ConnectionInfo,
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.location())
    }
}

impl RedisUrl {
    pub(in crate::store) fn parse(text: &str) -> Result<Self, Error> {
        let (is_tls, rest) = match text.strip_prefix("rediss://") {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix("redis://").ok_or_else(no_url)?),
        };
        let (rest, query) =
            rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let is_plaintext = match query {
            None => false,
            Some(PLAINTEXT) if !is_tls => true,
            Some(_) => return Err(unknown_query()),
        };
        if rest.contains('#') {
            return Err(no_url());
        }
        // The crate knows TLS only if it is built in.
        let info = format!("redis://{rest}").into_connection_info().map_err(|_| no_url())?;
        let ConnectionAddr::Tcp(host, port) = info.addr() else { return Err(no_url()) };
        let url = Self { host: host.clone(), port: *port, is_tls, info };
        url.check(is_plaintext)?;
        Ok(url)
    }

    fn check(&self, is_plaintext: bool) -> Result<(), Error> {
        let settings = self.settings();
        if settings.username().is_some() && settings.password().is_none() {
            return Err(Error::invalid(
                "the URL of the store has a user without a password; give both or none",
            ));
        }
        if self.is_tls || is_plaintext || self.is_loopback() {
            return Ok(());
        }
        Err(Error::invalid(
            "the URL of the store leads to another machine without TLS, where its password and who uses \
             it can be read on the way; use rediss://, or add ?plaintext=yes if that does no harm",
        ))
    }

    fn is_loopback(&self) -> bool {
        let host = self.host();
        host.eq_ignore_ascii_case("localhost")
            || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    pub(super) fn host(&self) -> &str {
        without_brackets(&self.host)
    }

    /// User, password and database.
    pub(super) fn settings(&self) -> &RedisConnectionInfo {
        self.info.redis_settings()
    }

    /// Without what is secret.
    pub(super) fn location(&self) -> String {
        let scheme = if self.is_tls { "rediss" } else { "redis" };
        let host = self.host();
        let host = if host.contains(':') { format!("[{host}]") } else { host.to_owned() };
        format!("{scheme}://{host}:{}", self.port)
    }
}

fn no_url() -> Error {
    Error::invalid(
        "the store is not a redis:// or rediss:// URL; give one like \
         rediss://user:password@host:6379/0",
    )
}

fn unknown_query() -> Error {
    Error::invalid(
        "what follows the ? in the URL of the store is not known; of queries there is ?plaintext=yes \
         alone, for redis://, and a ? in a password is written %3F",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(url: &str) -> String {
        let error = RedisUrl::parse(url).expect_err(url);
        assert_eq!(error.kind(), crate::error::ErrorKind::InvalidArgument, "{url}");
        let text = error.to_string();
        assert!(!text.contains("hush"), "{text}");
        text
    }

    #[test]
    fn the_parts_of_a_url() {
        let url = RedisUrl::parse("rediss://a%20user:p%40ss%3F@[2001:db8::1]:6380/3").unwrap();
        assert_eq!((url.host(), url.port, url.is_tls), ("2001:db8::1", 6380, true));
        let settings = url.settings();
        assert_eq!((settings.username(), settings.password()), (Some("a user"), Some("p@ss?")));
        assert_eq!(settings.db(), 3);
        assert_eq!(format!("{url:?}"), "rediss://[2001:db8::1]:6380");
        let url = RedisUrl::parse("redis://localhost").unwrap();
        assert_eq!(url.location(), "redis://localhost:6379");
    }

    #[test]
    fn in_the_clear_it_goes_to_this_machine_alone() {
        for host in ["localhost", "LocalHost:7", "127.0.0.1", "127.9.8.7:1", "[::1]:6380"] {
            RedisUrl::parse(&format!("redis://:hush@{host}/1")).expect(host);
        }
        for host in ["redis", "localhost.example", "10.0.0.1", "[2001:db8::1]", "127.0.0.1.example"]
        {
            let text = refusal(&format!("redis://:hush@{host}/1"));
            assert!(text.contains("use rediss://, or add ?plaintext=yes"), "{text}");
            RedisUrl::parse(&format!("rediss://:hush@{host}/1")).expect(host);
        }
    }

    #[test]
    fn who_insists_may_use_plaintext() {
        let url = RedisUrl::parse("redis://:hush@redis:7/1?plaintext=yes").unwrap();
        assert_eq!(url.location(), "redis://redis:7");
        assert_eq!(url.settings().password(), Some("hush"));
        RedisUrl::parse("redis://localhost?plaintext=yes").unwrap();
    }

    #[test]
    fn nothing_in_a_url_is_lost() {
        for query in
            ["", "plaintext", "plaintext=no", "protocol=resp3", "plaintext=yes&x=1", "db=1"]
        {
            let text = refusal(&format!("redis://:hush@localhost?{query}"));
            assert!(text.contains("?plaintext=yes alone"), "{text}");
        }
        refusal("rediss://:hush@redis/0?plaintext=yes");
        refusal("redis://:hush@localhost/0#insecure");
        assert!(refusal("redis://hush@localhost").contains("a user without a password"));
        refusal("redis://:hush@localhost/first");
        refusal("redis://");
        refusal("redis+unix:///socket");
    }
}
