//! Keeps the records of the lists, and gives them out in pages.

use serde_json::{Map, Value};

use super::http::Request;

pub(super) const CONTRACTS: &str = "/contracts/";
const DATASETS: &str = "/analytics/datasets/";

/// Each list with what its records have besides the fields of all; docs/testing.md says who reads these.
const SAMPLES: [(&str, &str); 5] = [
    ("/listings/", r#""title":"Sample listing #""#),
    (
        "/buyers/",
        r#""name":"Sample buyer #","domain":"buyer-#.example","listing_id":"listings-#",
        "latest_contract_id":"contracts-#",
        "registration_details":[{"field":"Email Address","value":"it@buyer-#.example"}]"#,
    ),
    (
        CONTRACTS,
        r#""buyer_id":"buyers-#","listing_id":"listings-#","latest_offer_id":"private_offers-#""#,
    ),
    ("/private_offers/", r#""name":"Sample offer #","listing_id":"listings-#""#),
    ("/opportunities/", r#""title":"Sample opportunity #","customer_company":"Sample buyer #""#),
];

/// Those that are known in public; empty until a test fills them, since each has other fields.
const KNOWN_DATASETS: &str = " aws_marketplace_disbursements aws_marketplace_revenue \
    aws_cosell_opportunities azure_marketplace_revenue azure_marketplace_customers \
    azure_marketplace_orders azure_marketplace_metered_usage azure_cosell_opportunities \
    gcp_marketplace_disbursements gcp_marketplace_disbursements_summary \
    gcp_marketplace_charges_and_usage gcp_marketplace_daily_insights \
    gcp_marketplace_incremental_daily_insights gcp_marketplace_monthly_insights \
    gcp_marketplace_incremental_monthly_insights ";

/// The records that a test has put in the place of the samples, by the path of the list.
#[derive(Default)]
pub(super) struct Lists(Map<String, Value>);

impl Lists {
    /// `None` if there is no such list.
    pub(super) fn records(&self, path: &str) -> Option<Vec<Value>> {
        if let Some(records) = self.0.get(path) {
            return records.as_array().cloned();
        }
        if let Some((_, fields)) = SAMPLES.iter().find(|(list, _)| *list == path) {
            return Some(samples(path, fields));
        }
        let name = path.strip_prefix(DATASETS)?.trim_end_matches('/');
        KNOWN_DATASETS.contains(&format!(" {name} ")).then(Vec::new)
    }

    /// Whether `path` can be a list, and has these records from now on.
    pub(super) fn replace(&mut self, path: &str, records: Vec<Value>) -> bool {
        let can_be = is_list(path);
        if can_be {
            self.0.insert(path.to_owned(), records.into());
        }
        can_be
    }
}

fn is_list(path: &str) -> bool {
    let is_name = |rest: &str| rest.find('/').is_some_and(|at| at > 0 && at + 1 == rest.len());
    SAMPLES.iter().any(|(list, _)| *list == path)
        || path.strip_prefix(DATASETS).is_some_and(is_name)
}

fn samples(path: &str, fields: &str) -> Vec<Value> {
    let name = path.trim_matches('/');
    let all = r#""cloud":"aws","last_modified_at":"2026-01-0#T00:00:00.000000Z""#;
    let record = format!(r#"{{"id":"{name}-#",{fields},{all}}}"#);
    let numbered = |number| serde_json::from_slice(record.replace('#', number).as_bytes());
    ["1", "2", "3"].map(|number| numbered(number).expect("samples are JSON")).into()
}

/// The page that a request asks for, as JSON; `None` if its number or size is none.
pub(super) fn page(mut records: Vec<Value>, request: &Request) -> Option<String> {
    let number = positive(request, "page", 1)?;
    let size = positive(request, "page_size", 100)?;
    let after = parameter(request, "last_modified_at_after").unwrap_or_default();
    records.retain(|record| is_from(record, &after));
    let count = records.len();
    let start = (number - 1).saturating_mul(size).min(count);
    let end = start.saturating_add(size).min(count);
    records.truncate(end);
    let results = Value::Array(records.split_off(start));
    let next = Value::from((end < count).then(|| url_of(request, number + 1)));
    Some(format!(r#"{{"results":{results},"next":{next},"count":{count}}}"#))
}

/// Whether a record was modified at that time or later; the times are of one format.
fn is_from(record: &Value, time: &str) -> bool {
    let modified = record["last_modified_at"].as_str().unwrap_or_default();
    // Without the Z, which sorts after the parts of a second.
    modified.trim_end_matches('Z') >= time.trim_end_matches('Z')
}

fn url_of(request: &Request, page: usize) -> String {
    let origin = request.header("host").map(|host| format!("http://{host}")).unwrap_or_default();
    let mut url = format!("{origin}{}?page={page}", request.path);
    let pairs = request.query.split('&');
    for pair in pairs.filter(|pair| !pair.is_empty() && !pair.starts_with("page=")) {
        url += "&";
        url += pair;
    }
    url
}

fn positive(request: &Request, name: &str, default: usize) -> Option<usize> {
    let Some(text) = parameter(request, name) else { return Some(default) };
    text.parse().ok().filter(|number| *number > 0)
}

fn parameter(request: &Request, wanted: &str) -> Option<String> {
    let mut parameters = request.parameters();
    parameters.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}
