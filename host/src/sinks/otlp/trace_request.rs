//! Runs of steps as an OTLP message: a span for each run, below it one for each attempt, by the conventions of
//! OpenTelemetry for HTTP clients, and below that one for each phase.

use opentelemetry_proto::tonic::common::v1::KeyValue;

use super::attributes::{number, scope, source, text, unix_nanos};
use super::span_messages::{
    CLIENT, ERROR, ExportTraces, INTERNAL, LOCAL_PARENT, OtlpSpan, OtlpStatus, ResourceSpans, SAMPLED, ScopeSpans,
};
use super::url_template::UrlTemplate;
use crate::metrics::aggregate::RowInfo;
use crate::metrics::sample::{FailureKind, SpanId};
use crate::metrics::trace::{TracedAttempt, TracedStep};
use crate::text::one_line;

/// The length of a reason, in characters.
const REASON_CHARS: usize = 200;

/// The methods that the conventions name.
const METHODS: [&str; 10] = ["CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "QUERY", "TRACE"];

/// The names of the steps of a run.
#[derive(Debug, Default)]
pub(super) struct StepNames {
    /// The rows of the report.
    pub rows: Vec<RowInfo>,
    /// The templates of their URLs, by row.
    pub templates: Vec<Option<UrlTemplate>>,
}

/// Returns the message. `resource` describes the source.
pub(super) fn export_request(
    steps: &[TracedStep],
    names: &StepNames,
    resource: &[(String, String)],
    run: &str,
) -> ExportTraces {
    let spans = steps.iter().flat_map(|step| StepSpans { step, names }.all()).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(scope()), spans }];
    ExportTraces { resource_spans: vec![ResourceSpans { resource: Some(source(resource, run)), scope_spans }] }
}

/// The spans of one run of a step.
struct StepSpans<'a> {
    step: &'a TracedStep,
    names: &'a StepNames,
}

impl StepSpans<'_> {
    fn all(&self) -> Vec<OtlpSpan> {
        let mut spans = vec![self.of_step()];
        for attempt in &self.step.attempts {
            spans.push(self.of_attempt(attempt));
            spans.extend(attempt.phases.iter().map(|phase| OtlpSpan {
                name: phase.name.into(),
                kind: INTERNAL,
                ..self.span(phase.span, Some(attempt.span), phase.start, phase.end)
            }));
        }
        spans
    }

    fn of_step(&self) -> OtlpSpan {
        let step = self.step;
        let row = self.names.rows.get(usize::from(step.row));
        let name = row.map(|row| row.name.as_str()).unwrap_or_default();
        let scenario = row.and_then(|row| row.scenario.as_deref());
        let mut attributes = vec![text("stampede.step", name)];
        attributes.extend(scenario.map(|scenario| text("stampede.scenario", scenario)));
        attributes.push(number("stampede.user", step.user));
        attributes.push(number("stampede.iteration", step.iteration));
        attributes.extend((step.omitted > 0).then(|| number("stampede.omitted_attempts", step.omitted)));
        attributes.extend(step.failure.map(|kind| text("error.type", kind.name())));
        OtlpSpan {
            name: name.into(),
            kind: INTERNAL,
            attributes,
            status: step.failure.and_then(|kind| status(kind, &step.reason)),
            ..self.span(step.span, None, step.start, step.end)
        }
    }

    fn of_attempt(&self, attempt: &TracedAttempt) -> OtlpSpan {
        let sample = &attempt.sample;
        let template = self.names.templates.get(usize::from(self.step.row)).and_then(Option::as_ref);
        let template = template.filter(|template| template.fits(&attempt.url)).map(UrlTemplate::text);
        let method = METHODS.into_iter().find(|known| *known == attempt.method);
        let name = method.unwrap_or("HTTP");
        OtlpSpan {
            name: template.map_or_else(|| name.into(), |template| format!("{name} {template}")),
            kind: CLIENT,
            attributes: attempt_attributes(attempt, method, template),
            status: sample.failure.and_then(|kind| status(kind, &attempt.reason)),
            ..self.span(attempt.span, Some(self.step.span), sample.start, sample.end)
        }
    }

    /// Returns a span without a name.
    fn span(&self, id: SpanId, parent: Option<SpanId>, start: u64, end: u64) -> OtlpSpan {
        let epoch = unix_nanos(self.step.epoch);
        OtlpSpan {
            trace_id: self.step.trace.bytes().into(),
            span_id: id.bytes().into(),
            parent_span_id: parent.map(|parent| parent.bytes().to_vec()).unwrap_or_default(),
            start_time_unix_nano: epoch.saturating_add(start),
            end_time_unix_nano: epoch.saturating_add(end),
            flags: LOCAL_PARENT | if self.step.is_sampled { SAMPLED } else { 0 },
            ..OtlpSpan::default()
        }
    }
}

fn attempt_attributes(attempt: &TracedAttempt, method: Option<&str>, template: Option<&str>) -> Vec<KeyValue> {
    let sample = &attempt.sample;
    let mut attributes = vec![
        text("http.request.method", method.unwrap_or("_OTHER")),
        text("server.address", attempt.host.as_str()),
        number("server.port", attempt.port),
        text("url.full", attempt.url.as_str()),
        text("user_agent.synthetic.type", "test"),
    ];
    if method.is_none() {
        attributes.push(text("http.request.method_original", attempt.method.as_str()));
    }
    attributes.extend(template.map(|template| text("url.template", template)));
    if let Some(version) = attempt.version {
        attributes.extend([text("network.protocol.name", "http"), text("network.protocol.version", version)]);
    }
    if attempt.resends > 0 {
        attributes.push(number("http.request.resend_count", attempt.resends));
    }
    if sample.status > 0 {
        attributes.push(number("http.response.status_code", sample.status));
    }
    attributes.extend(sample.failure.map(|kind| match kind {
        FailureKind::Status => text("error.type", sample.status.to_string()),
        kind => text("error.type", kind.name()),
    }));
    attributes
}

/// Returns the status of a span that has failed; `None` if it was only cancelled.
fn status(kind: FailureKind, reason: &str) -> Option<OtlpStatus> {
    let message = one_line(reason).chars().take(REASON_CHARS).collect();
    (kind != FailureKind::Cancelled).then_some(OtlpStatus { message, code: ERROR })
}
