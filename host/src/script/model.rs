//! What was typed, with the place of every value. A `Script` knows syntax only: no defaults are applied, no file is
//! touched, no plugin is asked. `plan::build` turns it into something valid.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use super::flow_items::{BlockBody, BlockSpec, Branch, FlowItem, Repetition, RetrySpec, steps};
pub use super::load::{ArrivalSpec, LifespanSpec, LoadKey, LoadSettings, LoadSpec, Setting, ThinkSpec};
pub use super::spanned::{Node, NodeValue, Spanned};
use super::threshold_syntax::{Comparison, Criterion, Selector};
use crate::diagnostic::{SourceText, Span};

/// A whole script file.
#[derive(Clone, Debug)]
pub struct Script {
    /// The text, for messages.
    pub source: Arc<SourceText>,
    /// The settings that have a flag of the same name.
    pub settings: ScriptSettings,
    /// What relative URLs are resolved against.
    pub base_url: Option<Spanned<String>>,
    /// The step that signs each user in.
    pub login: Option<StepSpec>,
    /// `refresh_on` of the login: the statuses, ends included, upon which a user signs in again.
    pub refresh_on: Vec<(u16, u16)>,
    /// Named data sets.
    pub data: Vec<(Spanned<String>, DataSpec)>,
    /// Named components besides the built-in ones, and what is said of built-in ones.
    pub plugins: Vec<(Spanned<String>, PluginSpec)>,
    /// What is walked once before all load.
    pub setup: Vec<FlowItem>,
    /// What is walked once after all load.
    pub teardown: Vec<FlowItem>,
    /// Loads side by side; none in the plain form.
    pub scenarios: Vec<ScenarioSpec>,
    /// What each user walks, but for users of scenarios with steps of their own.
    pub steps: Vec<FlowItem>,
    /// `thresholds`, in order.
    pub thresholds: Vec<ThresholdSpec>,
}

impl Script {
    /// Returns the folder that the paths of the script are relative to.
    pub fn folder(&self) -> PathBuf {
        Path::new(&self.source.name).parent().map(Path::to_path_buf).unwrap_or_default()
    }
}

/// One of several loads in a run.
#[derive(Clone, Debug)]
pub struct ScenarioSpec {
    /// Its name in the report.
    pub name: Spanned<String>,
    /// How much load; what is not said is the script's.
    pub load: LoadSettings,
    /// `start`: when it begins, after the run.
    pub start: Option<Spanned<Duration>>,
    /// `weight`: its share of the script's own load, beside the other scenarios that have none of their own.
    pub weight: Option<Spanned<f64>>,
    /// `env`: what `{{env NAME}}` gives in its steps, before the environment.
    pub env: Vec<(Spanned<String>, Spanned<String>)>,
    /// `tags` of all its steps.
    pub tags: Vec<(Spanned<String>, Spanned<String>)>,
    /// `steps`; the script's if there are none.
    pub steps: Vec<FlowItem>,
}

/// Settings a script may give; a flag or an environment variable of the same name wins.
#[derive(Clone, Debug, Default)]
pub struct ScriptSettings {
    /// How much load, for all users that no scenario has load of its own for.
    pub load: LoadSettings,
    /// `rps_total`, of all users together.
    pub rps_total: Option<Spanned<f64>>,
    /// `warm_up`, in which nothing counts.
    pub warm_up: Option<Spanned<Duration>>,
    /// `timeout` of steps that give none.
    pub timeout: Option<Spanned<Duration>>,
    /// `seed` of the users' random streams.
    pub seed: Option<Spanned<u64>>,
    /// `headers` sent with every request.
    pub headers: Vec<(Spanned<String>, Spanned<String>)>,
    /// `fail_on`: when failed requests fail the run.
    pub fail_on: Option<Spanned<FailOn>>,
}

/// When failed requests alone make the exit code another than 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailOn {
    /// Never, once the target was reached.
    Never,
    /// If there were any, and all of them failed.
    #[default]
    AllFailed,
    /// If any failed.
    AnyError,
}

impl FailOn {
    /// What it is called, on the command line and in scripts.
    pub const NAMES: [(&str, Self); 3] =
        [("never", Self::Never), ("all-failed", Self::AllFailed), ("any-error", Self::AnyError)];

    /// The one of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// What has to hold for a run to pass.
#[derive(Clone, Debug)]
pub struct ThresholdSpec {
    /// The text it stands in: the script, or a flag's value.
    pub source: Arc<SourceText>,
    /// What is measured.
    pub selector: Selector,
    /// What has to hold of it.
    pub criterion: Criterion,
    /// The criterion as typed.
    pub text: String,
    /// Whether the run ends as soon as it does not hold.
    pub abort: bool,
    /// From when on it may end.
    pub delay: Option<Spanned<Duration>>,
}

impl Script {
    /// Its own text, and those of the files that it includes.
    pub fn sources(&self) -> Vec<&Arc<SourceText>> {
        let own = self.scenarios.iter().map(|scenario| &scenario.steps);
        let lists = [&self.setup, &self.steps, &self.teardown].into_iter().chain(own);
        let mut all = vec![&self.source];
        for step in lists.flat_map(|list| steps(list)) {
            if !all.iter().any(|known| Arc::ptr_eq(known, &step.source)) {
                all.push(&step.source);
            }
        }
        all
    }
}

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
    /// All other keys, a [`Value::Map`].
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

/// A data set: its rows, and how they are dealt out.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSpec {
    /// Where the rows come from.
    pub source: DataSource,
    /// `order` of the rows that `next` deals out.
    pub order: Option<Spanned<Order>>,
    /// `at_end`: what happens to a user for whom no row is left.
    pub at_end: Option<Spanned<AtEnd>>,
    /// `partition`: who may get which row.
    pub partition: Option<Spanned<Partition>>,
    /// `secret`: which columns are never shown.
    pub secret: SecretColumns,
}

/// Which columns of a data set are never shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SecretColumns {
    /// None of them is kept back.
    #[default]
    None,
    /// All of them.
    All,
    /// These.
    Named(Vec<Spanned<String>>),
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
pub struct PluginSpec {
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
