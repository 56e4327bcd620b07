//! The reply to a request for something that a stream does not have.

use std::borrow::Cow;

use hyper::StatusCode;

use crate::page_outcome::{PageOutcome, error_reply};

/// A status of failure, with a message for the client.
pub(crate) struct Refusal {
    status: StatusCode,
    why: Cow<'static, str>,
}

impl Refusal {
    /// Creates a refusal with a status.
    pub(crate) fn new(status: StatusCode, why: impl Into<Cow<'static, str>>) -> Self {
        Self { status, why: why.into() }
    }

    /// Creates a 404: the stream has no such thing, or not at this time.
    pub(crate) fn not_found(why: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, why)
    }

    /// Creates a 400: the request makes no sense.
    pub(crate) fn bad_request(why: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, why)
    }
}

impl From<Refusal> for PageOutcome {
    fn from(refusal: Refusal) -> Self {
        error_reply(refusal.status, &refusal.why).into()
    }
}
