//! A script made complete and valid. A `Plan` holds no option that a default could fill and no name that could be
//! wrong: whatever a user can get wrong has been said by the time there is one. It is plain data, shared by the workers.

pub mod build;
pub mod capture;
pub mod checks;
pub mod describe;
pub mod flow;
mod include;
mod login_flags;
mod outline;
mod precedence;
pub mod requirements;
mod scenarios;
mod secrets;
mod steps;
mod thresholds;
mod unset_variables;
mod user_headers;
pub mod workload;

use std::sync::Arc;
use std::time::Duration;

use hyper::header::HeaderName;
use stampede_time::{Nanos, nanos};

use crate::expression::ReplyDetail;
use crate::metrics::aggregate::{CheckInfo, RowInfo};
use crate::metrics::custom_metric::MetricInfo;
use crate::metrics::sample::RowId;
use crate::metrics::threshold::ThresholdRule;
use crate::net::{Dial, Tls};
use crate::plugin::load::loader::LoadedPlugin;
use crate::plugin::policy::PluginPolicy;
use crate::plugin::scripting::{ScriptContext, StepParams};
use crate::script::model::FailOn;
use crate::template::{Template, VariableId, VariableNames};

pub use build::build;
use capture::Capture;
use checks::Check;
use flow::Flow;
use workload::Workload;

/// What to run.
pub struct Plan {
    /// The script's name: a path, or `-`.
    pub script: String,
    /// The loads that run side by side, at least one.
    pub scenarios: Vec<Scenario>,
    /// What one user walks before all load.
    pub setup: Option<Scenario>,
    /// What one user walks after all load.
    pub teardown: Option<Scenario>,
    /// The most requests per second of all users together; `None` is no limit.
    pub rps_total: Option<f64>,
    /// What begins earlier after the start is sent and not counted.
    pub warm_up: Duration,
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
    /// Statuses, ends included, upon which a user signs in again, once, and repeats the step.
    pub refresh_on: Vec<(u16, u16)>,
    /// The steps of all flows, in the order of the rows.
    pub steps: Vec<Step>,
    /// Rows of the report: the sign-in, then the steps of the set-up, of the scenarios, and of the teardown.
    pub rows: Vec<RowInfo>,
    /// Plugins in use, by [`Step::plugin`].
    pub plugins: Vec<PlannedPlugin>,
    /// Names of the plugins that no sandbox holds, in use or not: they have run already.
    pub native: Vec<String>,
    /// What templates and requests are made from.
    pub script_context: Arc<ScriptContext>,
    /// Names of the script's variables.
    pub variables: VariableNames,
    /// Metrics of the plugins, of groups, and of checks.
    pub metrics: Vec<MetricInfo>,
    /// The checks of all steps, by row.
    pub checks: Vec<CheckInfo>,
    /// What has to hold for the run to pass.
    pub thresholds: Vec<ThresholdRule>,
    /// When failed requests fail it.
    pub fail_on: FailOn,
    /// Header fields every user sends with every request.
    pub headers: Vec<(HeaderName, Template)>,
    /// Distinct origins (scheme, host, port) that the script's requests are known to go to.
    pub origins: Vec<String>,
}

/// A plugin and the steps it is to run.
pub struct PlannedPlugin {
    /// The plugin.
    pub plugin: Arc<LoadedPlugin>,
    /// Its steps, by [`Step::index`].
    pub steps: Arc<[StepParams]>,
    /// What it may do.
    pub policy: PluginPolicy,
}

/// One load, and what its users walk.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name; none in the plain form.
    pub name: Option<String>,
    /// How many users, how fast, how long.
    pub workload: Workload,
    /// The number of its first user in the whole run; the others follow.
    pub first_user: u32,
    /// What each iteration walks.
    pub flow: Flow,
}

/// One step.
pub struct Step {
    /// Its row in the report.
    pub row: RowId,
    /// Index of its plugin.
    pub plugin: usize,
    /// Index among the plugin's steps.
    pub plugin_step: usize,
    /// How long a task may take, in nanoseconds; waiting for the rate limit not counted.
    pub timeout: Nanos,
    /// Variables taken from its reply.
    pub captures: Vec<Capture>,
    /// Questions about its replies.
    pub checks: Vec<Check>,
    /// Whether a capture, a check or a condition looks into the body.
    pub needs_body: bool,
    /// What conditions ask of its replies.
    pub reply_detail: ReplyDetail,
}

impl Plan {
    /// The most users at once, over all scenarios.
    pub fn users(&self) -> u32 {
        self.scenarios.iter().map(|scenario| scenario.workload.users()).fold(0, u32::saturating_add)
    }

    /// When the last users start no more requests; `None` if only their iterations end the run.
    pub fn end(&self) -> Option<Nanos> {
        self.scenarios.iter().map(|scenario| scenario.workload.end()).try_fold(0, |latest, end| Some(latest.max(end?)))
    }

    /// How long requests in flight get at the end, at most.
    pub fn graceful_stop(&self) -> Nanos {
        self.scenarios.iter().map(|scenario| nanos(scenario.workload.graceful_stop)).max().unwrap_or(0)
    }

    /// The variables whose values are never shown.
    pub fn secret_variables(&self) -> Vec<VariableId> {
        let captures = self.login.iter().chain(&self.steps).flat_map(|step| &step.captures);
        let mut secret: Vec<_> = captures.filter(|capture| capture.secret).map(|capture| capture.variable).collect();
        secret.sort_unstable();
        secret.dedup();
        secret
    }

    /// The names of the plugins in use.
    pub fn plugin_names(&self) -> Vec<String> {
        self.plugins.iter().map(|used| used.policy.name.to_string()).collect()
    }
}
