//! A script as typed, with the place of every value. A `Script` knows syntax only: no default is applied, no file is
//! read, no plugin is asked. `plan::build` makes a valid plan of it.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use super::flow_items::{BlockBody, BlockSpec, Branch, FlowItem, steps};
pub use super::link::{LinkDown, LinkOption, LinkSpec};
pub use super::load::{ArrivalSpec, LifespanSpec, LoadKey, LoadSettings, LoadSpec, Setting};
pub use super::spanned::{NamedText, Node, NodeValue, Spanned};
pub use super::step_spec::{
    CaptureSource, CaptureSpec, CheckSpec, CheckTest, Repetition, RetrySpec, StatusRange, StepSpec, TextTest, ThinkSpec,
};
use super::threshold_syntax::{Criterion, Selector};
use crate::diagnostic::SourceText;

/// A whole script file.
#[derive(Clone, Debug)]
pub struct Script {
    /// The text, for messages.
    pub source: Arc<SourceText>,
    /// The settings that have a flag of the same name.
    pub settings: ScriptSettings,
    /// The URL that relative URLs are resolved against.
    pub base_url: Option<Spanned<String>>,
    /// The step that signs each user in.
    pub login: Option<StepSpec>,
    /// `refresh_on` of the login: the statuses after which a user signs in again.
    pub refresh_on: Vec<StatusRange>,
    /// Named data sets.
    pub data: Vec<(Spanned<String>, DataSpec)>,
    /// `plugins`: components besides the built-in ones, and settings of built-in ones.
    pub plugins: Vec<(Spanned<String>, PluginSpec)>,
    /// `setup`: walked once before all load.
    pub setup: Vec<FlowItem>,
    /// `teardown`: walked once after all load.
    pub teardown: Vec<FlowItem>,
    /// Loads that run side by side; none in the plain form.
    pub scenarios: Vec<ScenarioSpec>,
    /// The steps that users walk, unless their scenario has its own.
    pub steps: Vec<FlowItem>,
    /// `thresholds`, in order.
    pub thresholds: Vec<ThresholdSpec>,
}

impl Script {
    /// Returns the folder that the paths of the script are relative to.
    pub fn folder(&self) -> PathBuf {
        Path::new(&self.source.name).parent().map(Path::to_path_buf).unwrap_or_default()
    }

    /// Replaces the load by one user for each scenario, who walks it once. Nothing then judges the run.
    pub fn walk_once(&mut self) {
        (self.settings.rps_total, self.settings.warm_up) = (None, None);
        self.settings.load.walk_once();
        for scenario in &mut self.scenarios {
            scenario.load.walk_once();
            (scenario.start, scenario.weight) = (None, None);
        }
        self.thresholds.clear();
    }
}

/// One of several loads of a run.
#[derive(Clone, Debug)]
pub struct ScenarioSpec {
    /// Its name in the report.
    pub name: Spanned<String>,
    /// Its load. The script's settings apply where it has none.
    pub load: LoadSettings,
    /// `start`: when it begins, counted from the start of the run.
    pub start: Option<Spanned<Duration>>,
    /// `weight`: its share of the script's own load, relative to the other scenarios without a load of their own.
    pub weight: Option<Spanned<f64>>,
    /// `env`: values of `{{env NAME}}` in its steps; they win over the environment.
    pub env: Vec<NamedText>,
    /// `tags` of all its steps.
    pub tags: Vec<NamedText>,
    /// `steps`; the script's if there are none.
    pub steps: Vec<FlowItem>,
}

/// Settings a script may give; a flag or an environment variable of the same name wins.
#[derive(Clone, Debug, Default)]
pub struct ScriptSettings {
    /// The load of all scenarios that have none of their own.
    pub load: LoadSettings,
    /// `rps_total`, of all users together.
    pub rps_total: Option<Spanned<f64>>,
    /// `warm_up`: requests that begin in it are not counted.
    pub warm_up: Option<Spanned<Duration>>,
    /// `timeout` of steps without one.
    pub timeout: Option<Spanned<Duration>>,
    /// `apdex`: the longest response time that satisfies, of steps without one.
    pub apdex: Option<Spanned<Duration>>,
    /// `dns_ttl`: the lifetime of resolved addresses.
    pub dns_ttl: Option<Spanned<Duration>>,
    /// `body_memory`: the most bytes that kept contents of replies may take over all users.
    pub body_memory: Option<Spanned<u64>>,
    /// `seed` of the users' random streams.
    pub seed: Option<Spanned<u64>>,
    /// `headers` sent with every request.
    pub headers: Vec<NamedText>,
    /// `traceparent`: whether requests carry their place in a trace.
    pub traceparent: Option<bool>,
    /// `fail_on`: when failed requests fail the run.
    pub fail_on: Option<Spanned<FailOn>>,
}

