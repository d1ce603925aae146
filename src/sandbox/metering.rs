//! Checks metering records as `POST /metering/` does, as far as that is known in public.

use std::time::SystemTime;

use serde_json::{Map, Value};

use crate::unix_time::since_1970;

/// A field of a record, what it has to be, and whether its text is that.
type Field = (&'static str, &'static str, fn(&str) -> bool);

const TIME: &str = "a time such as 2026-01-31T00:00:00Z";
const NEEDED: [Field; 4] = [
    ("cloud", "aws, azure or gcp", |text| ["aws", "azure", "gcp"].contains(&text)),
    ("contract_id", "the id of a contract", |text| !text.is_empty()),
    ("dimension", "the name of a dimension", |text| !text.is_empty()),
    ("quantity", "a whole number as text, such as \"7\"", is_number),
];
const OPTIONAL: [Field; 2] = [("start_time", TIME, is_time), ("end_time", TIME, is_time)];

/// A set of the contract, dimension and hour of the records that were accepted.
#[derive(Default)]
pub(super) struct Meter(Map<String, Value>);

/// Why a record is not accepted.
struct Fault {
    code: &'static str,
    messages: Vec<String>,
}

impl Fault {
    fn new(code: &'static str, message: &str) -> Self {
        Self { code, messages: vec![message.to_owned()] }
    }
}

impl Meter {
    /// What becomes of each record of a request, as JSON; `None` if its body is no such request.
    pub(super) fn take(&mut self, body: &[u8], contracts: &[Value]) -> Option<String> {
        let body: Value = serde_json::from_slice(body).ok()?;
        let records = body["request"].as_array()?;
        let results = records.iter().map(|record| self.result(record, contracts)).collect();
        Some(format!(r#"{{"results":{}}}"#, Value::Array(results)))
    }

    /// The record itself, with a status.
    fn result(&mut self, record: &Value, contracts: &[Value]) -> Value {
        let mut result = record.as_object().cloned().unwrap_or_default();
        let (status, messages) = match self.accept(record, contracts) {
            Ok(true) => ("success", Vec::new()),
            Ok(false) => ("warning", vec!["the contract has no such dimension".to_owned()]),
            Err(Fault { code, messages }) => {
                put(&mut result, "code", code.into());
                put(&mut result, "errors", messages.iter().map(|text| error(text)).collect());
                ("error", messages)
            }
        };
        put(&mut result, "status", status.into());
        for message in messages.into_iter().take(1) {
            put(&mut result, "message", message.into());
        }
        result.into()
    }

    /// Whether the record's contract has its dimension.
    fn accept(&mut self, record: &Value, contracts: &[Value]) -> Result<bool, Fault> {
        let messages = faults(record);
        if !messages.is_empty() {
            return Err(Fault { code: "VALIDATION_ERROR", messages });
        }
        let text = |field| record[field].as_str().unwrap_or_default();
        let (id, dimension) = (text("contract_id"), text("dimension"));
        let contract = contracts.iter().find(|contract| contract["id"] == id).ok_or_else(|| {
            Fault::new("INVALID_CONTRACT", "contract_id is the id of no contract of /contracts/")
        })?;
        if contract["dimensions"].as_array().is_some_and(|known| !known.contains(&dimension.into()))
        {
            return Ok(false);
        }
        let hour = text("start_time").get(..13).map_or_else(this_hour, str::to_owned);
        if self.0.insert(format!("{id}\n{dimension}\n{hour}"), Value::Null).is_some() {
            let message = "a record with the same contract_id and dimension for the same hour was sent before";
            return Err(Fault::new("DUPLICATE_RECORD", message));
        }
        Ok(true)
    }
}

fn put(object: &mut Map<String, Value>, field: &str, value: Value) {
    object.insert(field.to_owned(), value);
}

fn error(message: &str) -> Value {
    let mut error = Map::new();
    put(&mut error, "message", message.into());
    error.into()
}

fn faults(record: &Value) -> Vec<String> {
    if !record.is_object() {
        return vec!["a record must be an object".to_owned()];
    }
    let given = OPTIONAL.iter().filter(|(field, ..)| !record[*field].is_null());
    let wrong = NEEDED
        .iter()
        .chain(given)
        .filter(|(field, _, is_right)| !record[*field].as_str().is_some_and(is_right));
    let mut messages: Vec<_> =
        wrong.map(|(field, expected, _)| format!("{field} must be {expected}")).collect();
    let time = |field| record[field].as_str().map(instant);
    if messages.is_empty() && time("end_time").is_some_and(|end| time("start_time") > Some(end)) {
        messages.push("end_time must not be before start_time".to_owned());
    }
    messages
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether it is a time of RFC 3339 in UTC.
fn is_time(text: &str) -> bool {
    let Some((whole, rest)) = text.split_at_checked(19) else { return false };
    let shape = whole.bytes().zip(*b"0000-00-00T00:00:00");
    let mut shape = shape.map(|(byte, like)| byte == like || like == b'0' && byte.is_ascii_digit());
    let at_most = |at: usize, most: &str| &whole[at..at + 2] <= most;
    let fraction = rest.strip_suffix('Z').or_else(|| rest.strip_suffix("+00:00"));
    shape.all(|fits| fits)
        && at_most(5, "12")
        && at_most(8, "31")
        && at_most(11, "23")
        && at_most(14, "59")
        && at_most(17, "59")
        && fraction
            .is_some_and(|text| text.is_empty() || text.strip_prefix('.').is_some_and(is_number))
}

/// What orders times of that form: to the second, and the digits of the fraction.
fn instant(text: &str) -> (&str, &str) {
    let (whole, rest) = text.split_at(19);
    let digits = rest.trim_start_matches('.').trim_end_matches('Z').trim_end_matches("+00:00");
    (whole, digits.trim_end_matches('0'))
}

fn this_hour() -> String {
    (since_1970(SystemTime::now()).as_secs() / 3600).to_string()
}
