//! Plans: scripts made complete and valid. A `Plan` holds no option that a default could fill and no name that could be
//! wrong: every error in the input has been reported by the time a plan exists. It is plain data apart from its
//! [`runtime`](Plan::runtime), and the workers share it.

pub(crate) mod build;
pub(crate) mod capture;
pub(crate) mod checks;
mod configured_steps;
mod data_summary;
pub(crate) mod describe;
pub(crate) mod env_file;
pub(crate) mod flow;
mod include;
mod lasting_steps;
mod link_trace;
mod links;
mod login_flags;
mod outline;
mod params_json;
mod precedence;
mod remembered_replies;
pub(crate) mod requirements;
mod scenarios;
mod secrets;
mod segments;
mod step_draft;
mod steps;
pub(crate) mod thresholds;
mod unset_variables;
mod user_headers;
pub(crate) mod viewers;
pub(crate) mod workload;

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hyper::header::HeaderName;
use stampede_time::{Nanos, nanos};

use crate::expression::ReplyDetail;
use crate::http::BodyBudget;
use crate::metrics::aggregate::{CheckInfo, RowInfo};
use crate::metrics::custom_metric::MetricInfo;
use crate::metrics::sample::RowId;
use crate::metrics::sample_tap::SampleTaps;
use crate::metrics::threshold::ThresholdRule;
use crate::metrics::trace::TraceSettings;
use crate::net::{Dial, Tls};
use crate::plugin::contract::preview::RequestPreview;
use crate::plugin::contract::state::StepLifetime;
use crate::plugin::load::loader::LoadedPlugin;
use crate::plugin::policy::PluginPolicy;
use crate::plugin::script_context::{ScriptContext, StepParams};
use crate::script::model::{FailOn, StatusRange};
use crate::segment::Segment;
use crate::template::{Template, VariableId, VariableNames};
use crate::user::{BodyNeed, TaskStart};

pub use build::build;
use capture::Capture;
use checks::Check;
use flow::Flow;
use workload::Workload;

/// A run, complete and valid.
pub struct Plan {
    /// The script's name: a path, or `-`.
    pub script: String,
    /// The scenarios that run side by side, at least one.
    pub scenarios: Vec<Scenario>,
    /// The set-up, which one user walks before all load.
    pub setup: Option<Scenario>,
    /// The teardown, which one user walks after all load.
    pub teardown: Option<Scenario>,
    /// The most requests per second of all users together; `None` means no limit.
    pub rps_total: Option<f64>,
    /// Requests that begin earlier than this after the start are sent and not counted.
    pub warm_up: Duration,
    /// The part of the run that this process carries out. All numbers above are those of the whole run.
    pub segment: Segment,
    /// Worker threads, at least one and at most one per user of the segment.
    pub workers: usize,
    /// The seed of the users' random streams.
    pub seed: u64,
    /// The settings of traces; `None` if there are none.
    pub tracing: Option<TraceSettings>,
    /// The timeout of steps without one, in nanoseconds.
    pub timeout: Nanos,
    /// The lifetime of resolved addresses.
    pub dns_ttl: Duration,
    /// `true` if any TLS certificate is accepted.
    pub insecure_tls: bool,
    /// The sign-in; it is row 0.
    pub login: Option<Step>,
    /// The statuses after which a user signs in again, once, and repeats the step.
    pub refresh_on: Vec<StatusRange>,
    /// The steps of all flows, in the order of the rows.
    pub steps: Vec<Step>,
    /// Rows of the report: the sign-in, then the steps of the set-up, of the scenarios, and of the teardown.
    pub rows: Vec<RowInfo>,
    /// Names of the native plugins, which no sandbox holds, in use or not: their code has already run.
    pub native: Vec<String>,
    /// Names of the script's variables.
    pub variables: VariableNames,
    /// Metrics of the plugins, of groups, and of checks.
    pub metrics: Vec<MetricInfo>,
    /// The checks of all steps, by row.
    pub checks: Vec<CheckInfo>,
    /// The conditions for the run to pass.
    pub thresholds: Vec<ThresholdRule>,
    /// The condition under which failed requests fail the run.
    pub fail_on: FailOn,
    /// Header fields that every user sends with every request.
    pub headers: Vec<(HeaderName, Template)>,
    /// Distinct origins (scheme, host, port) that the script's requests are known to go to.
    pub origins: Vec<String>,
    /// The loaded and compiled parts that a run works with.
    pub runtime: PlanRuntime,
}

