//! Answers requests to the endpoints.

use std::thread;

use serde::Deserialize;
use serde_json::{Value, json};

use super::Answer;
use super::http::Request;
use super::state::State;

pub(super) const AUTHENTICATE: &str = "/authenticate/";
const METERING: &str = "/metering/";
const LISTS: [&str; 4] = ["/listings/", "/buyers/", "/contracts/", "/private_offers/"];

/// The two fields of a token request that matter; `grant_type` and others are ignored.
#[derive(Deserialize)]
struct TokenRequest {
    client_id: String,
    client_secret: String,
}

pub(super) fn answer(state: &State, request: &Request) -> Answer {
    let prepared = state.arrive(&request.path);
    if request.path == AUTHENTICATE {
        thread::sleep(state.delay());
    }
    prepared.unwrap_or_else(|| own_answer(state, request))
}

fn own_answer(state: &State, request: &Request) -> Answer {
    let path = request.path.as_str();
    let wanted = match path {
        AUTHENTICATE | METERING => "POST",
        _ if LISTS.contains(&path) => "GET",
        _ => return json_answer(404, json!({"error": "not_found"})),
    };
    if request.method != wanted {
        return json_answer(405, json!({"error": "method_not_allowed"})).header("Allow", wanted);
    }
    if path == AUTHENTICATE {
        return authenticate(state, request);
    }
    if !bearer(request).is_some_and(|token| state.accepts(token)) {
        return json_answer(401, json!({"error": "invalid_token"}))
            .header("WWW-Authenticate", r#"Bearer error="invalid_token""#);
    }
    json_answer(200, if path == METERING { accepted(&request.body) } else { list(path) })
}

fn authenticate(state: &State, request: &Request) -> Answer {
    let form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let fields =
        if form { form_fields(&request.body) } else { serde_json::from_slice(&request.body).ok() };
    let Some(TokenRequest { client_id, client_secret }) = fields else {
        return json_answer(400, json!({"error": "invalid_request"}));
    };
    match state.issue(&client_id, &client_secret) {
        Some((token, lifetime)) => json_answer(
            200,
            json!({
                "access_token": token,
                "token_type": "bearer",
                "expires_in": whole_or_part(lifetime.as_secs_f64()),
            }),
        ),
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

fn list(path: &str) -> Value {
    let what = path.trim_matches('/');
    let item = |number| json!({"id": format!("{what}-{number}"), "name": format!("Sample {number} of {what}")});
    json!({"results": [item(1), item(2), item(3)], "next": null, "count": 3})
}

fn accepted(body: &[u8]) -> Value {
    let records = serde_json::from_slice::<Value>(body).ok();
    let records = records.as_ref().and_then(|body| body["request"].as_array());
    json!({"results": records.cloned().unwrap_or_default()})
}

fn bearer(request: &Request) -> Option<&str> {
    let (scheme, token) = request.header("authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn json_answer(status: u16, body: Value) -> Answer {
    Answer::new(status, body.to_string()).header("Content-Type", "application/json")
}
