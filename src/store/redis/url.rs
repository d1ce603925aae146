//! Reads the address of a server, and refuses what would be lost or would be read on the way.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::error::Error;
use crate::request::url::Origin;

/// For who knows that nobody reads what goes to another machine in the clear.
const PLAINTEXT: &str = "plaintext=yes";
const DEFAULT_PORT: u16 = 6379;

/// The address of a server, which may hold a password:
/// <https://www.iana.org/assignments/uri-schemes/prov/redis>.
#[derive(Clone)]
pub(in crate::store) struct RedisUrl {
    pub(super) origin: Origin,
    pub(super) is_tls: bool,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: u32,
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
        let url = Self::read(is_tls, rest).ok_or_else(no_url)?;
        url.check(is_plaintext)?;
        Ok(url)
    }

    /// Reads `[user:password@]host[:port][/database]`.
    fn read(is_tls: bool, text: &str) -> Option<Self> {
        let (authority, path) = text.split_once('/').unwrap_or((text, ""));
        let (user_info, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        let is_number = path.bytes().all(|b| b.is_ascii_digit());
        let database = if path.is_empty() { Some(0) } else { path.parse().ok() };
        Some(Self {
            origin: Origin::parse(host, DEFAULT_PORT)?,
            is_tls,
            user: decoded(user)?,
            password: decoded(password)?,
            database: database.filter(|_| is_number)?,
        })
    }

    fn check(&self, is_plaintext: bool) -> Result<(), Error> {
        if self.user.is_some() && self.password.is_none() {
            return Err(Error::invalid(
                "the URL of the store has a user without a password; give both or none",
            ));
        }
        if self.is_tls || is_plaintext || self.origin.is_loopback() {
            return Ok(());
        }
        Err(Error::invalid(
            "the URL of the store leads to another machine without TLS, where its password and who uses \
             it can be read on the way; use rediss://, or add ?plaintext=yes if that does no harm",
        ))
    }

    /// Without what is secret.
    pub(super) fn location(&self) -> String {
        let scheme = if self.is_tls { "rediss" } else { "redis" };
        format!("{scheme}://{}", self.origin)
    }
}

/// What a part of the user information means; None if that is no Unicode text.
fn decoded(text: &str) -> Option<Option<String>> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    Some((!text.is_empty()).then(|| text.into_owned()))
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
        assert_eq!(url.origin, Origin::parse("[2001:db8::1]:6380", 0).unwrap());
        assert!(url.is_tls);
        assert_eq!(url.user.as_deref(), Some("a user"));
        assert_eq!(url.password.as_deref(), Some("p@ss?"));
        assert_eq!(url.database, 3);
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
        assert_eq!(url.password.as_deref(), Some("hush"));
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
        for rest in
            ["localhost/first", "localhost/-1", "localhost/+1", "localhost/1/2", "localhost:x"]
        {
            refusal(&format!("redis://:hush@{rest}"));
        }
        refusal("redis://:%ffhush@localhost");
        refusal("redis://");
        refusal("redis+unix:///socket");
    }
}
