//! `/events`: server-sent events (WHATWG HTML, section 9.2).

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::{CACHE_CONTROL, HeaderValue};

use super::ask::Ask;
use super::body::{Drip, Source};
use super::outcome::{Outcome, bad, typed};

/// `/events?count=N&every_ms=M`
pub fn stream(ask: &Ask<'_>) -> Outcome {
    let numbers = ask.number("count", 10).and_then(|count| Ok((count, ask.number("every_ms", 100)?)));
    match numbers {
        Ok((count, every)) => {
            let drip = Drip::new(ask.shared, Duration::from_millis(every), count, event);
            let mut reply = typed(StatusCode::OK, "text/event-stream", Source::Drip(drip));
            reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
            reply.into()
        }
        Err(why) => bad(&why),
    }
}

fn event(number: u64) -> Bytes {
    format!("id: {number}\nevent: tick\ndata: {{\"tick\":{number}}}\n\n").into()
}
