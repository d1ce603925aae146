//! Reads the address of a server, and refuses what would be lost or would be read on the way.

use std::fmt;

use percent_encoding::percent_decode_str;

use super::client_certificate::ClientCertificate;
use crate::error::Error;
use crate::request::url::Origin;
use crate::text::printable;

/// For who knows that nobody reads what goes to another machine in the clear.
const PLAINTEXT: &str = "plaintext=yes";
/// So much is shown of the name of a master, in characters.
const LONGEST_NAME: usize = 100;

/// A URL of servers that keep tokens, which may hold a password:
/// <https://www.iana.org/assignments/uri-schemes/prov/redis>.
#[derive(Clone)]
pub(in crate::store) struct RedisUrl {
    pub(super) topology: Topology,
    /// The server; or nodes of the cluster, or sentinels, of which one that answers is enough.
    pub(super) origins: Vec<Origin>,
    is_tls: bool,
    is_plaintext: bool,
    pub(super) certificate: Option<ClientCertificate>,
    pub(super) user: Option<String>,
    pub(super) password: Option<String>,
    pub(super) database: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Topology {
    Server,
    Cluster,
    /// Sentinels know which server is the master of this name.
    Sentinel(String),
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.location())
    }
}

impl RedisUrl {
    /// Whether a store is named by such a URL.
    pub(in crate::store) fn is_one(text: &str) -> bool {
        text.split_once("://").is_some_and(|(scheme, _)| scheme.starts_with("redis"))
    }

    pub(in crate::store) fn parse(text: &str) -> Result<Self, Error> {
        let (scheme, rest) = text.split_once("://").ok_or_else(no_url)?;
        let (scheme, topology) = scheme.split_once('+').unwrap_or((scheme, ""));
        let is_tls = match scheme {
            "redis" => false,
            "rediss" => true,
            _ => return Err(no_url()),
        };
        let (rest, query) =
            rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
        let (is_plaintext, certificate) = match query {
            None => (false, None),
            Some(PLAINTEXT) if !is_tls => (true, None),
            Some(query) if is_tls => (false, Some(certificate(query).ok_or_else(unknown_query)?)),
            Some(_) => return Err(unknown_query()),
        };
        if rest.contains('#') {
            return Err(no_url());
        }
        let url = Self::read(topology, rest).ok_or_else(no_url)?;
        let url = Self { is_tls, is_plaintext, certificate, ..url };
        url.check()?;
        Ok(url)
    }

