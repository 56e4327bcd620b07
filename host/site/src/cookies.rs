//! Pages that set cookies and show those of a request.

use hyper::StatusCode;
use hyper::header::{HeaderValue, SET_COOKIE};
use serde_json::Map;

use super::page_outcome::{PageOutcome, bad_request, empty, json_value};
use super::page_request::PageRequest;

/// Serves `/cookie/set?name=value`: sets a cookie for the whole site and the session.
pub(crate) fn set(ask: &PageRequest<'_>) -> PageOutcome {
    let mut reply = empty(StatusCode::OK);
    for (name, value) in ask.query_pairs() {
        let Ok(cookie) = HeaderValue::try_from(format!("{name}={value}; Path=/")) else {
            return bad_request("a name or value holds characters that a header field cannot");
        };
        reply.headers_mut().append(SET_COOKIE, cookie);
    }
    reply.into()
}

/// Serves `/cookie/show`.
pub(crate) fn show(ask: &PageRequest<'_>) -> PageOutcome {
    let cookies: Map<_, _> = ask.cookies().map(|(name, value)| (name.to_owned(), value.into())).collect();
    json_value(&cookies).into()
}
