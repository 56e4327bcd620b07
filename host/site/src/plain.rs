//! Pages of which one property is exactly as asked for: status, delay, size, pace, header size.

use std::time::Duration;

use bytes::Bytes;
use hyper::StatusCode;
use hyper::header::HeaderValue;

use super::ask::Ask;
use super::body::{Drip, Filler, Framing, Source};
use super::outcome::{Outcome, Reply, bad, empty, typed, with};

/// Ten minutes: no test waits longer, and a mistyped number should not hold a connection for a day.
const LONGEST_DELAY_MS: u64 = 600_000;

/// Far beyond what any client accepts.
const BIGGEST_HEADER: usize = 1 << 20;

/// 64 KiB of text for bodies of which only the size matters.
const TEXT: &[u8; 1 << 16] = &repeat(b"stampede-shooter\n");

/// `/status/{code}`
pub fn status(ask: &Ask<'_>) -> Outcome {
    match ask.rest().parse().map(StatusCode::from_u16) {
        Ok(Ok(code)) if !code.is_informational() => with(code, label(code)).into(),
        _ => bad("the status is not a number from 200 to 999"),
    }
}

/// The status in words, where a body is allowed at all.
fn label(code: StatusCode) -> Source {
    match code {
        StatusCode::NO_CONTENT | StatusCode::RESET_CONTENT | StatusCode::NOT_MODIFIED => Source::whole(Bytes::new()),
        _ => Source::whole(code.canonical_reason().unwrap_or("no name")),
    }
}

/// `/delay/{ms}`
pub fn delay(ask: &Ask<'_>) -> Outcome {
    match ask.rest().parse() {
        Ok(ms) if ms <= LONGEST_DELAY_MS => Outcome::After(Duration::from_millis(ms), empty(StatusCode::OK)),
        _ => bad("the delay is not a number of milliseconds up to 600000"),
    }
}

/// `/bytes/{n}`
pub fn bytes(ask: &Ask<'_>) -> Outcome {
    sized(ask, TEXT, Framing::Announced)
}

/// `/chunked/{n}`
pub fn chunked(ask: &Ask<'_>) -> Outcome {
    sized(ask, &TEXT[..4096], Framing::Unannounced)
}

fn sized(ask: &Ask<'_>, pattern: &'static [u8], framing: Framing) -> Outcome {
    match ask.rest().parse() {
        Ok(size) => filler(pattern, size, framing).into(),
        Err(_) => bad("the size is not a number of bytes"),
    }
}

fn filler(pattern: &'static [u8], left: u64, framing: Framing) -> Reply {
    let source = Source::Filler(Filler { head: Bytes::new(), pattern, left, framing });
    typed(StatusCode::OK, "application/octet-stream", source)
}

/// What never ends: `/endless`.
pub fn endless() -> Reply {
    filler(TEXT, u64::MAX, Framing::Unannounced)
}

/// So many bytes of a body said to be longer.
pub fn truncated(size: u64) -> Reply {
    filler(TEXT, size, Framing::Truncated)
}

/// `/slow?ms=M&chunks=N`
pub fn slow(ask: &Ask<'_>) -> Outcome {
    let numbers = ask.number("ms", 100).and_then(|ms| Ok((ms, ask.number("chunks", 5)?)));
    match numbers {
        Ok((ms, chunks)) => {
            let drip = Drip::new(ask.shared, Duration::from_millis(ms), chunks, |_| Bytes::from_static(b"drip\n"));
            typed(StatusCode::OK, "text/plain", Source::Drip(drip)).into()
        }
        Err(why) => bad(&why),
    }
}

/// `/big-header/{n}`
pub fn big_header(ask: &Ask<'_>) -> Outcome {
    let value = match ask.rest().parse() {
        Ok(size) if size <= BIGGEST_HEADER => HeaderValue::try_from("x".repeat(size)),
        _ => return bad("the size is not a number of bytes up to 1048576"),
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
