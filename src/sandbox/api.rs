//! Answers requests to the endpoints.

use std::borrow::Cow;
use std::thread;

use serde_json::Value;

use super::http::Request;
use super::state::State;
use super::{Answer, lists};

pub(super) const AUTHENTICATE: &str = "/authenticate/";
const METERING: &str = "/metering/";

/// A path with the slash at its end, which programs may leave out.
pub(super) fn with_slash(path: &str) -> Cow<'_, str> {
    if path.ends_with('/') { path.into() } else { format!("{path}/").into() }
}

pub(super) fn answer(state: &State, request: &Request) -> Answer {
    let path = with_slash(&request.path);
    let authenticates = path == AUTHENTICATE;
    let refusal = if authenticates { None } else { refusal(state, request) };
    let prepared = state.arrive(&path, refusal.as_ref());
    // The body of a token request holds the secret, and may be sent to a path that is a mistake.
    if !authenticates && (prepared.is_some() || path == METERING || is_list(state, &path)) {
        state.keep(&path, &request.body);
    }
    if authenticates {
        thread::sleep(state.delay());
    }
    prepared.unwrap_or_else(|| own_answer(state, request, &path, refusal))
}

fn own_answer(state: &State, request: &Request, path: &str, refusal: Option<Answer>) -> Answer {
    let wanted = match path {
        METERING => "POST",
        // Without the slash a configuration is wrong, which a test is to show.
        AUTHENTICATE if request.path == AUTHENTICATE => "POST",
        _ if is_list(state, path) => "GET",
        _ => return json_answer(404, r#"{"error":"not_found"}"#),
    };
    if request.method != wanted {
        return json_answer(405, r#"{"error":"method_not_allowed"}"#).header("Allow", wanted);
    }
    if let Some(refusal) = refusal {
        return refusal;
    }
    match path {
        AUTHENTICATE => authenticate(state, request),
        METERING => metering(state, request),
        _ => list(state, request, path),
    }
}

fn is_list(state: &State, path: &str) -> bool {
    state.update(|knobs| knobs.lists.records(path).is_some())
}

/// The answer to a request without a token that is accepted.
fn refusal(state: &State, request: &Request) -> Option<Answer> {
    if bearer(request).is_some_and(|token| state.accepts(token)) {
        return None;
    }
    let answer = json_answer(401, r#"{"error":"invalid_token"}"#);
    Some(answer.header("WWW-Authenticate", r#"Bearer error="invalid_token""#))
}

fn authenticate(state: &State, request: &Request) -> Answer {
    let form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let fields = if form { form_fields(&request.body) } else { json_fields(&request.body) };
    let Some((client_id, client_secret)) = fields else {
        return invalid("the body must have a client_id and a client_secret");
    };
    let Some((token, lifetime)) = state.issue(&client_id, &client_secret) else {
        let refusal = r#"{"error":"access_denied","error_description":"Unauthorized"}"#;
        return json_answer(401, refusal);
    };
    // A whole number of seconds is written as the API does, without a point.
    let seconds = lifetime.as_secs_f64();
    json_answer(
        200,
        format!(r#"{{"access_token":"{token}","token_type":"bearer","expires_in":{seconds}}}"#),
    )
}

/// The two fields of a token request that matter; `grant_type` and others are ignored.
fn json_fields(body: &[u8]) -> Option<(String, String)> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let field = |name| body[name].as_str().map(str::to_owned);
    Some((field("client_id")?, field("client_secret")?))
}

fn form_fields(body: &[u8]) -> Option<(String, String)> {
    let field = |wanted| {
        let mut fields = form_urlencoded::parse(body);
        fields.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    Some((field("client_id")?, field("client_secret")?))
}

fn list(state: &State, request: &Request, path: &str) -> Answer {
    let records = state.update(|knobs| knobs.lists.records(path)).unwrap_or_default();
    lists::page(records, request).map_or_else(
        || invalid("page and page_size must be whole numbers from 1"),
        |page| json_answer(200, page),
    )
}

fn metering(state: &State, request: &Request) -> Answer {
    let results = state.update(|knobs| {
        let contracts = knobs.lists.records(lists::CONTRACTS).unwrap_or_default();
        knobs.meter.take(&request.body, &contracts)
    });
    results.map_or_else(
        || invalid("the body must be JSON, with the records in a list named request"),
        |results| json_answer(200, results),
    )
}

fn invalid(description: &str) -> Answer {
    let body = format!(r#"{{"error":"invalid_request","error_description":"{description}"}}"#);
    json_answer(400, body)
}

fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn json_answer(status: u16, body: impl Into<String>) -> Answer {
    Answer::new(status, body.into()).header("Content-Type", "application/json")
}
