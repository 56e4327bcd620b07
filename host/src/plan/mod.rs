//! A script made complete and valid. A `Plan` holds no option that a default could fill and no name that could be
//! wrong: whatever a user can get wrong has been said by the time there is one. It is plain data, shared by the workers.

pub mod build;
pub mod capture;
pub mod checks;
pub mod data;
pub mod describe;
mod groups;
mod header;
pub mod lock;
mod login;
mod merge;
pub mod needs;
pub mod own;
pub mod plugins;
mod steps;
mod terms;
mod thresholds;
mod variables;
pub mod workload;

use std::sync::Arc;

use hyper::header::HeaderName;

use crate::http::{Dial, Tls};
use crate::metrics::aggregate::{CheckInfo, RowInfo};
use crate::metrics::custom::{MetricId, MetricInfo};
use crate::metrics::sample::RowId;
use crate::metrics::threshold::Threshold;
use crate::plugin::instance::StepParams;
use crate::plugin::registry::Loaded;
use crate::plugin::state::Scripting;
use crate::plugin::terms::Terms;
use crate::run::clock::Nanos;
use crate::script::model::FailOn;
use crate::template::{Template, VariableNames};

pub use build::build;
use capture::Capture;
use checks::Check;
use workload::Workload;

/// What to run.
pub struct Plan {
    /// The script's name: a path, or `-`.
    pub script: String,
    /// How many users, how fast, how long.
    pub workload: Workload,
    /// Worker threads, at least one and at most one per user.
    pub workers: usize,
    /// Of the users' random streams.
    pub seed: u64,
    /// Of steps that name none, in nanoseconds.
    pub timeout: Nanos,
    /// Whether any certificate will do.
    pub insecure_tls: bool,
    /// Whom TLS connections trust.
    pub tls: Tls,
    /// Who connections are made to instead of the network, in a rehearsal.
    pub dial: Option<Arc<dyn Dial>>,
    /// The sign-in, row 0 if there is one.
    pub login: Option<Step>,
    /// What each user walks, at least one.
    pub steps: Vec<Step>,
    /// Which of them are timed together, as in the script.
    pub groups: Vec<Group>,
    /// Rows of the report: the sign-in, then the steps.
    pub rows: Vec<RowInfo>,
    /// Plugins in use, by [`Step::plugin`].
    pub plugins: Vec<UsedPlugin>,
    /// Names of the plugins that no sandbox holds, in use or not: they have run already.
    pub native: Vec<String>,
    /// What templates and requests are made from.
    pub scripting: Arc<Scripting>,
    /// Names of the script's variables.
    pub variables: VariableNames,
    /// Metrics of the plugins, of groups, and of checks.
    pub metrics: Vec<MetricInfo>,
    /// The checks of all steps, by row.
    pub checks: Vec<CheckInfo>,
    /// What has to hold for the run to pass.
    pub thresholds: Vec<Threshold>,
    /// When failed requests fail it.
    pub fail_on: FailOn,
    /// Header fields every user sends with every request.
    pub headers: Vec<(HeaderName, Template)>,
    /// Distinct origins (scheme, host, port) that the script's requests are known to go to.
    pub origins: Vec<String>,
}

/// A plugin and the steps it is to run.
pub struct UsedPlugin {
    /// The plugin.
    pub plugin: Arc<Loaded>,
    /// Its steps, by [`Step::index`].
    pub steps: Arc<[StepParams]>,
    /// What it may do.
    pub terms: Terms,
}

/// Steps that are timed together, from the beginning of the first to the end of the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// The first of its steps.
    pub first: usize,
    /// The step after its last one.
    pub after: usize,
    /// How long it takes: a trend.
    pub duration: MetricId,
    /// Whether all its steps pass: a rate.
    pub passed: MetricId,
}

/// One step.
pub struct Step {
    /// Its row in the report.
    pub row: RowId,
    /// Index of its plugin.
    pub plugin: usize,
    /// Index among the plugin's steps.
    pub index: usize,
    /// How long a task may take, in nanoseconds; waiting for the rate limit not counted.
    pub timeout: Nanos,
    /// Variables taken from its reply.
    pub captures: Vec<Capture>,
    /// Questions about its replies.
    pub checks: Vec<Check>,
    /// Whether a capture or a check looks into the body.
    pub needs_body: bool,
}

impl Plan {
    /// The names of the plugins in use.
    pub fn plugin_names(&self) -> Vec<String> {
        self.plugins.iter().map(|used| used.terms.name.to_string()).collect()
    }
}
