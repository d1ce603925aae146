//! What the server of a fault does, step by step.

use std::time::{Duration, UNIX_EPOCH};

use test_support::faulty::Step;

use crate::table::{Answer, Fault};

/// What it says where nothing else is said.
const TOKEN: &str = r#"{"access_token":"not-a-real-token"}"#;

pub struct Script<'a> {
    pub fault: &'a Fault,
    /// Wall time of the client.
    pub now: i64,
    /// The host and the port of another server.
    pub elsewhere: String,
}

impl Script<'_> {
    pub fn steps(&self) -> Vec<Step> {
        let fault = self.fault;
        if let Some(listed) = fault.server.as_ref().or(fault.proxy.as_ref()) {
            let steps = listed.iter().map(|step| step.clone().try_into().unwrap());
            return steps.map(|step| self.filled_in(step)).collect();
        }
        let body = fault.body.as_deref().unwrap_or(TOKEN);
        let answer = fault.answer.as_ref().map(|answer| Step::Send(self.text(&written(answer))));
        vec![Step::Read, answer.unwrap_or_else(|| Step::Ok(body.into()))]
    }

    fn filled_in(&self, step: Step) -> Step {
        match step {
            Step::Send(text) => Step::Send(self.text(&text)),
            step => step,
        }
    }

    /// With what is only known now.
    fn text(&self, text: &str) -> String {
        let text = text.replace("$elsewhere", &self.elsewhere);
        let text = later(&text, "$date+", |ahead| date(self.now + ahead));
        let text = later(&text, "$rfc850+", |ahead| rfc850(&date(self.now + ahead)));
        let text = later(&text, "$asctime+", |ahead| asctime(&date(self.now + ahead)));
        later(&text, "$unix+", |ahead| (self.now + ahead).to_string())
    }
}

fn written(answer: &Answer) -> String {
    let body = format!("{}{}", " ".repeat(answer.pad), answer.body);
    let headers: String = answer.headers.iter().map(|header| format!("{header}\r\n")).collect();
    test_support::server::http(&answer.status, &headers, &body)
}

/// In the form of today, such as `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
fn date(time: i64) -> String {
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(time.unsigned_abs()))
}

/// The same in the older form `Sunday, 06-Nov-94 08:49:37 GMT`.
fn rfc850(date: &str) -> String {
    let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
    let day = days.iter().find(|day| day.starts_with(&date[..3])).unwrap();
    format!("{day}, {}-{}-{}{}", &date[5..7], &date[8..11], &date[14..16], &date[16..])
}

/// The same in the form of C, `Sun Nov  6 08:49:37 1994`.
fn asctime(date: &str) -> String {
    let day = date[5..7].trim_start_matches('0');
    format!("{} {} {day:>2} {} {}", &date[..3], &date[8..11], &date[17..25], &date[12..16])
}

/// Replaces `mark` and the number after it.
fn later(text: &str, mark: &str, value: impl Fn(i64) -> String) -> String {
    let mut parts = text.split(mark);
    let mut replaced = parts.next().unwrap().to_owned();
    for part in parts {
        let end = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
        replaced += &value(part[..end].parse().unwrap());
        replaced += &part[end..];
    }
    replaced
}
