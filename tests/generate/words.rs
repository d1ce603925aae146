//! Documentation texts, as each language writes them.

/// `text` in lines of at most `width` characters, each after `prefix`.
pub fn wrapped(text: &str, prefix: &str, width: usize) -> String {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().unwrap();
        if !line.is_empty() && prefix.len() + line.len() + 1 + word.len() > width {
            lines.push(word.to_owned());
        } else {
            let space = if line.is_empty() { "" } else { " " };
            line.extend([space, word]);
        }
    }
    lines.iter().map(|line| format!("{prefix}{line}\n")).collect()
}

/// `text` with each value that stands between backticks put between `quotes`, and each name as `name`
/// writes it; `src/interface.rs` says what is which.
pub fn quoted(text: &str, quotes: char, name: impl Fn(&str) -> String) -> String {
    let parts = text.trim().split('`').enumerate();
    let shown = parts.map(|(i, part)| match i % 2 {
        0 => part.to_owned(),
        _ if is_name(part) => name(part),
        _ => format!("{quotes}{part}{quotes}"),
    });
    shown.collect()
}

fn is_name(text: &str) -> bool {
    text == "true"
        || text.starts_with(['$', '%'])
        || text.starts_with("clazar_")
        || text.chars().all(|c| c.is_ascii_uppercase() || c == '_')
}

/// As the continuation of a sentence.
pub fn continued(text: &str) -> String {
    let text = text.trim();
    let mut letters = text.chars();
    let first = letters.next().unwrap();
    // Not of an abbreviation, such as TLS.
    if letters.as_str().starts_with(char::is_uppercase) {
        return text.to_owned();
    }
    first.to_lowercase().chain(letters).collect()
}

/// As the beginning of a sentence.
pub fn begun(text: &str) -> String {
    let mut letters = text.trim().chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}

/// As a list at the end or in the middle of a sentence.
pub fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}

/// `RateLimited` as `RATE_LIMITED`.
pub fn in_capitals(name: &str) -> String {
    let mut capitals = String::new();
    for (i, c) in name.chars().enumerate() {
        if i > 0 && c.is_uppercase() {
            capitals.push('_');
        }
        capitals.push(c.to_ascii_uppercase());
    }
    capitals
}

#[test]
fn a_sentence_goes_on_in_small_letters() {
    assert_eq!(continued(" The URL."), "the URL.");
    assert_eq!(continued("A second one."), "a second one.");
    assert_eq!(continued("TLS versions."), "TLS versions.");
}

#[test]
fn values_are_quoted_and_names_are_not() {
    let text = "`$HOME`, `HTTPS_PROXY`, `clazar_memzero` or `file`, which is true: `true`.";
    let names = quoted(text, '"', |name| format!("<{name}>"));
    assert_eq!(
        names,
        "<$HOME>, <HTTPS_PROXY>, <clazar_memzero> or \"file\", which is true: <true>."
    );
}
