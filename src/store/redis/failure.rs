//! Says why Redis is of no use, in words that follow "the store redis://host:6379".

use std::io;

use super::budget::Limit;
use super::scripts::COMMANDS;
use crate::request::tls_failure;
use crate::request::url::Origin;
use crate::text;

/// No code of an error is longer, in characters.
const LONGEST_CODE: usize = 64;
const KEYS: &str = "clazar-auth:*";
/// What sentinels are asked.
pub(super) const WHO_IS_MASTER: &str = "SENTINEL|GET-MASTER-ADDR-BY-NAME";
/// How a script is told, without a code of its own, that a user may not run a command: to Redis 7.0, and later.
const IN_SCRIPT: [&str; 2] = ["can't run this command", "ACL failure in script"];

#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) kind: FailureKind,
    pub(super) words: String,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum FailureKind {
    /// The connection is of no more use; another may be.
    BrokenOff,
    /// The server would say the same over another one. What it was asked for was not done.
    Refused,
    /// The server is in no state for it, perhaps since a moment ago; another may be. What it was asked for was not
    /// done.
    NotNow,
    /// Some of the keys are on their way to another node, and some are there. What it was asked for was not done.
    Moving,
    /// The server cannot be believed.
    Unusable,
}

impl FailureKind {
    /// Whether the server itself said what is wrong.
    pub(super) fn is_told(self) -> bool {
        matches!(self, Self::Refused | Self::NotNow | Self::Moving)
    }
}

impl Failure {
    pub(super) fn new(kind: FailureKind, words: impl Into<String>) -> Self {
        Self { kind, words: words.into() }
    }

    pub(super) fn unusable(words: impl Into<String>) -> Self {
        Self::new(FailureKind::Unusable, words)
    }

    pub(super) fn broken_off(words: impl Into<String>) -> Self {
        Self::new(FailureKind::BrokenOff, words)
    }

    /// Says which of several servers it was.
    pub(super) fn of(self, origin: &Origin) -> Self {
        Self { words: format!("(at {origin}) {}", self.words), ..self }
    }

    /// Whoever connects found nobody.
    pub(super) fn unreachable(error: &io::Error, limit: Limit) -> Self {
        Self::unusable(match error.kind() {
            io::ErrorKind::TimedOut => limit.words(),
            _ => format!("cannot be reached ({})", text::system(error)),
        })
    }

    /// What became of a connection.
    pub(super) fn of_connection(error: &io::Error, limit: Limit) -> Self {
        if let Some(error) = tls_error(error) {
            return Self::unusable(format!("cannot be used: {}", tls_failure::words(error)));
        }
        match error.kind() {
            io::ErrorKind::TimedOut => Self::broken_off(limit.words()),
            io::ErrorKind::UnexpectedEof => Self::broken_off("ended the connection"),
            io::ErrorKind::InvalidData => Self::strange(),
            _ => Self::broken_off(format!("broke off ({})", text::system(error))),
        }
    }

    /// Something other than Redis, or somebody on the way to it.
    pub(super) fn strange() -> Self {
        Self::unusable("does not answer as Redis does; check its URL")
    }

    /// A command was answered with an error; no more of its text than the code is shown, since it may
    /// repeat a part of the command.
    pub(super) fn refusal(command: &str, text: &str) -> Self {
        let text = without_place(text);
        let code = text.split(' ').next().filter(|word| is_code(word));
        let is_in_script = IN_SCRIPT.iter().any(|words| text.contains(words));
        if is_in_script || code == Some("NOPERM") {
            let words = not_allowed(command, is_in_script || names(text, command));
            return Self::new(FailureKind::Refused, words);
        }
        let what = match code {
            Some(code) => format!("the error {code}"),
            None => "an error".to_owned(),
        };
        let advice = match code {
            Some("ERR") if command == WHO_IS_MASTER => "; is it a sentinel?",
            code => code.and_then(advice).unwrap_or_default(),
        };
        let words = format!("cannot be used: {command} was answered with {what}{advice}");
        let kind = match code {
            Some("READONLY" | "CLUSTERDOWN" | "LOADING" | "MASTERDOWN") => FailureKind::NotNow,
            Some("TRYAGAIN") => FailureKind::Moving,
            _ => FailureKind::Refused,
        };
        Self::new(kind, words)
    }
}

pub(super) fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// Before version 7 Redis puts in front of what it says to a script where in it that was: `@user_script: 7: `.
fn without_place(text: &str) -> &str {
    let rest = text.strip_prefix("@user_script: ").and_then(|rest| rest.split_once(": "));
    rest.map_or(text, |(_, rest)| rest).trim_start_matches('-')
}

fn is_code(word: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    !word.is_empty() && word.len() <= LONGEST_CODE && word.bytes().all(allowed)
}

