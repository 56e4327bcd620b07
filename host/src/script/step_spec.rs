//! One step as typed: its keys for the host, and the rest for its plugin.

use std::sync::Arc;
use std::time::Duration;

use super::spanned::Spanned;
use super::threshold_syntax::Comparison;
use crate::diagnostic::{SourceText, Span};

/// A YAML value with places.
#[derive(Clone, Debug, PartialEq)]
pub enum NodeValue {
    /// `null`, `~` or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(f64),
    /// Everything else that is a scalar.
    String(String),
    /// A list.
    List(Vec<Node>),
    /// A mapping, in the order typed; keys are unique.
    Map(Vec<(Spanned<String>, Node)>),
}

/// A [`Value`] and where it stands.
pub type Node = Spanned<NodeValue>;

/// One step: keys of the host, and the rest for the plugin.
#[derive(Clone, Debug)]
pub struct StepSpec {
    /// The text it stands in: the script, or a file that it includes.
    pub source: Arc<SourceText>,
    /// The whole step.
    pub span: Span,
    /// `name`, the row in the report.
    pub name: Spanned<String>,
    /// `action`; `http` if absent (`login` in the login block).
    pub action: Option<Spanned<String>>,
    /// `timeout` of the whole step.
    pub timeout: Option<Spanned<Duration>>,
    /// `capture`, in order.
    pub captures: Vec<CaptureSpec>,
    /// `think` after it.
    pub think: Option<Spanned<ThinkSpec>>,
    /// Whether and how often.
    pub repetition: Repetition,
    /// `checks`, in order.
    pub checks: Vec<CheckSpec>,
    /// `tags`, in order.
    pub tags: Vec<(Spanned<String>, Spanned<String>)>,
    /// All other keys, a [`NodeValue::Map`].
    pub params: Node,
}

/// One variable taken from a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct CaptureSpec {
    /// The variable's name.
    pub variable: Spanned<String>,
    /// Where its value comes from.
    pub from: Spanned<CaptureSource>,
    /// `secret`: whether the value is never shown.
    pub secret: bool,
}

/// Where a captured value comes from, uncompiled.
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

/// One question about replies whose answers are counted.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckSpec {
    /// Its name, one of its step.
    pub name: Spanned<String>,
    /// What must be so.
    pub test: CheckTest,
}

/// What must be so for a check to pass, uncompiled.
#[derive(Clone, Debug, PartialEq)]
pub enum CheckTest {
    /// The status is in one of these ranges, ends included.
    Status(Vec<(u16, u16)>),
    /// Something holds of a header field's first value.
    Header(Spanned<String>, TextTest),
    /// Something holds of the body.
    Body(TextTest),
    /// A JSONPath (RFC 9535) leads to something in the body, or not.
    JsonExists(Spanned<String>, bool),
    /// It leads to such a value first.
    JsonEquals(Spanned<String>, Node),
    /// The bytes of the content, before decoding.
    Size(Comparison, f64),
    /// The response time in microseconds.
    Latency(Comparison, f64),
}

/// What must hold of a text.
#[derive(Clone, Debug, PartialEq)]
pub enum TextTest {
    /// It is there, or not.
    Exists(bool),
    /// It is this.
    Equals(String),
    /// It has this in it.
    Contains(String),
    /// This regular expression matches in it.
    Regex(Spanned<String>),
}

/// How long a user waits after a step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ThinkSpec {
    /// Always as long.
    Fixed(Duration),
    /// From the first time to the second, each as likely.
    Uniform(Duration, Duration),
    /// Around the first time, with the second as standard deviation; never less than none.
    Normal(Duration, Duration),
}

/// Whether something is done, and how often.
#[derive(Clone, Debug, Default)]
pub struct Repetition {
    /// `when`: an expression that must hold.
    pub when: Option<Spanned<String>>,
    /// `while`: an expression that must hold each time.
    pub while_condition: Option<Spanned<String>>,
    /// `repeat`: how often, at most if there is a `while`.
    pub repeat: Option<Spanned<u64>>,
    /// `retry`: again if it failed.
    pub retry: Option<RetrySpec>,
}

/// How often and after which waits something is done again that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrySpec {
    /// `times`: how often again, at most.
    pub times: u32,
    /// `wait` before the first time; it doubles from time to time.
    pub wait: Option<Duration>,
    /// `max_wait`.
    pub max_wait: Option<Duration>,
}
