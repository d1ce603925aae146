//! Describes once what all languages offer: options, errors, events, counters.
//!
//! The core reads these tables. What says the same again in C, C++ and Python, and on the pages, is
//! written from them by `make generate`; the test `generate` fails if it is not up to date.
//!
//! What stands between backticks in a documentation text is a name if it is in capital letters, begins with
//! `$`, is a function in C, or is `true`; otherwise it is a value, which each language puts into its own quotes.

/// Numbers that C functions return besides those of [`ErrorKind`].
pub(crate) const OTHER_STATUSES: [(&str, i32, &str); 2] = [
    ("OK", 0, "Done."),
    ("ERR_BUFFER_TOO_SMALL", 2, "The caller's buffer is too small; nothing was written to it."),
];

pub(crate) struct ErrorRow {
    pub(crate) kind: ErrorKind,
    /// As in Rust; in C it is `CLAZAR_ERR_` and this in capitals.
    pub(crate) name: &'static str,
    /// The class in `clazar_auth.errors`.
    pub(crate) class: &'static str,
    /// Whether the same call may succeed later, with nothing changed.
    pub(crate) is_retryable: bool,
    pub(crate) doc: &'static str,
}

macro_rules! errors {
    ($($(#[doc = $doc:literal])+ $kind:ident = $number:literal, $class:literal, $retryable:literal;)+) => {
        /// The kind of an [`Error`](crate::Error): what a program can act upon.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorKind {
            $($(#[doc = $doc])+ $kind = $number,)+
        }

        pub(crate) const ERRORS: &[ErrorRow] = &[$(ErrorRow {
            kind: ErrorKind::$kind,
            name: stringify!($kind),
            class: $class,
            is_retryable: $retryable,
            doc: concat!($($doc),+),
        },)+];
    };
}

// The kind, its number in C, its class in Python, and whether it is retryable. A number is never reused.
errors! {
    /// An argument, an option or an environment variable is missing or unusable.
    InvalidArgument = 1, "ConfigurationError", false;
    /// Name lookup, connect, reset or proxy: the API was not reached, or its answer broke off.
    Transport = 3, "TransportError", true;
    /// The API did not answer in time, or answered 408.
    Timeout = 4, "AuthTimeoutError", true;
    /// The server's certificate was refused, or TLS failed otherwise.
    Tls = 5, "TlsError", false;
    /// The API refused the client id or the secret (401, 403 with a JSON body, `invalid_client`).
    Credentials = 6, "InvalidCredentialsError", false;
    /// The API limits the rate of token requests (429).
    RateLimited = 7, "RateLimitedError", true;
    /// Another 4xx answer, or a redirect.
    Rejected = 8, "RejectedError", false;
    /// A 5xx answer, or 425.
    Server = 9, "ServerError", true;
    /// The answer is not a token.
    InvalidResponse = 10, "InvalidResponseError", false;
    /// The store cannot be used.
    Store = 11, "StoreError", true;
    /// The provider is closed.
    Closed = 12, "ClosedError", false;
    /// A bug in this library, caught at its boundary.
    Internal = 13, "InternalError", false;
}

impl ErrorKind {
    pub(crate) fn row(self) -> &'static ErrorRow {
        ERRORS.iter().find(|row| row.kind == self).expect("each kind has a row")
    }

    /// The number in C.
    pub(crate) fn number(self) -> i32 {
        self as i32
    }

    pub(crate) fn from_number(number: i32) -> Option<Self> {
        ERRORS.iter().map(|row| row.kind).find(|kind| kind.number() == number)
    }

    /// Whether the same call may succeed later, with nothing changed.
    pub fn is_retryable(self) -> bool {
        self.row().is_retryable
    }
}

/// The severity of an event; a smaller number in C is more severe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    Warn = 2,
    Info = 3,
}

/// Levels in use; 1 is kept for errors, and 4 for what helps to find one. A number is never reused.
pub(crate) const LEVELS: [(Level, &str); 2] = [
    (Level::Warn, "Something is wrong; the provider goes on as well as it can."),
    (Level::Info, "All is well."),
];

pub(crate) struct EventRow {
    pub(crate) kind: EventKind,
    /// As in Python; in C it is `CLAZAR_EVENT_` and this in capitals.
    pub(crate) name: &'static str,
    pub(crate) level: Level,
    pub(crate) doc: &'static str,
}

macro_rules! events {
    ($($(#[doc = $doc:literal])+ $kind:ident $name:ident = $number:literal, $level:ident;)+) => {
        /// What happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum EventKind {
            $($(#[doc = $doc])+ $kind = $number,)+
        }

        pub(crate) const EVENTS: &[EventRow] = &[$(EventRow {
            kind: EventKind::$kind,
            name: stringify!($name),
            level: Level::$level,
            doc: concat!($($doc),+),
        },)+];
    };
}

// The event, its name, its number in C, and its level. A number is never reused.
events! {
    /// A new token is in use.
    Refreshed refreshed = 1, Info;
    /// A token request failed.
    RefreshFailed refresh_failed = 2, Warn;
    /// A token whose renewal failed or is late was handed out, for the first time.
    StaleServed stale_served = 3, Warn;
    /// The store cannot be used, or what it holds cannot; the token comes from a request instead.
    StoreError store_error = 4, Warn;
    /// The client secret was refused, and its fallback is used from now on.
    FallbackUsed fallback_used = 5, Warn;
    /// A part of what is to be trusted, such as a folder that `SSL_CERT_DIR` names, was skipped or
    /// could not be read.
    TrustWarning trust_warning = 6, Warn;
}

impl EventKind {
    pub(crate) fn row(self) -> &'static EventRow {
        EVENTS.iter().find(|row| row.kind == self).expect("each kind has a row")
    }
}

/// Why token requests are made, which are counted by that.
pub(crate) struct CauseRow {
    pub(crate) cause: Cause,
    /// As in Python; in C it is `CLAZAR_CAUSE_` and this in capitals.
    pub(crate) name: &'static str,
    /// In C.
    pub(crate) number: i32,
    /// The version of the library that had it first.
    pub(crate) since: &'static str,
    pub(crate) doc: &'static str,
}

/// A number that a provider counts up.
pub(crate) struct CounterRow {
    /// As in `Count`.
    pub(crate) variant: &'static str,
    pub(crate) name: &'static str,
    /// The version of the library that had it first.
    pub(crate) since: &'static str,
    pub(crate) doc: &'static str,
}

macro_rules! counters {
    (
        causes { $($cause:ident $cause_name:ident = $number:literal, $cause_since:literal $cause_doc:literal;)+ }
        counts { $($(#[doc = $doc:literal])+ $count:ident $name:ident $since:literal;)+ }
    ) => {
        /// Why a token request is made.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Cause {
            $($cause,)+
        }

        /// What is counted besides token requests.
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Count {
            $($count,)+
        }

        /// What a provider did since it was made, and how it is now.
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        #[non_exhaustive]
        pub struct Stats {
            $(#[doc = concat!("Token requests ", $cause_doc, ".")] pub $cause_name: Requests,)+
            $($(#[doc = $doc])+ pub $name: u64,)+
            /// How long the token in memory remains valid; `None` without one.
            pub expires_in: Option<std::time::Duration>,
            /// For how long no token request is started after a failure; `None` if one may start.
            pub backoff: Option<std::time::Duration>,
            /// In how long a call will next start a token request; zero if one would now, while one is under
            /// way, or if the provider is closed.
            pub refresh_in: std::time::Duration,
        }

        pub(crate) const CAUSES: &[CauseRow] = &[$(CauseRow {
            cause: Cause::$cause,
            name: stringify!($cause_name),
            number: $number,
            since: $cause_since,
            doc: $cause_doc,
        },)+];
        pub(crate) const COUNTS: &[CounterRow] = &[$(CounterRow {
            variant: stringify!($count),
            name: stringify!($name),
            since: $since,
            doc: concat!($($doc),+),
        },)+];

        impl Stats {
            pub(crate) fn new(
                requests: impl Fn(Cause) -> Requests,
                count: impl Fn(Count) -> u64,
            ) -> Self {
                Self {
                    $($cause_name: requests(Cause::$cause),)+
                    $($name: count(Count::$count),)+
                    expires_in: None,
                    backoff: None,
                    refresh_in: std::time::Duration::ZERO,
                }
            }

            /// In the order of [`CAUSES`].
            pub(crate) fn requests(&self) -> [Requests; CAUSES.len()] {
                [$(self.$cause_name,)+]
            }

            /// In the order of [`COUNTS`].
            pub(crate) fn counts(&self) -> [u64; COUNTS.len()] {
                [$(self.$name,)+]
            }
        }
    };
}

/// Token requests that have ended, each with all its attempts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Requests {
    /// Those that brought a token.
    pub succeeded: u64,
    /// Those that did not.
    pub failed: u64,
}

// The counter, its name, and the version that had it first, which says where it is in the C struct. There each
// cause is two counters; it has a number besides, which is never reused, and 0 stands for none.
counters! {
    causes {
        Empty empty = 1, "0.1.0" "because there was no valid token";
        Proactive proactive = 2, "0.1.0" "before a valid token expires";
        Refresh refresh = 3, "0.1.0" "because of a call of refresh";
        Invalidated invalidated = 4, "0.1.0" "because a token was invalidated";
    }
    counts {
        /// Calls that a token request under way was to serve: they waited for it, or had a time-out of 0.
        Waited waited "0.1.0";
        /// Tokens handed out past their refresh point.
        ServedStale served_stale "0.1.0";
        /// Tokens taken out of use because of a call of invalidate.
        Invalidations invalidations "0.1.0";
        /// Tokens found in the store.
        StoreHits store_hits "0.1.0";
        /// Token requests made because the store had no usable token.
        StoreMisses store_misses "0.1.0";
    }
}

impl Cause {
    pub(crate) fn row(self) -> &'static CauseRow {
        CAUSES.iter().find(|row| row.cause == self).expect("each cause has a row")
    }
}

/// What an option takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OptionType {
    Text,
    /// Text that is a secret.
    Secret,
    /// Text that may have a user, a password or a key in it.
    Url,
    Path,
    /// A path, or a URL.
    Store,
    Hosts,
    Duration,
    Flag,
}

/// What an option belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The client id and secret.
    Credentials,
    /// Each token request.
    Request,
    /// A provider, and not a single token request.
    Provider,
}

pub(crate) struct OptionRow {
    pub(crate) option: OptionName,
    /// The keyword in Python, the setter of `Options` in Rust and of `Config` in C++, and `clazar_config_set_`
    /// and this in C, where a time has `_ms` besides.
    pub(crate) name: &'static str,
    pub(crate) kind: OptionType,
    /// The environment variable that gives it too; "" for none.
    pub(crate) variable: &'static str,
    pub(crate) scope: Scope,
    /// The version of the library that had it first.
    pub(crate) since: &'static str,
    pub(crate) doc: &'static str,
}

/// Hands the table of options to another macro: the option in Rust, its name, its type, its environment
/// variable, what it belongs to, and the version that had it first.
macro_rules! with_options {
    ($callback:ident) => {
        $callback! {
            /// The client id.
            ClientId client_id Text "CLAZAR_CLIENT_ID" Credentials "0.1.0";
            /// The client secret; or give client_secret_file.
            ClientSecret client_secret Secret "CLAZAR_CLIENT_SECRET" Credentials "0.1.0";
            /// The path of a file that holds the client secret, in place of client_secret; one newline at its end
            /// is dropped. It is read when the provider is made, and again when the API refuses the secret; a
            /// changed one is then tried at once.
            ClientSecretFile client_secret_file Path "CLAZAR_CLIENT_SECRET_FILE" Credentials "0.1.0";
            /// A second client secret, for the time of a rotation: it is tried once when the first is refused, and
            /// the one that works stays in use.
            ClientSecretFallback client_secret_fallback Secret "" Credentials "0.1.0";
            /// Where to authenticate: https, or http to a loopback host. Default:
            /// `https://api.clazar.io/authenticate/`, whose trailing slash matters.
            AuthUrl auth_url Url "CLAZAR_AUTH_URL" Request "0.1.0";
            /// The path of a PEM file of CA certificates to trust besides the system's, or of a folder of such
            /// files. It is read when the provider is made, and again when it has changed or a certificate was
            /// refused.
            CaFile ca_file Path "" Request "0.1.0";
            /// The URL of an HTTP proxy for https, such as `http://user:password@proxy:3128`; an empty text means
            /// none. Default: the environment's `HTTPS_PROXY`, except for the hosts in `NO_PROXY`.
            Proxy proxy Url "" Request "0.1.0";
            /// The limit for one token request with all its attempts, above zero and at most a day. Default: 20
            /// seconds.
            Timeout timeout Duration "" Request "0.1.0";
            /// The User-Agent header (RFC 9110 section 10.1.5). Default: `clazar-auth/<version>`.
            UserAgent user_agent Text "" Request "0.1.0";
            /// The hosts to which the token may go, each as `host` or `host:port`, with port 443 unless another is
            /// named, without wildcards. Default: `api.clazar.io`, and the host and port of auth_url.
            AllowedHosts allowed_hosts Hosts "" Provider "0.1.0";
            /// Where to keep the token besides memory, for other processes: `memory` (nowhere else), `file` (a file
            /// that only this user can read, in the folder clazar-auth of `$XDG_RUNTIME_DIR`, else of
            /// `$XDG_CACHE_HOME`, else of ~/.cache; on Windows of `%LOCALAPPDATA%`), the absolute path of a folder that
            /// no other user may enter, or the URL of a Redis or Valkey, such as
            /// `rediss://user:password@host:6379/0` (without TLS only on this machine, unless the URL ends in
            /// `?plaintext=yes`), of a cluster (`rediss+cluster://node,node`) or of sentinels
            /// (`rediss+sentinel://host,host/master`). The token is sealed with the client secret, which must have at
            /// least 32 characters. Default: `memory`.
            Store store Store "CLAZAR_STORE" Provider "0.1.0";
            /// Whether the environment may name a proxy (`HTTPS_PROXY`, `NO_PROXY`), the CA certificates to trust in
            /// place of the system's (`SSL_CERT_FILE`, `SSL_CERT_DIR`), and the folder of the store `file`; if
            /// not, that store cannot be used. The library's own variables, such as `CLAZAR_CLIENT_ID`, are read by the
            /// functions that say so, whatever this option is. Default: `true`.
            TrustEnv trust_env Flag "" Request "0.1.0";
            /// Whether to trust the system's CA certificates, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name
            /// in their place; otherwise those of ca_file alone. Default: `true`.
            SystemRoots system_roots Flag "" Request "0.1.0";
        }
    };
}
pub(crate) use with_options;

macro_rules! option_table {
    ($($(#[doc = $doc:literal])+ $option:ident $name:ident $kind:ident $variable:literal $scope:ident $since:literal;)+) => {
        /// An option of a provider or of a single token request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum OptionName {
            $($option,)+
        }

        pub(crate) const OPTIONS: &[OptionRow] = &[$(OptionRow {
            option: OptionName::$option,
            name: stringify!($name),
            kind: OptionType::$kind,
            variable: $variable,
            scope: Scope::$scope,
            since: $since,
            doc: concat!($($doc),+),
        },)+];
    };
}
with_options!(option_table);

impl OptionRow {
    /// Whether Python takes it in front of the keywords.
    pub(crate) fn is_positional(&self) -> bool {
        matches!(self.option, OptionName::ClientId | OptionName::ClientSecret)
    }
}

impl OptionName {
    pub(crate) fn row(self) -> &'static OptionRow {
        &OPTIONS[self as usize]
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        OPTIONS.iter().find(|row| row.name == name).map(|row| row.option)
    }
}
