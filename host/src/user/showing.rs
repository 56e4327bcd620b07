//! Makes exchanges that are to be shown out of what they have left behind, without their secrets. None of it runs for
//! an exchange that is not kept.

use hyper::Version;

use super::operation::{CompletedExchange, Completion};
use super::session::Session;
use crate::diagnostic;
use crate::http::{self, Reply, Request, ShownContent};
use crate::metrics::sample::{Sample, SpanId};
use crate::metrics::shown_exchange::{MAX_TEXT_BYTES, ShownExchange, ShownMessage};

impl Session {
    /// Returns `true` if all exchanges are shown, in a trial.
    pub fn shows_all(&self) -> bool {
        self.shared.recorder.borrow().keeps_all_exchanges()
    }

    /// Adds a line about the exchange that is judged, which is shown.
    pub fn note(&self, line: &str) {
        self.task.judged.note(self.redact(line));
    }

    /// Adds a line about a captured value, without the value if its name tells that it is secret.
    pub fn note_capture(&self, name: &str, value: &str) {
        let line = format!("captured {name}: {value}");
        self.task.judged.note(diagnostic::hide_literal_secrets(&self.redact(&line)));
    }

    /// Keeps the exchange that is judged, whose sample is recorded now, if it is to be shown.
    #[cold]
    pub(super) fn show_judged(&self, sample: &Sample) {
        if !self.wants(sample) {
            return;
        }
        let kept = self.task.judged.id().and_then(|id| {
            let show = |ended: &Completion| match ended {
                Completion::Exchange(exchange) => Some(self.shown(sample, exchange)),
                _ => None,
            };
            self.task.operations.with_completion(id, show).flatten()
        });
        let left = || self.task.judged.take_left().map(|exchange| self.shown(sample, &exchange));
        self.keep(kept.or_else(left).unwrap_or_else(|| self.shown_sample(sample)));
        self.task.judged.clear();
    }

    /// Keeps an exchange that was cut off, if it is to be shown.
    #[cold]
    pub fn show_cut_off(&self, sample: &Sample, request: Option<&Request>, reason: impl FnOnce() -> String) {
        if self.wants(sample) {
            let request = request.map(|request| self.shown_request(request, Version::HTTP_11, sample.span));
            let (reason, notes) = (self.redact(&reason()), Vec::new());
            self.keep(ShownExchange { sample: *sample, user: self.id, reason, request, reply: None, notes });
        }
    }

    /// Keeps an exchange whose redirect is followed, if it is to be shown.
    pub(super) fn show_hop(&self, sample: &Sample, request: &Request, completed: &CompletedExchange) {
        if self.shows_all() {
            let reply = completed.result.as_ref().ok();
            let version = reply.map_or(Version::HTTP_11, |reply| reply.version);
            let request = Some(self.shown_request(request, version, sample.span));
            let reply = reply.map(|reply| self.shown_reply(reply, sample.body_bytes_in));
            self.keep(ShownExchange { request, reply, ..self.shown_sample(sample) });
        }
    }

    fn wants(&self, sample: &Sample) -> bool {
        let recorder = self.shared.recorder.borrow();
        recorder.is_counted(sample.intended) && recorder.wants_exchange(sample.row, sample.failure)
    }

    fn keep(&self, exchange: ShownExchange) {
        self.shared.recorder.borrow_mut().keep_exchange(exchange);
    }

    fn shown(&self, sample: &Sample, exchange: &CompletedExchange) -> ShownExchange {
        let reply = exchange.result.as_ref().ok();
        let version = reply.map_or(Version::HTTP_11, |reply| reply.version);
        let request = exchange.request.as_ref().map(|request| self.shown_request(request, version, sample.span));
        let reply = reply.map(|reply| self.shown_reply(reply, sample.body_bytes_in));
        ShownExchange { request, reply, ..self.shown_sample(sample) }
    }

    fn shown_sample(&self, sample: &Sample) -> ShownExchange {
        let (reason, notes) = (self.task.judged.reason(), self.task.judged.take_notes());
        ShownExchange { sample: *sample, user: self.id, reason, request: None, reply: None, notes }
    }

    fn shown_request(&self, request: &Request, version: Version, span: Option<SpanId>) -> ShownMessage {
        let trace = span.and_then(|span| self.sent_context(span));
        let head = http::request_head(&self.shared.client, request, version, trace);
        let content = ShownContent::of(&request.body, true, MAX_TEXT_BYTES);
        self.message(&head, content, request.body.len() as u64)
    }

    /// Shows a reply. `length` is the size of its content as it was transferred.
    fn shown_reply(&self, reply: &Reply, length: u64) -> ShownMessage {
        self.message(&http::reply_head(reply), http::reply_content(reply, length, MAX_TEXT_BYTES), length)
    }

    fn message(&self, head: &str, content: ShownContent, body_bytes: u64) -> ShownMessage {
        let head = &head[..head.floor_char_boundary(MAX_TEXT_BYTES)];
        let hide = |text: &str| diagnostic::hide_literal_secrets(&self.redact_whole(text));
        let ShownContent { text, is_cut } = content;
        ShownMessage { head: hide(head), body: text.map(|text| hide(&text)), body_bytes, is_cut }
    }
}
