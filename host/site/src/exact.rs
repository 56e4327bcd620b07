//! Pages with one property that is exactly as requested: status, delay, size, pace, header size.

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HeaderValue;

use super::body::{BodySource, Drip, Filler, LengthPolicy};
use super::page_outcome::{PageOutcome, PageReply, bad_request, empty, with_body, with_media_type};
use super::page_request::PageRequest;

/// Maximum delay, ten minutes: no test waits longer, and a mistyped number should not keep a connection for a day.
const MAX_DELAY_MS: u64 = 600_000;

/// Maximum size of a header, far beyond what any client accepts.
const MAX_HEADER_BYTES: usize = 1 << 20;

/// 64 KiB of text for bodies of which only the size matters.
const TEXT: &[u8; 1 << 16] = &repeat(b"stampede-shooter\n");

/// Serves `/status/{code}`.
pub(crate) fn status(ask: &PageRequest<'_>) -> PageOutcome {
    match ask.path_rest().parse().map(StatusCode::from_u16) {
        Ok(Ok(code)) if !code.is_informational() => with_body(code, status_text(code)).into(),
        _ => bad_request("the status is not a number from 200 to 999"),
    }
}

/// Returns the status in words, where a body is allowed.
fn status_text(code: StatusCode) -> BodySource {
    match code {
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED => {
            BodySource::whole(Bytes::new())
        }
        _ => BodySource::whole(code.canonical_reason().unwrap_or("no name")),
    }
}

/// Serves `/delay/{ms}`.
pub(crate) fn delay(ask: &PageRequest<'_>) -> PageOutcome {
    match ask.path_rest().parse() {
        Ok(ms) if ms <= MAX_DELAY_MS => PageOutcome::Delayed(Duration::from_millis(ms), empty(StatusCode::OK)),
        _ => bad_request("the delay is not a number of milliseconds up to 600000"),
    }
}

/// Serves `/bytes/{n}`.
pub(crate) fn bytes(ask: &PageRequest<'_>) -> PageOutcome {
    sized_body(ask, TEXT, LengthPolicy::Announced)
}

/// Serves `/chunked/{n}`.
pub(crate) fn chunked(ask: &PageRequest<'_>) -> PageOutcome {
    sized_body(ask, &TEXT[..4096], LengthPolicy::Unannounced)
}

fn sized_body(ask: &PageRequest<'_>, pattern: &'static [u8], framing: LengthPolicy) -> PageOutcome {
    match ask.path_rest().parse() {
        Ok(size) => filler(pattern, size, framing).into(),
        Err(_) => bad_request("the size is not a number of bytes"),
    }
}

fn filler(pattern: &'static [u8], left: u64, framing: LengthPolicy) -> PageReply {
    let source = BodySource::Filler(Filler { head: Bytes::new(), pattern, remaining: left, length_policy: framing });
    with_media_type(StatusCode::OK, "application/octet-stream", source)
}

/// Serves `/endless`: a body that never ends.
pub(crate) fn endless() -> PageReply {
    filler(TEXT, u64::MAX, LengthPolicy::Unannounced)
}

/// Returns `size` bytes of a body whose announced length is larger.
pub(crate) fn truncated(size: u64) -> PageReply {
    filler(TEXT, size, LengthPolicy::Truncated)
}

/// Serves `/slow?ms=M&chunks=N`.
pub(crate) fn slow(ask: &PageRequest<'_>) -> PageOutcome {
    let numbers = ask.query_number("ms", 100).and_then(|ms| Ok((ms, ask.query_number("chunks", 5)?)));
    match numbers {
        Ok((ms, chunks)) => {
            let drip = Drip::new(ask.shared, Duration::from_millis(ms), chunks, |_| Bytes::from_static(b"drip\n"));
            with_media_type(StatusCode::OK, "text/plain", BodySource::Drip(drip)).into()
        }
        Err(why) => bad_request(&why),
    }
}

/// Serves `/big-header/{n}`.
pub(crate) fn big_header(ask: &PageRequest<'_>) -> PageOutcome {
    let value = match ask.path_rest().parse() {
        Ok(size) if size <= MAX_HEADER_BYTES => HeaderValue::try_from("x".repeat(size)),
        _ => return bad_request("the size is not a number of bytes up to 1048576"),
    };
    let mut reply = empty(StatusCode::OK);
    if let Ok(value) = value {
        reply.headers_mut().insert("x-big", value);
    }
    reply.into()
}

const fn repeat<const N: usize>(word: &[u8]) -> [u8; N] {
    let mut text = [0; N];
    let mut index = 0;
    while index < N {
        text[index] = word[index % word.len()];
        index += 1;
    }
    text
}
