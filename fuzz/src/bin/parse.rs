//! Says what this library reads in texts, for `fuzz/differential.py`: a line of hexadecimal digits in, one of JSON out.

use std::io::{BufRead, Write};
use std::time::UNIX_EPOCH;

use clazar_auth::fuzzing::request::{date, is_unprintable, origin, proxy, url};
use clazar_auth::fuzzing::store::redis;
use serde_json::{Value, json};

fn main() -> std::io::Result<()> {
    let mut output = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        let digits = |at: usize| u8::from_str_radix(&line[at..at + 2], 16).expect("two digits");
        let bytes = (0..line.len() / 2).map(|at| digits(2 * at)).collect();
        let text = String::from_utf8(bytes).expect("the text is UTF-8");
        writeln!(output, "{}", parse(&text))?;
    }
    Ok(())
}

/// Null for what is refused.
fn parse(text: &str) -> Value {
    let url = url(text).ok().map(|(_, host, port)| json!([host, port]));
    let proxy = proxy(text).ok().map(|proxy| {
        let host = proxy.host().trim_matches(['[', ']']);
        json!([host, proxy.port(), proxy.username(), proxy.password()])
    });
    let store = redis::url(text).ok();
    let store = store.map(|url| json!([url.origins, url.user, url.password, url.database]));
    let date = date(text).map(|at| at.duration_since(UNIX_EPOCH).expect("it is after 1970"));
    json!({
        "url": url,
        "allowed_host": origin(text),
        "proxy": proxy,
        "store": store,
        "date": date.map(|date| date.as_secs()),
        "is_unprintable": text.chars().any(is_unprintable),
    })
}
