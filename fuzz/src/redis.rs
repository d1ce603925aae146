//! What a server of Redis answers: a reply, and within it where the keys or the master are.

use std::io::ErrorKind;

use clazar_auth::fuzzing::store::redis::{answer, look, master, redirection, refusal};

use crate::common::{bounded, check_words};
use crate::url::check_origin;

/// Two values of the longest kind, one more copy of each, and as much again for what is written anew.
const MOST_MEMORY: usize = 1024 * 1024;
const COMMANDS: [&str; 4] = ["AUTH", "EVAL", "SELECT", "SENTINEL|GET-MASTER-ADDR-BY-NAME"];

pub fn run(data: &[u8]) {
    let read =
        |bytes: &[u8], piece| bounded(MOST_MEMORY, || answer(bytes, piece).map_err(|e| e.kind()));
    let whole = read(data, usize::MAX);
    match (&whole, read(data, 1)) {
        // What is beyond an answer is noticed where it comes along with it.
        (Err(ErrorKind::InvalidData), Ok(_)) => {}
        (whole, in_pieces) => assert_eq!(*whole, in_pieces, "however the network cuts it"),
    }
    if let Ok(written) = &whole {
        assert_eq!(
            read(written, usize::MAX).as_ref(),
            Ok(written),
            "what is written is read again"
        );
        // Nothing that was sent is passed over but the text of a `+OK`, and no more is read than that.
        assert!(data.first() == written.first() && written.len() <= 140_000);
    }
    for blob in look(data).into_iter().flatten().flatten() {
        assert!((1..=64 * 1024 + 1).contains(&blob.len()));
    }
    let text = String::from_utf8_lossy(data);
    check_refusals(&text);
    check_redirections(&text);
}

/// No more of a server's text is shown than one word of capitals.
fn check_refusals(text: &str) {
    let is_code = |word: &&str| {
        let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        (1..=64).contains(&word.len()) && word.bytes().all(allowed)
    };
    let codes: Vec<_> = text.split([' ', '-']).filter(is_code).collect();
    for command in COMMANDS {
        let said = refusal(command, text);
        let code =
            said.split("the error ").nth(1).and_then(|rest| rest.split([' ', ';', ')']).next());
        assert!(code.is_none_or(|code| code == "NOPERM" || codes.contains(&code)), "{said}");
        let fact = code.map_or(String::new(), |code| format!("the error {code}"));
        check_words(&said, &[&fact]);
    }
}

fn check_redirections(text: &str) {
    let at = ("node.example".to_owned(), 7000);
    if let Some(origin) = redirection(text, "node.example:7000") {
        assert!(text.starts_with("MOVED ") || text.starts_with("ASK ") || !text.is_empty());
        assert!(text.ends_with(&origin.1.to_string()) || text.contains(' '));
        assert!(origin.0 == at.0 || text.to_ascii_lowercase().contains(&origin.0));
        check_origin(&origin);
    }
    if let Some((host, port)) = text.split_once('\n') {
        master(host.as_bytes(), port.as_bytes()).iter().for_each(check_origin);
    }
}
