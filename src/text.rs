//! Makes text from outside fit for an error, an event, a log and a terminal.

use std::io;
use std::time::Duration;

/// No message is longer, in characters.
pub(crate) const LONGEST: usize = 2000;

/// `text` on one line, with what a terminal would obey and what an eye cannot see written as `\u{..}`,
/// and cut after `most` characters.
pub(crate) fn printable(text: &str, most: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(most));
    let mut rest = text.chars();
    for c in rest.by_ref().take(most) {
        if is_unprintable(c) {
            shown.extend(c.escape_debug());
        } else {
            shown.push(c);
        }
    }
    if rest.next().is_some() {
        shown.push_str(" ...");
    }
    shown
}

/// Control characters, and those that break lines, hide, or change the direction of a text (Unicode
/// Standard Annex 9; the categories Cc, Cf, Zl and Zp).
pub(crate) fn is_unprintable(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{600}'..='\u{605}' | '\u{61c}' | '\u{6dd}' | '\u{70f}')
        || matches!(c, '\u{890}'..='\u{891}' | '\u{8e2}' | '\u{180e}' | '\u{200b}'..='\u{200f}')
        || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
        || matches!(c, '\u{fff9}'..='\u{fffb}' | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}')
        || matches!(c, '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// The system's words for an error, without the number that Rust adds, and without the full stop that Windows
/// ends them with.
pub(crate) fn system(error: &io::Error) -> String {
    let words = error.to_string();
    match words.rsplit_once(" (os error ") {
        Some((words, _)) if error.raw_os_error().is_some() => {
            words.trim_end_matches(['.', '\u{3002}']).to_owned()
        }
        _ => words,
    }
}

/// Bytes in hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A host without the brackets that an IPv6 address has in a URL (RFC 3986 section 3.2.2).
pub(crate) fn without_brackets(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}

/// A time in seconds, to the millisecond.
pub(crate) fn seconds(time: Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 1000.0).round() / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_one_printable_line() {
        assert_eq!(printable("naïve \\ \"text\" 'क\u{93f}'", 100), "naïve \\ \"text\" 'क\u{93f}'");
        assert_eq!(printable("a\r\nb\tc\0d\u{7f}", 100), r"a\r\nb\tc\0d\u{7f}");
        assert_eq!(printable("\u{1b}]0;title\u{7}\u{9b}2J", 100), r"\u{1b}]0;title\u{7}\u{9b}2J");
        assert_eq!(printable("\u{202e}drow\u{2066}\u{200b}", 100), r"\u{202e}drow\u{2066}\u{200b}");
        assert_eq!(printable("a\u{2028}b\u{feff}", 100), r"a\u{2028}b\u{feff}");
        assert_eq!(
            printable("\u{600}\u{8e2}\u{110bd}\u{1343f}", 9),
            r"\u{600}\u{8e2}\u{110bd}\u{1343f}"
        );
        assert_eq!(printable("\u{1d173}\u{1bca0}\u{e0001}", 9), r"\u{1d173}\u{1bca0}\u{e0001}");
    }

    #[test]
    fn what_is_long_is_cut() {
        assert_eq!(printable("abc", 3), "abc");
        assert_eq!(printable("abcd", 3), "abc ...");
        assert_eq!(printable(&"\0".repeat(10_000), 2), r"\0\0 ...");
        assert_eq!(printable("äöü", 2), "äö ...");
    }

    #[test]
    fn the_systems_words_are_without_a_number() {
        let missing = io::Error::from_raw_os_error(2);
        let (words, whole) = (system(&missing), missing.to_string());
        assert!(whole.starts_with(&words) && !words.contains("os error") && !words.ends_with('.'));
        assert_eq!(system(&io::Error::other("odd (os error 2)")), "odd (os error 2)");
    }

    #[test]
    fn times_are_in_seconds() {
        let shown = |micros| seconds(Duration::from_micros(micros));
        assert_eq!(shown(20_000_000), "20 s");
        assert_eq!(shown(300_000), "0.3 s");
        assert_eq!(shown(9_817_345), "9.817 s");
        assert_eq!(shown(0), "0 s");
    }
}
