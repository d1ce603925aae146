//! The endpoints.

use std::io::{Cursor, Read};
use std::thread;

use serde::Deserialize;
use serde_json::{Value, json};
use tiny_http::{Header, Method, Request, Response};

use super::Answer;
use super::state::State;

pub(super) const AUTHENTICATE: &str = "/authenticate/";
const METERING: &str = "/metering/";
const LISTS: [&str; 4] = ["/listings/", "/buyers/", "/contracts/", "/private_offers/"];
const BODY_LIMIT: u64 = 1024 * 1024;

/// The two fields of a token request that matter; `grant_type` and others are passed over.
#[derive(Deserialize)]
struct TokenRequest {
    client_id: String,
    client_secret: String,
}

pub(super) fn answer(state: &State, mut request: Request) {
    let path = request.url().split('?').next().unwrap_or_default().to_owned();
    let mut body = Vec::new();
    // A body that breaks off is judged as far as it came.
    let _ = request.as_reader().take(BODY_LIMIT).read_to_end(&mut body);

    let prepared = state.arrive(&path);
    if path == AUTHENTICATE {
        thread::sleep(state.delay());
    }
    let answer = prepared.unwrap_or_else(|| own_answer(state, &request, &path, &body));
    // The client may be gone by now.
    let _ = request.respond(response(answer));
}

fn own_answer(state: &State, request: &Request, path: &str, body: &[u8]) -> Answer {
    let wanted = match path {
        AUTHENTICATE | METERING => Method::Post,
        _ if LISTS.contains(&path) => Method::Get,
        _ => return json_answer(404, json!({"error": "not_found"})),
    };
    if *request.method() != wanted {
        return json_answer(405, json!({"error": "method_not_allowed"}))
            .header("Allow", wanted.to_string());
    }
    if path == AUTHENTICATE {
        return authenticate(state, request, body);
    }
    if !bearer(request).is_some_and(|token| state.accepts(token)) {
        return json_answer(401, json!({"error": "invalid_token"}))
            .header("WWW-Authenticate", r#"Bearer error="invalid_token""#);
    }
    json_answer(200, if path == METERING { accepted(body) } else { list(path) })
}

fn authenticate(state: &State, request: &Request, body: &[u8]) -> Answer {
    let form = header(request, "content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    let fields = if form { form_fields(body) } else { serde_json::from_slice(body).ok() };
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
    let (scheme, token) = header(request, "authorization")?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}

fn header<'a>(request: &'a Request, name: &'static str) -> Option<&'a str> {
    let header = request.headers().iter().find(|header| header.field.equiv(name))?;
    Some(header.value.as_str())
}

fn json_answer(status: u16, body: Value) -> Answer {
    Answer::new(status, body.to_string()).header("Content-Type", "application/json")
}

fn response(answer: Answer) -> Response<Cursor<Vec<u8>>> {
    let headers = answer.headers.iter();
    let headers = headers
        .filter_map(|(name, value)| Header::from_bytes(name.as_bytes(), value.as_bytes()).ok());
    let length = answer.body.len();
    Response::new(
        answer.status.into(),
        headers.collect(),
        Cursor::new(answer.body),
        Some(length),
        None,
    )
}
