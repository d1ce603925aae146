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
    /// The URL of another server.
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
        let date = |time: i64| {
            httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(time.unsigned_abs()))
        };
        let text = text.replace("$elsewhere", &self.elsewhere);
        let text = later(&text, "$date+", |ahead| date(self.now + ahead));
        later(&text, "$unix+", |ahead| (self.now + ahead).to_string())
    }
}

fn written(answer: &Answer) -> String {
    let body = format!("{}{}", " ".repeat(answer.pad), answer.body);
    let headers: String = answer.headers.iter().map(|header| format!("{header}\r\n")).collect();
    test_support::server::http(&answer.status, &headers, &body)
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
