//! `when`, `while`, `repeat` and `retry`: the condition of a step or block, and how often it runs.

use std::time::Duration;

use super::model::{Node, NodeValue, Repetition, RetrySpec};
use super::value_reader::{DiagnosticText, ValueReader};

/// The keys of a repetition.
pub(super) const KEYS: [&str; 4] = ["when", "while", "repeat", "retry"];
/// The keys of a `retry` that is a mapping.
pub(super) const RETRY_KEYS: [&str; 3] = ["times", "wait", "max_wait"];

/// The most rounds of a `repeat`. A load that lasts longer is made of iterations.
const MAX_ROUNDS: i64 = 1_000_000_000;
/// The most times of a `retry`.
const MAX_RETRIES: i64 = 1_000;

const RETRY_HELP: &str = "for example `retry: 3` or `retry: {times: 3, wait: 500ms, max_wait: 10s}`";

impl Repetition {
    /// Reads the value of one of [`KEYS`].
    pub(super) fn read_entry(&mut self, reader: &mut ValueReader, key: &str, node: Node) {
        match key {
            "when" => self.when = reader.non_empty_text(key, node, "reply.status == 404"),
            "while" => self.while_condition = reader.non_empty_text(key, node, "vars.state == \"pending\""),
            "repeat" => self.repeat = reader.integer(key, &node, 1, MAX_ROUNDS),
            _ => self.retry = retry(reader, node),
        }
    }

    /// Reports a `while` without a `repeat`: a condition that always holds would keep its user in the loop.
    pub(super) fn check_is_bounded(&self, reader: &mut ValueReader) {
        if let (Some(condition), None) = (&self.while_condition, &self.repeat) {
            let text = DiagnosticText {
                code: "script::missing-key",
                message: "`while` needs `repeat`, the most rounds",
                label: "no `repeat` beside it",
                help: "a condition that always holds would never let the user go on; for example `repeat: 1000`",
            };
            reader.report(condition.span, &text);
        }
    }

    /// Returns true if none of the keys is given.
    pub const fn is_plain(&self) -> bool {
        self.when.is_none() && self.while_condition.is_none() && self.repeat.is_none() && self.retry.is_none()
    }
}

/// Reads `retry`: a number of times, or a mapping.
fn retry(reader: &mut ValueReader, node: Node) -> Option<RetrySpec> {
    if let NodeValue::Int(_) = node.value {
        let times = reader.integer("retry", &node, 1, MAX_RETRIES)?.value;
        return Some(RetrySpec { times, wait: None, max_wait: None });
    }
    let span = node.span;
    let (mut times, mut wait, mut max_wait) = (None, None, None);
    for (key, node) in reader.mapping("retry", node, RETRY_HELP)? {
        match key.value.as_str() {
            "times" => times = reader.integer("times", &node, 1, MAX_RETRIES),
            "wait" => wait = reader.duration("wait", &node),
            "max_wait" => max_wait = reader.duration("max_wait", &node),
            _ => reader.unknown_key(&key, "`retry`", &RETRY_KEYS),
        }
    }
    let Some(times) = times else {
        let (message, label) = ("`retry` needs `times`", "no `times`");
        reader.report(span, &DiagnosticText { code: "script::missing-key", message, label, help: RETRY_HELP });
        return None;
    };
    let value = |typed: Option<super::model::Spanned<Duration>>| typed.map(|typed| typed.value);
    Some(RetrySpec { times: times.value, wait: value(wait), max_wait: value(max_wait) })
}
