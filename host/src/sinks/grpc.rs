//! The part of gRPC that a call with one message and one reply needs: the prefix of a message, the status of a call,
//! and whether the call may be made again, as OTLP specifies. HTTP/2 itself is hyper's.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use bytes::Bytes;
use hyper::header::HeaderMap;
use prost::Message;

/// The length of the prefix of a message: a flag, and four bytes for its length.
const PREFIX: usize = 5;

/// The names of the status codes, by number.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Returns a message with its prefix.
pub(super) fn with_prefix(message: &[u8], is_compressed: bool) -> Bytes {
    let mut framed = Vec::with_capacity(PREFIX + message.len());
    framed.push(u8::from(is_compressed));
    // A message of 4 GiB is not sent by any caller.
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(message);
    framed.into()
}

/// Returns the message of a reply; nothing if it has none, or a compressed one, which was not asked for.
pub(super) fn without_prefix(framed: &[u8]) -> &[u8] {
    match framed {
        [0, _, _, _, _, message @ ..] => message,
        _ => &[],
    }
}

/// The status of a call.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct GrpcStatus {
    code: usize,
    /// The number of seconds after which the server wants the call to be made again, if it says so.
    retry_after: Option<u64>,
}

impl GrpcStatus {
    /// Reads the status from trailers, or from the head of a reply without content; `None` if there is none.
    pub(super) fn of(fields: &HeaderMap) -> Option<Self> {
        let code = fields.get("grpc-status")?.to_str().ok()?.parse().ok()?;
        let details = fields.get("grpc-status-details-bin").and_then(|details| retry_delay(details.as_bytes()));
        Some(Self { code, retry_after: details })
    }

    /// Returns `true` if the call has succeeded.
    pub(super) const fn is_ok(&self) -> bool {
        self.code == 0
    }

    /// Returns the name of the code.
    pub(super) fn name(&self) -> &'static str {
        NAMES.get(self.code).copied().unwrap_or("UNKNOWN")
    }

    /// Returns the number of seconds after which the call may be made again; `None` if it may not. A server that has
    /// exhausted a resource must say when.
    pub(super) const fn may_repeat_after(&self) -> Option<u64> {
        match (self.code, self.retry_after) {
            (8, after) => after,
            (1 | 4 | 10 | 11 | 14 | 15, Some(after)) => Some(after),
            (1 | 4 | 10 | 11 | 14 | 15, None) => Some(0),
            _ => None,
        }
    }
}

/// Returns the delay of a `google.rpc.RetryInfo` among the details of a status, in seconds, rounded up.
fn retry_delay(details: &[u8]) -> Option<u64> {
    let padding = details.iter().rev().take_while(|byte| **byte == b'=').count();
    let bytes = STANDARD_NO_PAD.decode(&details[..details.len() - padding]).ok()?;
    let status = StatusDetails::decode(&*bytes).ok()?;
    let info = status.details.iter().find(|detail| detail.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryDelay::decode(&*info.value).ok()?.delay?;
    Some(u64::try_from(delay.seconds).unwrap_or(0) + u64::from(delay.nanos > 0))
}

/// The part of `google.rpc.Status` that is read.
#[derive(Clone, PartialEq, Message)]
struct StatusDetails {
    #[prost(message, repeated, tag = "3")]
    details: Vec<StatusDetail>,
}

/// A `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct StatusDetail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// A `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryDelay {
    #[prost(message, optional, tag = "1")]
    delay: Option<ProtoDuration>,
}

/// A `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
struct ProtoDuration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(fields: &[(&'static str, &str)]) -> Option<GrpcStatus> {
        GrpcStatus::of(&fields.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect())
    }

    #[test]
    fn a_message_has_its_length_before_it() {
        assert_eq!(&*with_prefix(b"abc", false), b"\0\0\0\0\x03abc");
        assert_eq!(&*with_prefix(b"", true), b"\x01\0\0\0\0");
        assert_eq!(without_prefix(&with_prefix(b"abc", false)), b"abc");
        assert_eq!((without_prefix(b"\x01\0\0\0\x01x"), without_prefix(b"")), (&b""[..], &b""[..]));
    }

    #[test]
    fn a_call_is_repeated_as_otlp_specifies() {
        let delay = Some(ProtoDuration { seconds: 2, nanos: 1 });
        let detail = |name: &str| StatusDetail {
            type_url: format!("type.googleapis.com/google.rpc.{name}"),
            value: RetryDelay { delay: delay.clone() }.encode_to_vec(),
        };
        let details = StatusDetails { details: vec![detail("Help"), detail("RetryInfo")] }.encode_to_vec();
        let details = STANDARD_NO_PAD.encode(details);
        for (case, code, info, name, after) in [
            ("success", "0", false, "OK", None),
            ("unavailable", "14", false, "UNAVAILABLE", Some(0)),
            ("unavailable for a time", "14", true, "UNAVAILABLE", Some(3)),
            ("exhausted for good", "8", false, "RESOURCE_EXHAUSTED", None),
            ("exhausted for a time", "8", true, "RESOURCE_EXHAUSTED", Some(3)),
            ("refused", "7", true, "PERMISSION_DENIED", None),
            ("a code of the future", "99", false, "UNKNOWN", None),
        ] {
            let fields = [("grpc-status", code), ("grpc-status-details-bin", &details)];
            let status = status(&fields[..1 + usize::from(info)]).expect(case);
            assert_eq!((status.name(), status.may_repeat_after()), (name, after), "{case}");
            assert_eq!(status.is_ok(), code == "0", "{case}");
        }
        assert_eq!((status(&[]), status(&[("grpc-status", "x")])), (None, None));
        assert_eq!(retry_delay(b"!"), None);
    }
}
