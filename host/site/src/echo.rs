//! `/echo`: returns the request as it arrived, for tests of clients.

use serde_json::{Map, Value, json};

use super::page_outcome::{PageOutcome, json_value};
use super::page_request::PageRequest;

/// `/echo`. `query` is raw, `args` decoded. Of names that repeat, `args` keeps the last value and `headers` joins all
/// with `, `. Bytes that are not UTF-8 are replaced.
pub(crate) fn request(ask: &PageRequest<'_>) -> PageOutcome {
    let args: Map<_, _> = ask.query_pairs().map(|(name, value)| (name.into_owned(), value.into())).collect();
    json_value(&json!({
        "method": ask.parts.method.as_str(),
        "path": ask.parts.uri.path(),
        "query": ask.query(),
        "args": args,
        "headers": headers(ask),
        "body": String::from_utf8_lossy(&ask.body),
    }))
    .into()
}

fn headers(ask: &PageRequest<'_>) -> Map<String, Value> {
    let fields = &ask.parts.headers;
    let joined = |name| {
        let values: Vec<_> =
            fields.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        values.join(", ")
    };
    fields.keys().map(|name| (name.as_str().to_owned(), joined(name).into())).collect()
}