/// Redis has the command that may not be run in quotes, before version 7 without the subcommand.
fn names(text: &str, command: &str) -> bool {
    let (container, _) = command.split_once('|').unwrap_or((command, ""));
    let named = text.split('\'').nth(1);
    named.is_some_and(|named| [command, container].iter().any(|it| named.eq_ignore_ascii_case(it)))
}

fn not_allowed(command: &str, is_command: bool) -> String {
    let what = if is_command { format!("run {command}") } else { format!("use the keys {KEYS}") };
    let needed = if command == WHO_IS_MASTER {
        format!("{command} at the sentinels")
    } else {
        let besides = Some(command).filter(|command| !COMMANDS.contains(command));
        let needed: Vec<_> = besides.into_iter().chain(COMMANDS).collect();
        format!("{} on the keys {KEYS}", needed.join(", "))
    };
    format!("does not let this user {what} (the error NOPERM); allow it {needed}")
}

/// What to do about an error.
fn advice(code: &str) -> Option<&'static str> {
    Some(match code {
        "WRONGPASS" => "; correct the user and the password in its URL",
        "NOAUTH" => "; its URL needs a password, and a user if it is not the default one",
        "MOVED" | "ASK" => {
            "; it is a node of a cluster: write redis+cluster or rediss+cluster in its URL"
        }
        "TRYAGAIN" => "; its nodes are moving these keys just now",
        "CLUSTERDOWN" => "; no node of the cluster has these keys now: see to its nodes",
        "READONLY" => "; it is a replica: name the primary",
        "OOM" => "; it has no memory left: let it evict keys (maxmemory-policy) or have more",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(command: &str, text: &str) -> String {
        let failure = Failure::refusal(command, text);
        assert_eq!(failure.kind, FailureKind::Refused, "{failure:?}");
        failure.words
    }

    /// The texts are those of Redis 6.2, 7.0 and 8.2 and of Valkey 9.1.
    #[test]
    fn what_a_user_may_not_do_is_named() {
        for text in [
            "NOPERM this user has no permissions to run the 'eval' command or its subcommand",
            "NOPERM this user has no permissions to run the 'eval' command",
            "NOPERM User fleet has no permissions to run the 'eval' command",
        ] {
            assert_eq!(
                refusal("EVAL", text),
                "does not let this user run EVAL (the error NOPERM); allow it EVAL, TIME, GETRANGE, PTTL, \
                 SET on the keys clazar-auth:*"
            );
        }
        for text in [
            "@user_script: 21: The user executing the script can't run this command or subcommand",
            "ERR The user executing the script can't run this command or subcommand",
            "ERR ACL failure in script: User fleet has no permissions to run the 'set' command",
        ] {
            assert!(
                refusal("SET", text)
                    .starts_with("does not let this user run SET (the error NOPERM)")
            );
        }
        for text in [
            "NOPERM this user has no permissions to access one of the keys used as arguments",
            "NOPERM No permissions to access a key",
        ] {
            assert!(
                refusal("EVAL", text)
                    .starts_with("does not let this user use the keys clazar-auth:*")
            );
        }
    }

    #[test]
    fn what_a_user_may_not_do_at_sentinels_is_named() {
        for text in [
            "NOPERM this user has no permissions to run the 'sentinel' command or its subcommand",
            "NOPERM User fleet has no permissions to run the 'sentinel|get-master-addr-by-name' command",
        ] {
            assert_eq!(
                refusal(WHO_IS_MASTER, text),
                "does not let this user run SENTINEL|GET-MASTER-ADDR-BY-NAME (the error NOPERM); allow it \
                 SENTINEL|GET-MASTER-ADDR-BY-NAME at the sentinels"
            );
        }
    }

    #[test]
    fn no_text_of_a_server_is_shown_but_a_code() {
        assert_eq!(
            refusal("SELECT", "ERR DB index is out of range"),
            "cannot be used: SELECT was answered with the error ERR"
        );
        let oom = "@user_script: 7: -OOM command not allowed when used memory > 'maxmemory'.";
        assert!(refusal("SET", oom).contains("SET was answered with the error OOM; "));
        assert!(
            refusal("AUTH", "WRONGPASS invalid")
                .contains("AUTH was answered with the error WRONGPASS;")
        );
        for text in ["\u{1b}]0;owned\u{7} x", "forged\nline", "", "lower case", &"A".repeat(65)] {
            assert_eq!(refusal("EVAL", text), "cannot be used: EVAL was answered with an error");
        }
        let forged = refusal("EVAL", "NOPERM '\u{1b}[2J' EVAL");
        assert!(forged.starts_with("does not let this user use the keys"), "{forged}");
    }
}
