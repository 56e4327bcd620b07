//! `when`, `while`, `repeat` and `retry`: whether and how often a step, or a block of them, is done.

use std::time::Duration;

use super::model::{Control, Node, Retry, Value};
use super::values::{Mistake, Reader};

/// The keys.
pub(super) const KEYS: [&str; 4] = ["when", "while", "repeat", "retry"];
/// The keys of a `retry` that is a mapping.
pub(super) const RETRY_KEYS: [&str; 3] = ["times", "wait", "max_wait"];

/// Most rounds of a `repeat`; what is to go on longer is an iteration.
const MOST_ROUNDS: i64 = 1_000_000_000;
/// Most times of a `retry`.
const MOST_TIMES: i64 = 1_000;

const RETRY_HELP: &str = "for example `retry: 3` or `retry: {times: 3, wait: 500ms, max_wait: 10s}`";

impl Control {
    /// Reads the value of one of [`KEYS`].
    pub(super) fn entry(&mut self, reader: &mut Reader, key: &str, node: Node) {
        match key {
            "when" => self.when = reader.some_text(key, node, "reply.status == 404"),
            "while" => self.holds = reader.some_text(key, node, "vars.state == \"pending\""),
            "repeat" => self.repeat = reader.whole(key, &node, 1, MOST_ROUNDS),
            _ => self.retry = retry(reader, node),
        }
    }

    /// Whether nothing is said.
    pub const fn is_plain(&self) -> bool {
        self.when.is_none() && self.holds.is_none() && self.repeat.is_none() && self.retry.is_none()
    }
}

/// A number of times, or a mapping.
fn retry(reader: &mut Reader, node: Node) -> Option<Retry> {
    if let Value::Int(_) = node.value {
        let times = reader.whole("retry", &node, 1, MOST_TIMES)?.value;
        return Some(Retry { times, wait: None, max_wait: None });
    }
    let span = node.span;
    let (mut times, mut wait, mut max_wait) = (None, None, None);
    for (key, node) in reader.mapping("retry", node, RETRY_HELP)? {
        match key.value.as_str() {
            "times" => times = reader.whole("times", &node, 1, MOST_TIMES),
            "wait" => wait = reader.duration("wait", &node),
            "max_wait" => max_wait = reader.duration("max_wait", &node),
            _ => reader.unknown_key(&key, "`retry`", &RETRY_KEYS),
        }
    }
    let Some(times) = times else {
        let (message, label) = ("`retry` does not say how many `times`", "no `times`");
        reader.report(span, &Mistake { code: "script::missing-key", message, label, help: RETRY_HELP });
        return None;
    };
    let value = |typed: Option<super::model::Spanned<Duration>>| typed.map(|typed| typed.value);
    Some(Retry { times: times.value, wait: value(wait), max_wait: value(max_wait) })
}
