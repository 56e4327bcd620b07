//! The flags of what is sent to OpenTelemetry.

use clap::Args;

use super::value::one_in;

/// The flags of what is sent to OpenTelemetry.
#[derive(Clone, Debug, Default, PartialEq, Args)]
pub struct OpenTelemetryArgs {
    /// Send the numbers of the run, and traces, to an OpenTelemetry collector
    ///
    /// As metrics and traces over OTLP, http/protobuf or gRPC: ENDPOINT with `/v1/metrics` or `/v1/traces` after it, or
    /// ENDPOINT itself over gRPC. The variables of OpenTelemetry apply: OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS,
    /// _TIMEOUT, _COMPRESSION and _PROTOCOL, those of OTEL_EXPORTER_OTLP_METRICS_ and OTEL_EXPORTER_OTLP_TRACES_ before
    /// them, OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES, OTEL_METRIC_EXPORT_INTERVAL (10000 ms if not set), and
    /// OTEL_METRICS_EXPORTER=none or OTEL_TRACES_EXPORTER=none to leave one of them out. http://localhost:4318, or port
    /// 4317 for gRPC, if neither flag nor variable has an endpoint. Requests then carry a `traceparent`. What cannot be
    /// sent is counted and named at the end; it never stops the run.
    #[arg(
        long,
        value_name = "ENDPOINT",
        env = "STAMPEDE_OTLP",
        help_heading = "Report",
        num_args = 0..=1,
        default_missing_value = ""
    )]
    pub otlp: Option<String>,
    /// Trace one in N runs of a step
    ///
    /// A whole number, 0 or more. Runs of a step that fail are traced in any case; with 0 no others are. At most 2,000
    /// spans are kept in a second. 1000 if not given.
    #[arg(
        long,
        value_name = "N",
        env = "STAMPEDE_TRACE_SAMPLE",
        help_heading = "Report",
        allow_negative_numbers = true,
        value_parser = one_in
    )]
    pub trace_sample: Option<u64>,
}