    /// Reads `[user:password@]host[:port],...[/master][/database]`, or `master@host[:port],...[/database]`.
    fn read(topology: &str, text: &str) -> Option<Self> {
        let (authority, path) = text.split_once('/').unwrap_or((text, ""));
        let (user_info, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (user, password) = user_info.split_once(':').unwrap_or((user_info, ""));
        let (mut user, password) = (decoded(user)?, decoded(password)?);
        let (topology, port, database) = match topology {
            "" => (Topology::Server, 6379, path),
            "cluster" => (Topology::Cluster, 6379, path),
            "sentinel" => {
                // A name before the @ without a password is the master's: no user is without one.
                let (master, database) = match user.take_if(|_| password.is_none()) {
                    Some(master) => (master, path),
                    None => {
                        let (master, database) = path.split_once('/').unwrap_or((path, ""));
                        (decoded(master)??, database)
                    }
                };
                (Topology::Sentinel(master), 26379, database)
            }
            _ => return None,
        };
        let origins: Vec<_> =
            hosts.split(',').map(|host| Origin::parse(host, port)).collect::<Option<_>>()?;
        let is_number = database.bytes().all(|b| b.is_ascii_digit());
        let database = if database.is_empty() { Some(0) } else { database.parse().ok() };
        let has_right_number = topology != Topology::Server || origins.len() == 1;
        has_right_number.then_some(Self {
            topology,
            origins,
            is_tls: false,
            is_plaintext: false,
            certificate: None,
            user,
            password,
            database: database.filter(|_| is_number)?,
        })
    }

    fn check(&self) -> Result<(), Error> {
        if self.user.is_some() && self.password.is_none() {
            return Err(Error::invalid(
                "the URL of the store has a user without a password; give both or none",
            ));
        }
        if self.topology == Topology::Cluster && self.database != 0 {
            return Err(Error::invalid(
                "the URL of the store has a database, and a cluster has database 0 alone; leave it out",
            ));
        }
        if self.origins.iter().all(|origin| self.may_reach(origin)) {
            return Ok(());
        }
        Err(Error::invalid(
            "the URL of the store leads to another machine without TLS, where its password and who uses \
             it can be read on the way; use rediss://, or add ?plaintext=yes if that does no harm",
        ))
    }

    /// Whether what is sent to `origin` is nobody else's to read.
    pub(super) fn may_reach(&self, origin: &Origin) -> bool {
        self.is_tls || self.is_plaintext || origin.is_loopback()
    }

    pub(super) fn is_tls(&self) -> bool {
        self.is_tls
    }

    /// Without what is secret.
    pub(super) fn location(&self) -> String {
        let tls = if self.is_tls { "s" } else { "" };
        let (scheme, path) = match &self.topology {
            Topology::Server => ("", String::new()),
            Topology::Cluster => ("+cluster", String::new()),
            Topology::Sentinel(master) => {
                ("+sentinel", format!("/{}", printable(master, LONGEST_NAME)))
            }
        };
        let origins: Vec<_> = self.origins.iter().map(Origin::to_string).collect();
        format!("redis{tls}{scheme}://{}{path}", origins.join(","))
    }
}

/// The files of a query, in any order.
fn certificate(query: &str) -> Option<ClientCertificate> {
    let mut fields = query.split('&').map(|field| field.split_once('='));
    let (chain, key) = match (fields.next()??, fields.next()??, fields.next()) {
        ((ClientCertificate::CHAIN, chain), (ClientCertificate::KEY, key), None)
        | ((ClientCertificate::KEY, key), (ClientCertificate::CHAIN, chain), None) => (chain, key),
        _ => return None,
    };
    Some(ClientCertificate { chain: decoded(chain)??.into(), key: decoded(key)??.into() })
}

/// What a part of the user information means; None if that is no Unicode text.
fn decoded(text: &str) -> Option<Option<String>> {
    let text = percent_decode_str(text).decode_utf8().ok()?;
    Some((!text.is_empty()).then(|| text.into_owned()))
}

fn no_url() -> Error {
    Error::invalid(
        "the store is not a URL of Redis; give one like rediss://user:password@host:6379/0, \
         rediss+cluster://user:password@node,node or rediss+sentinel://user:password@host,host/master, with \
         %2F for /, %23 for # and %40 for @ in a password",
    )
}

fn unknown_query() -> Error {
    Error::invalid(
        "what follows the ? in the URL of the store is not known; there is ?plaintext=yes for redis:// and \
         ?ssl_certfile=PATH&ssl_keyfile=PATH for rediss://; certificate authorities are named by the option \
         ca_file, and a ? in a password is written %3F",
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

    fn origins(url: &RedisUrl) -> Vec<String> {
        url.origins.iter().map(Origin::to_string).collect()
    }

    #[test]
    fn the_parts_of_a_url() {
        let url = RedisUrl::parse("rediss://a%20user:p%40ss%3F@[2001:db8::1]:6380/3").unwrap();
        assert_eq!(origins(&url), ["[2001:db8::1]:6380"]);
        assert!(url.is_tls() && url.topology == Topology::Server);
        assert_eq!(url.user.as_deref(), Some("a user"));
        assert_eq!(url.password.as_deref(), Some("p@ss?"));
        assert_eq!(url.database, 3);
        assert_eq!(format!("{url:?}"), "rediss://[2001:db8::1]:6380");
        let url = RedisUrl::parse("redis://localhost").unwrap();
        assert_eq!(url.location(), "redis://localhost:6379");
    }

    #[test]
    fn clusters_and_sentinels() {
        let url = RedisUrl::parse("rediss+cluster://:hush@a,b:7000").unwrap();
        assert_eq!(
            (origins(&url).join(" "), &url.topology),
            ("a:6379 b:7000".into(), &Topology::Cluster)
        );
        assert_eq!(url.location(), "rediss+cluster://a:6379,b:7000");
        let master = Topology::Sentinel("my master".into());
        for (text, user, database) in [
            ("rediss+sentinel://my%20master@a,b:7", None, 0),
            ("rediss+sentinel://a,b:7/my%20master/2", None, 2),
            ("rediss+sentinel://my%20master@a,b:7/2", None, 2),
            ("rediss+sentinel://u:hush@a,b:7/my%20master", Some("u"), 0),
        ] {
            let url = RedisUrl::parse(text).unwrap();
            assert_eq!((origins(&url).join(" "), &url.topology), ("a:26379 b:7".into(), &master));
            assert_eq!((url.user.as_deref(), url.database), (user, database), "{text}");
            assert_eq!(url.location(), "rediss+sentinel://a:26379,b:7/my master");
        }
        assert!(refusal("rediss+cluster://:hush@a/1").contains("database 0 alone"));
        for text in [
            "rediss://:hush@a,b",
            "rediss+cluster://:hush@a,,b",
            "rediss+sentinel://:hush@a",
            "rediss+sentinel://u:hush@a",
            "rediss+sentinel://u@a/hush",
            "rediss+other://:hush@a",
        ] {
            refusal(text);
        }
        assert!(refusal("redis+cluster://localhost,other").contains("without TLS"));
        RedisUrl::parse("redis+sentinel://m@other?plaintext=yes").unwrap();
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
    fn a_certificate_has_a_key() {
        for query in ["ssl_keyfile=/k&ssl_certfile=/a%20b", "ssl_certfile=/a%20b&ssl_keyfile=/k"] {
            let url = RedisUrl::parse(&format!("rediss://:hush@redis/0?{query}")).unwrap();
            let ClientCertificate { chain, key } = url.certificate.unwrap();
            assert_eq!((chain.to_str(), key.to_str()), (Some("/a b"), Some("/k")));
        }
        for query in [
            "ssl_keyfile=/k",
            "ssl_certfile=/c",
            "ssl_certfile=/c&ssl_keyfile=",
            "ssl_certfile=/c&x=1",
            "ssl_certfile=/c&ssl_keyfile=/k&x",
        ] {
            refusal(&format!("rediss://:hush@redis?{query}"));
        }
        refusal("redis://:hush@localhost?ssl_certfile=/c&ssl_keyfile=/k");
    }

    #[test]
    fn nothing_in_a_url_is_lost() {
        for query in
            ["", "plaintext", "plaintext=no", "protocol=resp3", "plaintext=yes&x=1", "db=1"]
        {
            let text = refusal(&format!("redis://:hush@localhost?{query}"));
            assert!(text.contains("there is ?plaintext=yes for"), "{text}");
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
