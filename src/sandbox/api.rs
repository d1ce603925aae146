//! Answers requests to the endpoints.

use std::thread;

use serde::Deserialize;
use serde_json::{Value, json};

use super::http::Request;
use super::state::State;
use super::{Answer, lists};

pub(super) const AUTHENTICATE: &str = "/authenticate/";
const METERING: &str = "/metering/";

/// The two fields of a token request that matter; `grant_type` and others are ignored.
#[derive(Deserialize)]
struct TokenRequest {
    client_id: String,
    client_secret: String,
}

pub(super) fn answer(state: &State, request: &Request) -> Answer {
    let path = lists::with_slash(&request.path);
    let authenticates = path == AUTHENTICATE;
    let refusal = if authenticates { None } else { refusal(state, request) };
    // The body of a token request holds the secret.
    let body = (!authenticates).then_some(request.body.as_slice());
    let prepared = state.arrive(&path, body, refusal.as_ref());
    if authenticates {
        thread::sleep(state.delay());
    }
    prepared.unwrap_or_else(|| own_answer(state, request, &path, refusal))
}

fn own_answer(state: &State, request: &Request, path: &str, refusal: Option<Answer>) -> Answer {
    let wanted = match path {
        AUTHENTICATE | METERING => "POST",
        _ if state.update(|knobs| knobs.lists.records(path).is_some()) => "GET",
        _ => return json_answer(404, json!({"error": "not_found"})),
    };
    if request.method != wanted {
        return json_answer(405, json!({"error": "method_not_allowed"})).header("Allow", wanted);
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

/// The answer to a request without a token that is accepted.
fn refusal(state: &State, request: &Request) -> Option<Answer> {
    if bearer(request).is_some_and(|token| state.accepts(token)) {
        return None;
    }
    let answer = json_answer(401, json!({"error": "invalid_token"}));
    Some(answer.header("WWW-Authenticate", r#"Bearer error="invalid_token""#))
}

fn authenticate(state: &State, request: &Request) -> Answer {
    let form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let fields =
        if form { form_fields(&request.body) } else { serde_json::from_slice(&request.body).ok() };
    let Some(TokenRequest { client_id, client_secret }) = fields else {
        return invalid("the body must have a client_id and a client_secret");
    };
    match state.issue(&client_id, &client_secret) {
        Some((token, lifetime)) => success(json!({
            "access_token": token,
            "token_type": "bearer",
            "expires_in": whole_or_part(lifetime.as_secs_f64()),
        })),
        None => {
            json_answer(401, json!({"error": "access_denied", "error_description": "Unauthorized"}))
        }
    }
}

/// Whole seconds as an integer, as the API writes them.
fn whole_or_part(seconds: f64) -> Value {
    if seconds.fract() == 0.0 { json!(seconds as u64) } else { json!(seconds) }
}

fn form_fields(body: &[u8]) -> Option<TokenRequest> {
    let field = |wanted| {
        let mut fields = form_urlencoded::parse(body);
        fields.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
    };
    Some(TokenRequest { client_id: field("client_id")?, client_secret: field("client_secret")? })
}

fn list(state: &State, request: &Request, path: &str) -> Answer {
    let page = state.update(|knobs| lists::page(knobs.lists.records(path)?, request));
    page.map_or_else(|| invalid("page and page_size must be whole numbers from 1"), success)
}

fn metering(state: &State, request: &Request) -> Answer {
    let results = state.update(|knobs| {
        let contracts = knobs.lists.records(lists::CONTRACTS).unwrap_or_default();
        knobs.meter.take(&request.body, contracts)
    });
    results.map_or_else(|| invalid("the body must be JSON, with records in \"request\""), success)
}

fn success(body: Value) -> Answer {
    json_answer(200, body)
}

fn invalid(description: &str) -> Answer {
    json_answer(400, json!({"error": "invalid_request", "error_description": description}))
}

fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn json_answer(status: u16, body: Value) -> Answer {
    Answer::new(status, body.to_string()).header("Content-Type", "application/json")
}
