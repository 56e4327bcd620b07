//! Runs the checks of a step on an exchange and counts their results.

use crate::http::Reply;
use crate::metrics::sample::{FailureKind, Sample};
use crate::plan::Step;
use crate::plan::checks::{JsonBody, ReplyMetrics};
use crate::user::Session;

/// Counts each check of the step once. An exchange without a reply passes none, but one that the end of the run cut off
/// is left out. Hot: nothing is allocated, except for JSON.
pub(super) fn count(step: &Step, session: &Session, sample: &Sample, reply: Option<&Reply>) {
    if step.checks.is_empty() || sample.failure == Some(FailureKind::Cancelled) {
        return;
    }
    let measured = ReplyMetrics { size: sample.body_bytes_in, latency: sample.response_time() as f64 / 1e3 };
    let mut document = JsonBody::default();
    let mut recorder = session.shared.recorder.borrow_mut();
    for check in &step.checks {
        let passes = reply.is_some_and(|reply| check.passes(reply, measured, &mut document));
        recorder.add_to_metric(check.metric, f64::from(u8::from(passes)));
        if recorder.keeps_all_exchanges() {
            session.note(&format!("check {}: {}", check.name, if passes { "passed" } else { "FAILED" }));
        }
    }
}
