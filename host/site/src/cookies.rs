//! Setting cookies and showing which came back.

use hyper::StatusCode;
use hyper::header::{HeaderValue, SET_COOKIE};
use serde_json::Map;

use super::ask::Ask;
use super::outcome::{Outcome, bad, empty, serialized};

/// `/cookie/set?name=value`, for the whole site and the session.
pub fn set(ask: &Ask<'_>) -> Outcome {
    let mut reply = empty(StatusCode::OK);
    for (name, value) in ask.arguments() {
        let Ok(cookie) = HeaderValue::try_from(format!("{name}={value}; Path=/")) else {
            return bad("a name or value holds characters that a header field cannot");
        };
        reply.headers_mut().append(SET_COOKIE, cookie);
    }
    reply.into()
}

/// `/cookie/show`
pub fn show(ask: &Ask<'_>) -> Outcome {
    let cookies: Map<_, _> = ask.cookies().map(|(name, value)| (name.to_owned(), value.into())).collect();
    serialized(&cookies).into()
}
