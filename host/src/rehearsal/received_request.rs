//! A request that the target of a rehearsal received, in whatever version of HTTP, and its differences from the one
//! that the script expects.

use super::byte_pattern::{Match, quoted};
use super::cases::ExpectedRequest;

/// A request as it was received.
pub(super) struct ReceivedRequest {
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// Fields and their values; the first of a name counts.
    pub headers: Vec<(String, String)>,
    /// The content.
    pub body: Vec<u8>,
}

/// Returns the differences between a request and the expected one.
pub(super) fn differences(expected: &ExpectedRequest, received: &ReceivedRequest) -> Vec<String> {
    let mut faults = Vec::new();
    let mut compare = |what: &str, expected: Option<&String>, actual: &str| {
        if let Some(expected) = expected.filter(|expected| *expected != actual) {
            let (expected, actual) = (quoted(expected.as_bytes()), quoted(actual.as_bytes()));
            faults.push(format!("expected {what} of a request to be {expected}, it was {actual}"));
        }
    };
    compare("the method", expected.method.as_ref(), &received.method);
    compare("the path", expected.path.as_ref(), &received.path);
    for (name, value) in &expected.headers {
        let field = received.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        compare(&format!("the field `{name}`"), Some(value), field.map_or("", |(_, value)| value));
    }
    if let Some(body) = &expected.body
        && body.compare(&received.body) != Match::Complete(received.body.len())
    {
        let (expected, actual) = (body.describe(), quoted(&received.body));
        faults.push(format!("expected the content of a request to be {expected}, it was {actual}"));
    }
    faults
}
