//! A step as typed: its keys for the host, and the rest for its plugin.

use std::sync::Arc;
use std::time::Duration;

use super::spanned::{NamedText, Node, Spanned};
use super::threshold_syntax::Comparison;
use crate::diagnostic::{SourceText, Span};

/// A step.
#[derive(Clone, Debug)]
pub struct StepSpec {
    /// The text that it is in: the script, or an included file.
    pub source: Arc<SourceText>,
    /// The whole step.
    pub span: Span,
    /// `name`, the row in the report.
    pub name: Spanned<String>,
    /// `action`; `http` if absent (`login` in the login block).
    pub action: Option<Spanned<String>>,
    /// `timeout` of the whole step.
    pub timeout: Option<Spanned<Duration>>,
    /// `apdex`: the longest response time that satisfies.
    pub apdex: Option<Spanned<Duration>>,
    /// `capture`, in order.
    pub captures: Vec<CaptureSpec>,
    /// `think` after it.
    pub think: Option<Spanned<ThinkSpec>>,
    /// Its condition and how often it runs.
    pub repetition: Repetition,
    /// `checks`, in order.
    pub checks: Vec<CheckSpec>,
    /// `tags`, in order.
    pub tags: Vec<NamedText>,
    /// All other keys, a [`NodeValue::Map`](super::spanned::NodeValue::Map).
    pub params: Node,
}

/// A range of status codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusRange {
    /// The first code.
    pub first: u16,
    /// The last code, included.
    pub last: u16,
}

impl StatusRange {
    /// Returns the range of one code.
    pub const fn single(code: u16) -> Self {
        Self { first: code, last: code }
    }

    /// Returns true if a code is in the range.
    pub fn contains(self, code: u16) -> bool {
        (self.first..=self.last).contains(&code)
    }
}

/// A variable taken from a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct CaptureSpec {
    /// The variable's name.
    pub variable: Spanned<String>,
    /// The source of its value.
    pub from: Spanned<CaptureSource>,
    /// `secret`: `true` if the value is never shown.
    pub secret: bool,
}

/// The source of a captured value, uncompiled.
#[derive(Clone, Debug, PartialEq)]
pub enum CaptureSource {
    /// A JSONPath (RFC 9535) into the body; the first match.
    Json(String),
    /// A header field's first value.
    Header(String),
    /// A regular expression over the body; the first group if there is one, else the whole match.
    Regex(String),
    /// A cookie of the user, by name.
    Cookie(String),
}

/// A check: a test of replies whose results are counted.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckSpec {
    /// Its name, unique in its step.
    pub name: Spanned<String>,
    /// The test.
    pub test: CheckTest,
}

/// The test of a check, uncompiled.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckTest {
    /// The status is in one of these ranges.
    Status(Vec<StatusRange>),
    /// A test of a header field's first value.
    Header(Spanned<String>, TextTest),
    /// A test of the body.
    Body(TextTest),
    /// A JSONPath (RFC 9535) matches in the body, or must not.
    JsonExists(Spanned<String>, bool),
    /// The first match of a JSONPath equals a value.
    JsonEquals(Spanned<String>, Node),
    /// The size of the content before decoding, in bytes.
    Size(Comparison, f64),
    /// The response time in microseconds.
    Latency(Comparison, f64),
}

/// A test of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum TextTest {
    /// The text exists, or must not.
    Exists(bool),
    /// The text equals this one.
    Equals(String),
    /// The text contains this one.
    Contains(String),
    /// This regular expression matches somewhere in it.
    Regex(Spanned<String>),
}

/// The think time after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ThinkSpec {
    /// A fixed time after every step.
    Fixed(Duration),
    /// A time uniformly distributed between the two.
    Uniform {
        /// The shortest time.
        min: Duration,
        /// The longest time.
        max: Duration,
    },
    /// A normally distributed time; a negative one counts as none.
    Normal {
        /// The mean.
        mean: Duration,
        /// The standard deviation.
        std_dev: Duration,
    },
}

/// The condition of a step or block, and how often it runs.
#[derive(Clone, Debug, Default)]
pub struct Repetition {
    /// `when`: an expression that must hold for it to run.
    pub when: Option<Spanned<String>>,
    /// `while`: an expression that must hold before each round.
    pub while_condition: Option<Spanned<String>>,
    /// `repeat`: the number of rounds, or the most of them if there is a `while`.
    pub repeat: Option<Spanned<u64>>,
    /// `retry`: runs it again if it failed.
    pub retry: Option<RetrySpec>,
}

/// The retries of a failed step or block, and the waits before them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySpec {
    /// `times`: the most retries.
    pub times: u32,
    /// `wait` before the first retry; it doubles with each further one.
    pub wait: Option<Duration>,
    /// `max_wait` between retries.
    pub max_wait: Option<Duration>,
}