/// The memory for kept contents of replies that may be given, in bytes.
pub const BODY_MEMORY: RangeInclusive<u64> = 1 << 20..=1 << 40;

/// The condition under which failed requests alone make the run fail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailOn {
    /// Failed requests never fail the run, once the target was reached.
    Never,
    /// The run fails if there were requests and all of them failed.
    #[default]
    AllFailed,
    /// The run fails if any request failed.
    AnyError,
}

impl FailOn {
    /// The names on the command line and in scripts.
    pub const NAMES: [(&str, Self); 3] =
        [("never", Self::Never), ("all-failed", Self::AllFailed), ("any-error", Self::AnyError)];

    /// Returns the value of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMES.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }
}

/// A threshold: a condition for a run to pass.
#[derive(Clone, Debug)]
pub struct ThresholdSpec {
    /// The text that it is in: the script, or a flag's value.
    pub source: Arc<SourceText>,
    /// The metric and tags that it measures.
    pub selector: Selector,
    /// The condition on them.
    pub criterion: Criterion,
    /// The criterion as typed.
    pub text: String,
    /// `true` if the run ends as soon as the condition does not hold.
    pub abort: bool,
    /// The time after which it may end the run.
    pub delay: Option<Spanned<Duration>>,
}

impl Script {
    /// Returns its own text and those of the files that it includes.
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

/// A data set: its rows, and how users get them.
#[derive(Clone, Debug, PartialEq)]
pub struct DataSpec {
    /// The source of its rows.
    pub source: DataSource,
    /// `separator` of the cells of a CSV file.
    pub separator: Option<Spanned<u8>>,
    /// `columns` of JSON rows: names and JSONPaths. Empty if the keys of a row are its columns.
    pub columns: Vec<NamedText>,
    /// `order` in which `next` returns rows.
    pub order: Option<Spanned<Order>>,
    /// `at_end`: what happens to a user when no row is left for it.
    pub at_end: Option<Spanned<AtEnd>>,
    /// `partition`: which users get which rows.
    pub partition: Option<Spanned<Partition>>,
    /// `secret`: the columns that are never shown.
    pub secret: SecretColumns,
}

/// The columns of a data set that are never shown.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SecretColumns {
    /// No column.
    #[default]
    None,
    /// All columns.
    All,
    /// The named columns.
    Named(Vec<Spanned<String>>),
}

/// The order in which `next` returns the rows of a data set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// The order of the file; each user goes to its own next row: user number + turn × users.
    #[default]
    Sequential,
    /// Like `sequential`, but it starts over at the end and never ends.
    Circular,
    /// Like `sequential`, in an order that the run's seed decides; each pass through the rows has another one.
    Shuffle,
    /// A random row each time.
    Random,
    /// The order of the file, in which users get rows as they ask; no row is used twice in a run.
    Unique,
}

/// The behaviour of a user when no row is left for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AtEnd {
    /// The rows start over.
    #[default]
    Wrap,
    /// The user's walk ends.
    Stop,
    /// The user's step fails with that reason, and its walk ends.
    Error,
}

/// The division of a data set's rows among users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Partition {
    /// All users get from all rows.
    #[default]
    None,
    /// Each user has its own share of the rows.
    User,
}

/// The source of a data set.
#[derive(Clone, Debug, PartialEq)]
pub enum DataSource {
    /// Rows in the script itself, a [`NodeValue::List`].
    Inline(Node),
    /// A file, relative to the script's folder. Its extension gives the format.
    File(Spanned<String>),
}

/// The settings of one plugin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PluginSpec {
    /// Its source: a path relative to the script's folder, `https://…` or `oci://…`. A built-in plugin has none.
    pub source: Option<Spanned<String>>,
    /// The SHA-256 digest that its bytes must have, in lower case.
    pub sha256: Option<Spanned<String>>,
    /// Hosts that it may reach, uncompiled.
    pub allow: Vec<Spanned<String>>,
    /// The users that share an instance.
    pub isolation: Option<Spanned<Isolation>>,
    /// Its limits.
    pub limits: PluginLimits,
}

/// The users that share one instance of a plugin, and so fail together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// All users of a worker thread.
    #[default]
    Worker,
    /// One user: each has its own instance.
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
