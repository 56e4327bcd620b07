//! Sends the messages of one signal from a thread of its own, so that a collector that is slow for one signal delays
//! neither the other nor the counting of the next second.

use std::io::Write;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::JoinHandle;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, TE};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;

use super::config::{OtlpSignal, SignalConfig};
use crate::sinks::grpc;
use crate::sinks::http_sender::{HttpSender, SendTarget};
use crate::text::one_line;

/// The number of seconds that may wait while a request is under way.
const QUEUE_SECONDS: usize = 60;

/// The length of a collector's complaint that is shown, in characters.
const COMPLAINT_CHARS: usize = 120;

/// The messages of a signal on their way to a collector.
pub(super) struct SignalSender {
    /// Each second, with its message if it has one.
    queue: SyncSender<Option<Bytes>>,
    thread: JoinHandle<HttpSender>,
    is_gzip: bool,
    is_grpc: bool,
    /// Messages that found the queue full.
    refused: u64,
}

/// A sender that takes no more messages.
pub(super) struct EndingSender {
    thread: JoinHandle<HttpSender>,
    refused: u64,
}

impl SignalSender {
    /// Starts the thread.
    ///
    /// # Errors
    /// The system does not let it run.
    pub(super) fn start(signal: OtlpSignal, config: SignalConfig) -> Result<Self, String> {
        let SignalConfig { url, mut headers, timeout, is_gzip, is_grpc } = config;
        if is_grpc {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
            headers.insert(TE, HeaderValue::from_static("trailers"));
            let limit = HeaderValue::try_from(format!("{}m", timeout.as_millis().min(99_999_999)));
            headers.extend(limit.ok().map(|limit| (HeaderName::from_static("grpc-timeout"), limit)));
        } else {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        }
        if is_gzip {
            let name = if is_grpc { HeaderName::from_static("grpc-encoding") } else { CONTENT_ENCODING };
            headers.insert(name, HeaderValue::from_static("gzip"));
        }
        let (what, complaint) = match signal {
            OtlpSignal::Metrics => ("batches of metrics", points_complaint as fn(&[u8]) -> _),
            OtlpSignal::Traces => ("batches of spans", spans_complaint as fn(&[u8]) -> _),
        };
        let sender = HttpSender::new(SendTarget { url, headers, time: timeout, what, is_grpc, complaint })?;
        let (queue, seconds) = sync_channel(QUEUE_SECONDS);
        let thread = std::thread::Builder::new().name(format!("otlp-{}", signal.name()));
        let thread = thread.spawn(move || send_all(sender, &seconds)).map_err(|error| error.to_string())?;
        Ok(Self { queue, thread, is_gzip, is_grpc, refused: 0 })
    }

    /// Sends a message, or what still waits. Called once a second.
    pub(super) fn second(&mut self, message: Option<Vec<u8>>) {
        let body = message.map(|message| self.body(message));
        if let Err(TrySendError::Full(Some(_))) = self.queue.try_send(body) {
            self.refused += 1;
        }
    }

    /// Lets the thread send what waits, and end.
    pub(super) fn end(self) -> EndingSender {
        EndingSender { thread: self.thread, refused: self.refused }
    }

    fn body(&self, message: Vec<u8>) -> Bytes {
        let message = if self.is_gzip { gzip(&message) } else { message };
        if self.is_grpc { grpc::with_prefix(&message, self.is_gzip) } else { message.into() }
    }
}

impl EndingSender {
    /// Waits for the end. Returns what was lost, in words; `None` if nothing was.
    pub(super) fn loss(self) -> Option<String> {
        let Ok(mut sender) = self.thread.join() else { return Some("its thread panicked".into()) };
        sender.lose(self.refused, "too many waited");
        sender.loss()
    }
}

/// Sends what comes, second by second, and the rest at the end; the body of the thread. Seconds that have come
/// meanwhile count as one.
fn send_all(mut sender: HttpSender, seconds: &Receiver<Option<Bytes>>) -> HttpSender {
    while let Ok(second) = seconds.recv() {
        second.into_iter().for_each(|body| sender.push(body));
        let end = loop {
            match seconds.try_recv() {
                Ok(second) => second.into_iter().for_each(|body| sender.push(body)),
                Err(end) => break end,
            }
        };
        if end == TryRecvError::Disconnected {
            break;
        }
        sender.send_waiting();
    }
    sender.finish();
    sender
}

/// Returns the collector's reason if it has taken only a part of the points.
fn points_complaint(reply: &[u8]) -> Option<String> {
    complaint(reply, "points")
}

/// Returns the collector's reason if it has taken only a part of the spans.
fn spans_complaint(reply: &[u8]) -> Option<String> {
    complaint(reply, "spans")
}

/// Reads the reply, whose fields have the same numbers for both signals.
fn complaint(reply: &[u8], what: &str) -> Option<String> {
    let partial = ExportMetricsServiceResponse::decode(reply).ok()?.partial_success?;
    let message: String = one_line(&partial.error_message).chars().take(COMPLAINT_CHARS).collect();
    let rejected = partial.rejected_data_points;
    (rejected > 0).then(|| format!("rejects {rejected} {what}: {message}"))
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Memory can always be written to.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsPartialSuccess;

    use super::*;

    #[test]
    fn a_collector_that_takes_a_part_says_why() {
        let reply = |rejected_data_points, error_message: &str| {
            let partial = ExportMetricsPartialSuccess { rejected_data_points, error_message: error_message.into() };
            spans_complaint(&ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec())
        };
        assert_eq!(reply(3, "too\nold"), Some("rejects 3 spans: too old".into()));
        assert_eq!((reply(0, "a hint"), points_complaint(b""), points_complaint(b"{}")), (None, None, None));
    }

    #[test]
    fn gzip_can_be_read() {
        let mut text = String::new();
        flate2::read::GzDecoder::new(&*gzip(b"metrics")).read_to_string(&mut text).unwrap();
        assert_eq!(text, "metrics");
    }
}