/// The parts of a plan that are not plain data: what was loaded, compiled or opened for the run.
pub struct PlanRuntime {
    /// The certificates that TLS connections trust.
    pub tls: Tls,
    /// Makes connections in place of the network, in a rehearsal.
    pub dial: Option<Arc<dyn Dial>>,
    /// Memory for the contents of replies that are kept.
    pub(crate) body_budget: BodyBudget,
    /// True if every exchange is kept to be shown, in a trial.
    pub shows_all_exchanges: bool,
    /// Takes samples for a file, if the run writes one; set before the run.
    pub sample_taps: OnceLock<SampleTaps>,
    /// Plugins in use, by [`Step::plugin`].
    pub plugins: Vec<PlannedPlugin>,
    /// The data sets, environment and secrets that templates and requests are made from.
    pub script_context: Arc<ScriptContext>,
}

/// A plugin, the steps that it runs, and its policy.
pub struct PlannedPlugin {
    /// The plugin.
    pub plugin: Arc<LoadedPlugin>,
    /// Its steps, by [`Step::plugin_step`].
    pub steps: Arc<[StepParams]>,
    /// The limits and grants of the plugin.
    pub policy: PluginPolicy,
}

/// A load, and the flow that its users walk.
#[derive(Clone, Debug)]
pub struct Scenario {
    /// Its name; none in the plain form.
    pub name: Option<String>,
    /// Its load.
    pub workload: Workload,
    /// The number of its first user in the whole run; the numbers of the others follow.
    pub first_user: u32,
    /// The flow of each iteration.
    pub flow: Flow,
}

/// A step, complete and valid.
pub struct Step {
    /// Its row in the report.
    pub row: RowId,
    /// Index of its plugin.
    pub plugin: usize,
    /// Index among the plugin's steps.
    pub plugin_step: usize,
    /// The timeout of a task, in nanoseconds. Waiting for the rate limit does not count.
    pub timeout: Nanos,
    /// The lifetime of its tasks, as its plugin has declared it.
    pub lifetime: StepLifetime,
    /// Variables taken from its reply.
    pub captures: Vec<Capture>,
    /// Variables that its action sets to values that are never shown.
    pub saved_secrets: Vec<VariableId>,
    /// Tests of its replies.
    pub checks: Vec<Check>,
    /// The need of its captures and checks, and of the conditions after it, for the bodies of its replies.
    pub body_need: BodyNeed,
    /// The parts of its replies that conditions read.
    pub reply_detail: ReplyDetail,
    /// A description of its request, if it prepares one.
    pub request: Option<RequestPreview>,
}

impl Step {
    /// Returns the facts that a task of the step begins with.
    pub fn start(&self) -> TaskStart {
        TaskStart { row: self.row, body: self.body_need, is_lasting: self.lifetime.lasts.is_some() }
    }
}

impl Plan {
    /// Returns the most users at once, over all scenarios.
    pub fn users(&self) -> u32 {
        self.scenarios.iter().map(|scenario| scenario.workload.users()).fold(0, u32::saturating_add)
    }

    /// Returns the most users at once in this process.
    pub fn own_users(&self) -> u32 {
        self.segment.users().users_below(self.users())
    }

    /// Returns the most users of a scenario at once in this process.
    pub(crate) fn segment_users(&self, scenario: &Scenario) -> u32 {
        self.segment.users().counted_from(scenario.first_user).users_below(scenario.workload.users())
    }

    /// Returns when the last users of this process stop starting requests; `None` if only their iterations end the run.
    pub fn end(&self) -> Option<Nanos> {
        let with_users = self.scenarios.iter().filter(|scenario| self.segment_users(scenario) > 0);
        with_users.map(|scenario| scenario.workload.end()).try_fold(0, |latest, end| Some(latest.max(end?)))
    }

    /// Returns how long requests in flight may take at the end, at most.
    pub fn graceful_stop(&self) -> Nanos {
        self.scenarios.iter().map(|scenario| nanos(scenario.workload.graceful_stop)).max().unwrap_or(0)
    }

    /// Returns the most connections to one host that a step of the scenario needs at once.
    pub(crate) fn connections_per_host(&self, scenario: &Scenario) -> u64 {
        let is_of_scenario = |step: &&Step| self.rows[usize::from(step.row)].scenario == scenario.name;
        let most = self.steps.iter().filter(is_of_scenario).map(|step| step.lifetime.connections).max();
        u64::from(most.unwrap_or(0).max(1))
    }

    /// Returns the variables whose values are never shown.
    pub fn secret_variables(&self) -> Vec<VariableId> {
        let steps = || self.login.iter().chain(&self.steps);
        let captures = steps().flat_map(|step| &step.captures).filter(|capture| capture.secret);
        let saved = steps().flat_map(|step| &step.saved_secrets).copied();
        let mut secret: Vec<_> = captures.map(|capture| capture.variable).chain(saved).collect();
        secret.sort_unstable();
        secret.dedup();
        secret
    }

    /// Returns the names of the plugins in use.
    pub fn plugin_names(&self) -> Vec<String> {
        self.runtime.plugins.iter().map(|used| used.policy.name.to_string()).collect()
    }
}
