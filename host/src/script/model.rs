//! What was typed, with the place of every value. A `Script` knows syntax only: no defaults are applied, no file is
//! touched, no plugin is asked. `plan::build` turns it into something valid.

use std::sync::Arc;
use std::time::Duration;

use crate::diagnostic::{Source, Span};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Spanned<T> {
    /// What was typed.
    pub value: T,
    /// Where.
    pub span: Span,
}

/// A YAML value with places.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
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
pub type Node = Spanned<Value>;

/// A whole script file.
#[derive(Clone, Debug)]
pub struct Script {
    /// The text, for messages.
    pub source: Arc<Source>,
    /// The settings that have a flag of the same name.
    pub settings: Settings,
    /// What relative URLs are resolved against.
    pub base_url: Option<Spanned<String>>,
    /// The step that signs each user in.
    pub login: Option<Step>,
    /// Named data sets.
    pub data: Vec<(Spanned<String>, DataEntry)>,
    /// Named components besides the built-in ones, and what is said of built-in ones.
    pub plugins: Vec<(Spanned<String>, PluginEntry)>,
    /// What each user walks, at least one.
    pub steps: Vec<Step>,
    /// Which of them are timed together, in the order they begin; of those that begin with the same step the outer one
    /// first.
    pub groups: Vec<Group>,
}

/// Steps that are timed together.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name in the report.
    pub name: Spanned<String>,
    /// The first of its steps.
    pub first: usize,
    /// The step after its last one.
    pub after: usize,
}

/// Settings a script may give; a flag or an environment variable of the same name wins.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `users`.
    pub users: Option<Spanned<u32>>,
    /// `rps`, per user.
    pub rps: Option<Spanned<f64>>,
    /// `duration`.
    pub duration: Option<Spanned<Duration>>,
    /// `iterations`, per user.
    pub iterations: Option<Spanned<u64>>,
    /// `ramp_up`.
    pub ramp_up: Option<Spanned<Duration>>,
    /// `graceful_stop`.
    pub graceful_stop: Option<Spanned<Duration>>,
    /// `timeout` of steps that give none.
    pub timeout: Option<Spanned<Duration>>,
    /// `seed` of the users' random streams.
    pub seed: Option<Spanned<u64>>,
    /// `headers` sent with every request.
    pub headers: Vec<(Spanned<String>, Spanned<String>)>,
}

/// One step: keys of the host, and the rest for the plugin.
#[derive(Clone, Debug)]
pub struct Step {
    /// The whole step.
    pub span: Span,
    /// `name`, the row in the report.
    pub name: Spanned<String>,
    /// `action`; `http` if absent (`login` in the login block).
    pub action: Option<Spanned<String>>,
    /// `timeout` of the whole step.
    pub timeout: Option<Spanned<Duration>>,
    /// `capture`, in order.
    pub captures: Vec<Capture>,
    /// All other keys, a [`Value::Map`].
    pub params: Node,
}

/// One variable taken from a reply.
#[derive(Clone, Debug, PartialEq)]
pub struct Capture {
    /// The variable's name.
    pub variable: Spanned<String>,
    /// Where its value comes from.
    pub from: Spanned<CaptureSource>,
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

/// A data set: its rows, and how they are dealt out.
#[derive(Clone, Debug, PartialEq)]
pub struct DataEntry {
    /// Where the rows come from.
    pub source: DataSource,
    /// `order` of the rows that `next` deals out.
    pub order: Option<Spanned<Order>>,
    /// `at_end`: what happens to a user for whom no row is left.
    pub at_end: Option<Spanned<AtEnd>>,
    /// `partition`: who may get which row.
    pub partition: Option<Spanned<Partition>>,
}

/// In what order `next` deals out the rows of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As they stand, every user on to its own next row: user number + turn × users.
    #[default]
    Sequential,
    /// The same, over and over: `sequential` that never ends.
    Circular,
    /// The same in an order that the run's seed decides; each pass through the rows has another one.
    Shuffle,
    /// Any row, each time.
    Random,
    /// As they stand, to whoever asks next; none is given twice in a run.
    Unique,
}

/// What happens to a user for whom no row is left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtEnd {
    /// The rows start over.
    #[default]
    Wrap,
    /// Its walk ends.
    Stop,
    /// Its step fails and says so, and its walk ends.
    Error,
}

/// Who may get which row of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Partition {
    /// All users get from all rows.
    #[default]
    None,
    /// Each user has a share of the rows that nobody else gets from.
    User,
}

/// Where a data set comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum DataSource {
    /// Rows in the script itself, a [`Value::List`].
    Inline(Node),
    /// A file; its extension says the format. Relative to the script's folder.
    File(Spanned<String>),
}

/// What is said of one plugin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PluginEntry {
    /// Where it comes from: a path relative to the script's folder, `https://…` or `oci://…`. A built-in plugin has none.
    pub source: Option<Spanned<String>>,
    /// The digest its bytes must have, in lower case.
    pub sha256: Option<Spanned<String>>,
    /// Hosts that it may reach, uncompiled.
    pub allow: Vec<Spanned<String>>,
    /// What shares an instance.
    pub isolation: Option<Spanned<Isolation>>,
    /// What it may use.
    pub limits: PluginLimits,
}

/// What shares one instance of a plugin, and so fails together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// All users of a worker thread.
    #[default]
    Worker,
    /// Nobody: each user has its own.
    User,
}

/// `limits` of a plugin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PluginLimits {
    /// `memory` of one instance, in bytes.
    pub memory: Option<Spanned<u64>>,
    /// `call`: processor time of one call.
    pub call: Option<Spanned<Duration>>,
    /// `operations` of one task that are in flight or kept.
    pub operations: Option<Spanned<u32>>,
    /// `copied`: bytes that one call may copy out of the plugin.
    pub copied: Option<Spanned<u64>>,
    /// `log_lines` of the plugin on one worker in one second.
    pub log_lines: Option<Spanned<u32>>,
    /// `compile_time`: processor time for compiling it.
    pub compile_time: Option<Spanned<Duration>>,
    /// `compile_memory`: address space for compiling it, in bytes.
    pub compile_memory: Option<Spanned<u64>>,
}
