//! `/events`: server-sent events (WHATWG HTML, section 9.2).

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue};

use super::body::{BodySource, Drip};
use super::page_outcome::{PageOutcome, bad_request, with_media_type};
use super::page_request::PageRequest;

/// Serves `/events?count=N&every_ms=M`.
pub(crate) fn stream(ask: &PageRequest<'_>) -> PageOutcome {
    let numbers = ask.query_number("count", 10).and_then(|count| Ok((count, ask.query_number("every_ms", 100)?)));
    match numbers {
        Ok((count, every)) => {
            let drip = Drip::new(ask.shared, Duration::from_millis(every), count, event);
            let mut reply = with_media_type(StatusCode::OK, "text/event-stream", BodySource::Drip(drip));
            reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            reply.into()
        }
        Err(why) => bad_request(&why),
    }
}

fn event(number: u64) -> Bytes {
    format!("id: {number}\nevent: tick\ndata: {{\"tick\":{number}}}\n\n").into()
}
