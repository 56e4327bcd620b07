//! Replies with segments that are damaged on purpose.

use bytes::Bytes;
use hyper::header::{CONTENT_LENGTH, HeaderValue};

use super::faults::SegmentFault;
use super::refusal::Refusal;
use super::request::StreamRequest;
use crate::body::BodySource;
use crate::exact;
use crate::page_outcome::{PageOutcome, PageReply};

/// Damages the reply to a request for a segment that is at fault.
///
/// # Errors
/// The segment is missing.
pub(crate) fn apply(request: &StreamRequest<'_>, outcome: PageOutcome) -> Result<PageOutcome, Refusal> {
    let fault = request.named_segment().and_then(|number| request.spec.faults.of_segment(number));
    match (fault, outcome) {
        (Some(SegmentFault::Missing), _) => Err(Refusal::not_found("the segment is missing on purpose")),
        (Some(SegmentFault::Empty), PageOutcome::Reply(reply)) => {
            Ok(reply.map(|_| BodySource::whole(Bytes::new())).into())
        }
        (Some(SegmentFault::Cut), PageOutcome::Reply(reply)) => Ok(cut(reply).into()),
        (_, outcome) => Ok(outcome),
    }
}

/// Returns a reply that announces all its bytes and sends half as many, which are not media.
fn cut(mut reply: PageReply) -> PageReply {
    let Some(length) = reply.body().length() else { return reply };
    reply.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
    reply.map(|_| exact::truncated(length / 2).into_body())
}
