//! Keeps the records of the lists, and gives them out in pages.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Value, json};

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
const KNOWN_DATASETS: &str = "aws_marketplace_disbursements aws_marketplace_revenue \
    aws_cosell_opportunities azure_marketplace_revenue azure_marketplace_customers \
    azure_marketplace_orders azure_marketplace_metered_usage azure_cosell_opportunities \
    gcp_marketplace_disbursements gcp_marketplace_disbursements_summary \
    gcp_marketplace_charges_and_usage gcp_marketplace_daily_insights \
    gcp_marketplace_incremental_daily_insights gcp_marketplace_monthly_insights \
    gcp_marketplace_incremental_monthly_insights";

/// The records of each list, by its path.
pub(super) struct Lists(BTreeMap<String, Vec<Value>>);

impl Lists {
    pub(super) fn new() -> Self {
        let samples = SAMPLES.map(|(path, fields)| (path.to_owned(), samples(path, fields)));
        let names = KNOWN_DATASETS.split_ascii_whitespace();
        let datasets = names.map(|name| (format!("{DATASETS}{name}/"), Vec::new()));
        Self(samples.into_iter().chain(datasets).collect())
    }

    /// `None` if there is no such list.
    pub(super) fn records(&self, path: &str) -> Option<&[Value]> {
        self.0.get(path).map(Vec::as_slice)
    }

    /// Whether `path` can be a list, and is one from now on.
    pub(super) fn replace(&mut self, path: &str, records: Vec<Value>) -> bool {
        let path = with_slash(path);
        let can_be = is_list(&path);
        if can_be {
            self.0.insert(path.into_owned(), records);
        }
        can_be
    }
}

/// The path of a list as the sandbox keeps it, also for readers that leave out the slash at the end.
pub(super) fn with_slash(path: &str) -> Cow<'_, str> {
    let whole = format!("{path}/");
    if is_list(&whole) { Cow::Owned(whole) } else { Cow::Borrowed(path) }
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
    let numbered = |number| serde_json::from_str(&record.replace('#', number));
    ["1", "2", "3"].map(|number| numbered(number).expect("samples are JSON")).to_vec()
}

/// The page that a request asks for; `None` if its number or size is none.
pub(super) fn page(records: &[Value], request: &Request) -> Option<Value> {
    let number = positive(request, "page", 1)?;
    let size = positive(request, "page_size", 100)?;
    let after = parameter(request, "last_modified_at_after").unwrap_or_default();
    let found: Vec<_> = records.iter().filter(|record| is_from(record, &after)).collect();
    let start = (number - 1).saturating_mul(size);
    let end = start.saturating_add(size);
    let next = (end < found.len()).then(|| url_of(request, number + 1));
    let results: Vec<_> = found.iter().skip(start).take(size).collect();
    Some(json!({"results": results, "next": next, "count": found.len()}))
}

/// Whether a record was modified at that time or later; the times are of one format.
fn is_from(record: &Value, time: &str) -> bool {
    let modified = record["last_modified_at"].as_str().unwrap_or_default();
    // Without the Z, which sorts after the parts of a second.
    modified.trim_end_matches('Z') >= time.trim_end_matches('Z')
}

fn url_of(request: &Request, page: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(request.parameters().filter(|(name, _)| name != "page"));
    query.append_pair("page", &page.to_string());
    let origin = request.header("host").map(|host| format!("http://{host}")).unwrap_or_default();
    format!("{origin}{}?{}", request.path, query.finish())
}

fn positive(request: &Request, name: &str, default: usize) -> Option<usize> {
    let Some(text) = parameter(request, name) else { return Some(default) };
    text.parse().ok().filter(|number| *number > 0)
}

fn parameter(request: &Request, wanted: &str) -> Option<String> {
    let mut parameters = request.parameters();
    parameters.find(|(name, _)| name == wanted).map(|(_, value)| value.into_owned())
}
