//! `--otlp`: the numbers of the run as metrics of OpenTelemetry, over http/protobuf. A collector that is down or slow
//! costs nothing but batches, which are counted and named at the end.

mod config;
mod request;

use std::env;
use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use prost::Message;

use super::http_sender::{HttpSender, SendTarget};
use super::run_info::RunInfo;
use super::sink::Sink;
use super::sums::RunSums;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::plan::Plan;
use crate::report::Report;
use crate::run::observer::SecondSnapshot;
use crate::stderr;
use crate::text::one_line;
use config::{OtlpConfig, OtlpConfigError};
use request::export_request;

/// The length of a collector's complaint that is shown, in characters.
const COMPLAINT_CHARS: usize = 120;

/// The sink.
struct OtlpSink {
    sender: HttpSender,
    sums: RunSums,
    is_gzip: bool,
    interval_seconds: u32,
    /// Seconds since the last export.
    waited: u32,
    resource: Vec<(String, String)>,
}

/// Opens the sink if `--otlp` was given.
///
/// # Errors
/// The endpoint, or a variable of OpenTelemetry, cannot be used.
pub(super) fn open(args: &RunArgs, _: &Plan) -> Result<Vec<Box<dyn Sink>>, Diagnostics> {
    let Some(endpoint) = &args.otlp else { return Ok(Vec::new()) };
    let config = OtlpConfig::read(endpoint, |name| env::var(name).ok()).map_err(|error| {
        let OtlpConfigError { name, why } = error;
        Diagnostic::new("usage::otlp", format!("cannot use `{name}`: {why}"))
            .help("correct the variable or unset it; `--otlp http://HOST:4318` names a collector")
    })?;
    let mut headers = config.headers;
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
    if config.is_gzip {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    let sender = HttpSender::new(SendTarget { url: config.url, headers, time: config.timeout, complaint });
    let sender = sender.map_err(|why| Diagnostic::new("internal::sink", why))?;
    let (is_gzip, interval_seconds, resource) = (config.is_gzip, config.interval_seconds, config.resource);
    let sums = RunSums::default();
    Ok(vec![Box::new(OtlpSink { sender, sums, is_gzip, interval_seconds, waited: 0, resource })])
}

/// Returns the collector's reason if it has taken only a part of the points.
fn complaint(reply: &[u8]) -> Option<String> {
    let partial = ExportMetricsServiceResponse::decode(reply).ok()?.partial_success?;
    let message: String = one_line(&partial.error_message).chars().take(COMPLAINT_CHARS).collect();
    let rejected = partial.rejected_data_points;
    (rejected > 0).then(|| format!("rejects {rejected} points: {message}"))
}

impl OtlpSink {
    fn export(&mut self) {
        let message = export_request(&self.sums, &self.resource).encode_to_vec();
        self.sender.send(if self.is_gzip { gzip(&message) } else { message.into() });
    }
}

fn gzip(bytes: &[u8]) -> Bytes {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Memory can always be written to.
    let _ = encoder.write_all(bytes);
    encoder.finish().unwrap_or_default().into()
}

impl Sink for OtlpSink {
    fn begin(&mut self, run: &RunInfo) {
        self.sums = RunSums::new(run);
    }

    fn second(&mut self, second: &SecondSnapshot) {
        self.sums.add(second);
        self.waited += 1;
        if self.waited >= self.interval_seconds {
            self.waited = 0;
            self.export();
        }
    }

    fn finish(&mut self, report: &Report) -> Result<(), Diagnostic> {
        self.sums.finish(report);
        self.export();
        self.sender.finish();
        if let Some(loss) = self.sender.loss() {
            stderr::print_line(format_args!("warning: the output `otlp` is not complete: {loss}"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsPartialSuccess;

    use super::*;

    #[test]
    fn a_collector_that_takes_a_part_says_why() {
        let reply = |rejected_data_points, error_message: &str| {
            let partial = ExportMetricsPartialSuccess { rejected_data_points, error_message: error_message.into() };
            complaint(&ExportMetricsServiceResponse { partial_success: Some(partial) }.encode_to_vec())
        };
        assert_eq!(reply(3, "too\nold"), Some("rejects 3 points: too old".into()));
        assert_eq!((reply(0, "a hint"), complaint(b""), complaint(b"{}")), (None, None, None));
    }

    #[test]
    fn gzip_can_be_read() {
        use std::io::Read;
        let mut text = String::new();
        flate2::read::GzDecoder::new(&*gzip(b"metrics")).read_to_string(&mut text).unwrap();
        assert_eq!(text, "metrics");
    }
}
