//! The first event of a page's log: the facts that are known before the first request.

use std::time::Duration;

use serde::Serialize;

use super::super::settings::{RunSettings, ScenarioLoad};
use crate::metrics::sample::FailureKind;

/// Name and version of the log. The version is raised when a reader of the old form would misread the new.
const SCHEMA: &str = "stampede-page/1";

/// The number of rows with a history of their own; the others are added up in one more.
pub(crate) const MAX_ROWS: usize = 200;

/// The phases in the order of [`PerPhase`](super::super::model::PerPhase).
const PHASES: [&str; 5] = ["dns", "connect", "tls", "first byte", "receive"];

/// A level of the history: buckets of one length.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LadderLevel {
    /// Seconds that a bucket covers.
    pub seconds: u32,
    /// Number of buckets that are kept; older ones are merged into the next level.
    pub buckets: usize,
}

/// The levels of the history: seconds for ten minutes, then ever longer stretches. Nothing is dropped from the last
/// one, which takes a bucket an hour. A day has 1,564 buckets.
pub(crate) const LADDER: [LadderLevel; 5] = [
    LadderLevel { seconds: 1, buckets: 600 },
    LadderLevel { seconds: 5, buckets: 360 },
    LadderLevel { seconds: 30, buckets: 360 },
    LadderLevel { seconds: 300, buckets: 576 },
    LadderLevel { seconds: 3_600, buckets: usize::MAX },
];

/// The facts that are known before the first request.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "type", rename = "hello")]
pub(crate) struct HelloEvent {
    /// Always [`SCHEMA`].
    schema: &'static str,
    tool_version: String,
    /// Start of the run since the Unix epoch, in milliseconds.
    started_at_ms: u64,
    script: String,
    base_url: Option<String>,
    users: u32,
    workers: usize,
    seed: u64,
    /// Planned length in seconds; `None` if it has none.
    planned_s: Option<f64>,
    warm_up_s: f64,
    scenarios: Vec<ScenarioName>,
    rows: Vec<RowName>,
    categories: Vec<&'static str>,
    phases: [&'static str; 5],
    thresholds: Vec<ThresholdName>,
    ladder: Vec<LadderLevel>,
    /// The most files that the process may have open; `None` if it is not known.
    max_open_files: Option<u64>,
    /// True if the page may change the load.
    control: bool,
}

#[derive(Clone, Debug, Serialize)]
struct ScenarioName {
    name: Option<String>,
    model: String,
    load: String,
    users: u32,
}

/// The names of a row.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct RowName {
    /// The name of the step, with that of its scenario.
    pub label: String,
    /// The action.
    pub action: String,
    /// True if it is below the row of a step, and not shown without requests.
    #[serde(skip_serializing_if = "is_false")]
    pub part: bool,
    /// True if its times are not in those of all rows together.
    #[serde(skip_serializing_if = "is_false")]
    pub by_design: bool,
    /// The number of rows that it stands for, if it is the sum of those beyond the limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<usize>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

#[derive(Clone, Debug, Serialize)]
struct ThresholdName {
    metric: String,
    expression: String,
    /// The unit of its values, as in the report.
    unit: String,
}

impl HelloEvent {
    /// Creates the event of a run without rows. Credentials are taken out of the base URL.
    pub(crate) fn new(settings: &RunSettings, started_at: Duration) -> Self {
        let settings = settings.clone().without_credentials();
        let ends: Option<Vec<Duration>> = settings.scenarios.iter().map(|scenario| scenario.end).collect();
        Self {
            schema: SCHEMA,
            tool_version: settings.tool_version,
            started_at_ms: u64::try_from(started_at.as_millis()).unwrap_or(u64::MAX),
            script: settings.script,
            base_url: settings.base_url,
            users: settings.users,
            workers: settings.workers,
            seed: settings.seed,
            planned_s: ends.and_then(|ends| ends.into_iter().max()).map(|end| end.as_secs_f64()),
            warm_up_s: settings.warm_up.as_secs_f64(),
            scenarios: settings.scenarios.into_iter().map(ScenarioName::of).collect(),
            rows: Vec::new(),
            categories: FailureKind::ALL.iter().map(|kind| kind.name()).collect(),
            phases: PHASES,
            thresholds: Vec::new(),
            ladder: LADDER.iter().map(|level| LadderLevel { buckets: level.buckets.min(100_000), ..*level }).collect(),
            max_open_files: None,
            control: false,
        }
    }

    /// Adds the most files that the process may have open.
    pub(crate) fn with_max_open_files(self, max_open_files: Option<u64>) -> Self {
        Self { max_open_files, ..self }
    }

    /// Adds the names of the rows, in the order of the report.
    pub(crate) fn with_rows(mut self, rows: impl ExactSizeIterator<Item = RowName>) -> Self {
        let others = rows.len().saturating_sub(MAX_ROWS);
        self.rows = rows.take(MAX_ROWS).collect();
        if others > 0 {
            let label = format!("{others} more actions");
            self.rows.push(RowName { label, rows: Some(others), ..RowName::default() });
        }
        self
    }

    /// Says whether the page may change the run.
    pub(crate) fn with_control(self, control: bool) -> Self {
        Self { control, ..self }
    }

    /// Adds the thresholds: metrics, conditions and units, in the order of the report.
    pub(crate) fn with_thresholds(mut self, thresholds: impl Iterator<Item = [String; 3]>) -> Self {
        self.thresholds =
            thresholds.map(|[metric, expression, unit]| ThresholdName { metric, expression, unit }).collect();
        self
    }
}

impl ScenarioName {
    fn of(load: ScenarioLoad) -> Self {
        Self { name: load.name, model: load.model.into_owned(), load: load.load, users: load.users }
    }
}
