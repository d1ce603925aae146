//! A text in the place of each URL that there is: of the API, of a proxy, of a store; and of an allowed host.

use std::net::IpAddr;
use std::sync::LazyLock;

use clazar_auth::fuzzing::request::{origin, proxy, url};
use clazar_auth::fuzzing::store::redis;
use clazar_auth::{Error, ErrorKind, Options, TokenProvider, TokenProviderBuilder};

use crate::common::{check_text, credentials};

/// Of a user, in some of the corpus.
const PASSWORD: &str = "hush-hush";

/// To where the token may go.
const ALLOWED: [(&str, u16); 3] = [("a.example", 443), ("b.example", 8443), ("::1", 80)];

static PROVIDER: LazyLock<TokenProvider> = LazyLock::new(|| {
    builder(Options::default())
        .allowed_hosts(["a.example", "b.example:8443", "[::1]:80"])
        .build()
        .unwrap()
});

fn builder(options: Options) -> TokenProviderBuilder {
    TokenProvider::builder(credentials()).options(options.trust_env(false))
}

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    check_url(text);
    check_allowed_host(text);
    check_proxy(text);
    check_store(text);
}

/// A host and a port that can be put together and read again.
pub fn check_origin(found: &(String, u16)) {
    let (host, port) = found;
    let is_foreign =
        |b: u8| !(b.is_ascii_lowercase() || b.is_ascii_digit() || b"-._:".contains(&b));
    assert!(!host.is_empty() && !host.bytes().any(is_foreign) && *port > 0, "{found:?}");
    let host = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    assert_eq!(origin(&format!("{host}:{port}")).as_ref(), Some(found));
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Nothing is shown of user information.
fn check_refusal(text: &str, error: &Error) {
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    check_text(&error.to_string());
    let authority = text.split_once("://").map_or(text, |(_, rest)| rest);
    let user_info = authority.split_once('@').map_or("", |(user_info, _)| user_info);
    let has_password = user_info.ends_with(&format!(":{PASSWORD}"))
        && !user_info.contains(['/', '?', '#'])
        && text.matches(PASSWORD).count() == 1;
    assert!(!has_password || !error.to_string().contains(PASSWORD), "{error}");
}

/// One rule for the API's URL, and for those of requests.
fn check_url(text: &str) {
    let made = builder(Options::default().auth_url(text)).build();
    let (shown, host, port) = match url(text) {
        Ok(url) => url,
        Err(error) => {
            check_refusal(text, &error);
            check_refusal(text, &made.expect_err("it is refused"));
            return check_refusal(text, &PROVIDER.check_url(text).expect_err("it is refused"));
        }
    };
    assert!(made.is_ok(), "{made:?}");
    check_text(&shown);
    let authority = shown.split('/').nth(2).expect("a URL has one");
    assert!(!shown.contains(['?', '#']) && !authority.contains('@'), "{shown}");
    check_origin(&(host.clone(), port));
    let is_tls = text.to_ascii_lowercase().starts_with("https://");
    assert!(is_tls || is_this_machine(&host), "{text}");
    let is_allowed = ALLOWED.contains(&(host.as_str(), port));
    assert_eq!(PROVIDER.check_url(text).is_ok(), is_allowed, "{text}");
    // Where it is shown as it is, it leads to the same place.
    if shown.is_ascii() && !shown.ends_with(" ...") {
        assert_eq!(url(&shown).expect("it is a URL"), (shown, host, port));
    }
}

fn check_allowed_host(text: &str) {
    let made = builder(Options::default()).allowed_hosts([text]).build();
    let Some(found) = origin(text) else {
        return check_refusal(text, &made.expect_err("it is refused"));
    };
    check_origin(&found);
    let there = format!("https://{text}/x?y");
    assert!(made.expect("it is a host").check_url(&there).is_ok(), "{there}");
}

fn check_proxy(text: &str) {
    let made = builder(Options::default().proxy(text)).build();
    match proxy(text) {
        Ok(proxy) => {
            assert!(made.is_ok(), "{made:?}");
            let host = proxy.host().trim_matches(['[', ']']).to_ascii_lowercase();
            check_origin(&(host, proxy.port()));
        }
        Err(_) if text.is_empty() => assert!(made.is_ok(), "it stands for none"),
        Err(error) => {
            check_refusal(text, &error);
            check_refusal(text, &made.expect_err("it is refused"));
        }
    }
}

fn check_store(text: &str) {
    let url = match redis::url(text) {
        Ok(url) => url,
        Err(error) => return check_refusal(text, &error),
    };
    url.origins.iter().for_each(check_origin);
    check_text(&url.location);
    assert!(url.user.is_none() || url.password.is_some());
    let is_tls = text.starts_with("rediss") || text.ends_with("?plaintext=yes");
    let mut hosts = url.origins.iter().map(|(host, _)| host);
    assert!(is_tls || hosts.all(|host| is_this_machine(host)), "{text}");
    // The name of a master may be any, and is shown.
    let place = url.location.rsplit_once('/').map_or("", |(place, _)| place);
    assert!(!place.contains(['@', '%', '?']), "{}", url.location);
}
