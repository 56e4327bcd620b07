//! Builds a plan from a script and flags. Every stage reports all its errors at once. Nothing is sent, and nothing is
//! started but the plugins, which say what they offer and check each step.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use super::env_file;
use super::flow::FlowBuilder;
use super::step_draft::StepDraft;
use super::steps::{self, ValidatedSteps};
use super::thresholds::{self, MetricCatalog};
use super::{
    Plan, PlanRuntime, PlannedPlugin, Scenario, Step, checks, include, lasting_steps, login_flags, precedence,
    remembered_replies, scenarios, secrets, segments, unset_variables, user_headers,
};
use crate::cli::RunArgs;
use crate::data::{self, DataSets};
use crate::diagnostic::{Diagnostic, Diagnostics, Span};
use crate::expression::ReplyDetail;
use crate::http::BodyBudget;
use crate::metrics::aggregate::CheckInfo;
use crate::metrics::custom_metric::{MetricInfo, MetricKind};
use crate::net::{Tls, Trust, read_certificates};
use crate::plugin::instance::worker_plugin::SharedNames;
use crate::plugin::load::plugin_set::PluginSet;
use crate::plugin::load::policy;
use crate::plugin::load::resolve::PluginLoadOptions;
use crate::plugin::script_context::ScriptContext;
use crate::script::model::{self, FlowItem, Script};
use crate::secrets::Secrets;
use crate::segment::Segment;
use crate::template::{Environment, VariableNames};
use crate::user::BodyNeed;

/// Builds the plan of a run.
///
/// # Errors
/// The script, the flags, the data or the plugins have errors. All of them are returned, except those that depend on
/// another.
pub fn build(args: &RunArgs, script: &Script) -> Result<Plan, Diagnostics> {
    let script = &include::resolve_includes(script, &script.folder())?;
    let mut secrets = Arc::default();
    // Messages of plugins may repeat their rendered parameters.
    assemble(args, script, &mut secrets).map_err(|diagnostics| secrets::redact(diagnostics, &secrets))
}

/// Builds the plan with messages that are not redacted. `secrets` is set as soon as the script has been searched for
/// them.
fn assemble(args: &RunArgs, script: &Script, secrets: &mut Arc<Secrets>) -> Result<Plan, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let Some(script_context) = diagnostics.absorb(script_context(args, script)) else { return Err(diagnostics) };
    let mut names = VariableNames::default();
    let headers =
        diagnostics.absorb(user_headers::compile(args, script, &script_context, &mut names)).unwrap_or_default();
    let segment = args.division.segment.unwrap_or_default();
    diagnostics.absorb(segments::check_seed(args, script).map_err(Diagnostics::from));
    let seed = precedence::seed(args, script);
    let scenario_drafts = diagnostics.absorb(scenarios::drafts(args, script, seed)).unwrap_or_default();
    let scenarios = ScenarioDrafts::new(script, scenario_drafts);
    let drafts = scenarios.steps(args, script, &script_context);
    *secrets = Arc::new(secrets::collect_secrets(args, script, &script_context, &drafts));
    let script_context = Arc::new(ScriptContext { secrets: Arc::clone(secrets), ..script_context });
    let needed = |action: &str| drafts.iter().any(|draft| draft.action == action);
    let plugins = diagnostics.absorb(load_plugins(args, script, &script_context, needed));
    let Some(plugins) = plugins else { return Err(diagnostics) };
    let names = SharedNames::from(names);
    let defaults = precedence::step_defaults(args, script);
    let checked = diagnostics.absorb(steps::validate_steps(&drafts, &plugins, &script_context, &names, &defaults));
    let Some(ValidatedSteps { mut steps, rows, plugins: used, origins }) = checked else { return Err(diagnostics) };
    diagnostics.absorb(lasting_steps::check_total_limit(args, script, &steps, &rows));
    let mut metrics = names.metrics.borrow().list().to_vec();
    let login = has_login(args, script);
    let mut flows = FlowBuilder::new(&mut metrics, &names);
    let planned = scenarios.scenarios(&mut flows, &mut steps[usize::from(login)..], &used);
    let PlannedScenarios { setup, scenarios, teardown } = planned.in_segment(segment);
    diagnostics.0.extend(flows.diagnostics.0);
    diagnostics.absorb(check_trend_limit(&metrics, script).map_err(Diagnostics::from));
    let names = names.variables.borrow().clone();
    let set = unset_variables::set_variables(&names, &steps, &drafts, &plugins);
    set.iter().for_each(|set| unset_variables::report_unset_variables(script, &names, set, &mut diagnostics));
    let tls = load_tls(args)?;
    let checks = diagnostics.absorb(register_checks(&mut steps, &mut metrics)).unwrap_or_default();
    metrics.extend(step_metrics(&metrics, &steps, &used));
    let scenario_names: Vec<_> = scenarios.iter().map(|scenario| scenario.name.clone()).collect();
    let step_plugins = steps.iter().map(|step| (step.row, used[step.plugin].policy.name.as_ref())).collect();
    let catalog =
        MetricCatalog { rows: &rows, metrics: &metrics, checks: &checks, scenarios: &scenario_names, step_plugins };
    let thresholds = diagnostics.absorb(thresholds::thresholds(args, script, &catalog)).unwrap_or_default();
    let login = login.then(|| steps.remove(0));
    let users = scenarios.iter().map(|scenario| scenario.workload.users()).fold(0, u32::saturating_add);
    diagnostics.absorb(check_users(&script_context.data, users, segment, script));
    diagnostics.into_result(Plan {
        script: script.source.name.clone(),
        scenarios,
        setup,
        teardown,
        rps_total: precedence::rps_total(args, script),
        warm_up: precedence::warm_up(args, script),
        segment,
        workers: precedence::workers(args, segment.users().users_below(users)),
        seed,
        tracing: precedence::tracing(args, script),
        timeout: defaults.timeout,
        dns_ttl: precedence::dns_ttl(args, script),
        insecure_tls: args.insecure_tls,
        login,
        refresh_on: script.refresh_on.clone(),
        steps,
        rows,
        native: plugins.native_names().map(str::to_owned).collect(),
        variables: names,
        metrics,
        checks,
        thresholds,
        fail_on: precedence::fail_on(args, script),
        headers,
        origins,
        runtime: runtime(tls, BodyBudget::new(precedence::body_memory(args, script)), used, script_context),
    })
}

/// Checks that data and segment fit this many users.
fn check_users(data: &DataSets, users: u32, segment: Segment, script: &Script) -> Result<(), Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    diagnostics.absorb(data::check_rows_per_user(data, users, &script.data, &script.source));
    diagnostics.absorb(segments::check_users(segment, users).map_err(Diagnostics::from));
    diagnostics.into_result(())
}

/// Registers the checks of all steps, by row.
fn register_checks(steps: &mut [Step], metrics: &mut Vec<MetricInfo>) -> Result<Vec<CheckInfo>, Diagnostics> {
    checks::register(steps.iter_mut().map(|step| (step.row, &mut step.checks[..])), metrics)
}

/// Returns what a plan holds beside plain data.
fn runtime(
    tls: Tls,
    body_budget: BodyBudget,
    plugins: Vec<PlannedPlugin>,
    script_context: Arc<ScriptContext>,
) -> PlanRuntime {
    PlanRuntime {
        tls,
        dial: None,
        body_budget,
        shows_all_exchanges: false,
        sample_taps: OnceLock::new(),
        plugins,
        script_context,
    }
}

/// Loads the plugins of the actions that are needed.
fn load_plugins(
    args: &RunArgs,
    script: &Script,
    script_context: &Arc<ScriptContext>,
    is_needed: impl Fn(&str) -> bool,
) -> Result<PluginSet, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let allowed = diagnostics.absorb(policy::parse_allowed_hosts(&args.allow_host));
    let loaded = diagnostics.absorb(PluginSet::load(script, script_context, load_options(args), is_needed));
    match (allowed, loaded) {
        (Some(allowed), Some(mut plugins)) => {
            plugins.allowed_hosts = allowed;
            Ok(plugins)
        }
        _ => Err(diagnostics),
    }
}

/// Loads the certificates that TLS connections trust, those of `--cacert` among them.
fn load_tls(args: &RunArgs) -> Result<Tls, Diagnostic> {
    let more = args.cacert.as_ref().map_or(Ok(Vec::new()), |file| {
        read_certificates(file).map_err(|reason| {
            Diagnostic::new("usage::cacert", format!("`--cacert {}`: {reason}", file.display()))
                .help("give a file with the certificates of authorities in PEM")
        })
    })?;
    let trust = if args.insecure_tls { Trust::Anything } else { Trust::Authorities(more) };
    Tls::load(trust).map_err(|error| Diagnostic::new("internal::tls", error.to_string()))
}

const fn load_options(args: &RunArgs) -> PluginLoadOptions {
    PluginLoadOptions { locked: args.locked, allow_native: args.native.allow_native, quiet: args.quiet }
}

/// Loads the data, the environment and the base URL.
fn script_context(args: &RunArgs, script: &Script) -> Result<ScriptContext, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let folder = script.folder();
    let data = diagnostics.absorb(data(args, script, &folder));
    let environment = diagnostics.absorb(environment(args.env_file.as_deref()));
    let base_url = diagnostics.absorb(precedence::base_url(args, script).map_err(Diagnostics::from));
    match (data, environment, base_url) {
        (Some(data), Some(environment), Some(base_url)) => {
            diagnostics.into_result(ScriptContext { data, environment, base_url, folder, secrets: Arc::default() })
        }
        _ => Err(diagnostics),
    }
}

fn data(args: &RunArgs, script: &Script, folder: &Path) -> Result<DataSets, Diagnostics> {
    let files: Vec<_> = args.data.iter().map(|data| (data.name.clone(), data.file.clone())).collect();
    data::load(&script.data, &files, folder, &script.source)
}

fn environment(file: Option<&Path>) -> Result<Environment, Diagnostics> {
    let pairs = file.map(env_file::read).transpose()?.unwrap_or_default();
    Ok(Environment::from_process(pairs))
}

fn has_login(args: &RunArgs, script: &Script) -> bool {
    args.login_url.is_some() || script.login.is_some()
}

/// The drafts of all scenarios, in the order of the rows.
struct ScenarioDrafts<'a> {
    setup: Option<scenarios::ScenarioDraft<'a>>,
    scenarios: Vec<scenarios::ScenarioDraft<'a>>,
    teardown: Option<scenarios::ScenarioDraft<'a>>,
}

/// The scenarios of a plan.
struct PlannedScenarios {
    setup: Option<Scenario>,
    scenarios: Vec<Scenario>,
    teardown: Option<Scenario>,
}

impl PlannedScenarios {
    /// Gives the users of set-up and teardown a number of their own in each segment, so that what they make differs.
    fn in_segment(self, segment: Segment) -> Self {
        let alone = |scenario| Scenario { first_user: segment.index(), ..scenario };
        Self { setup: self.setup.map(alone), teardown: self.teardown.map(alone), ..self }
    }
}

impl<'a> ScenarioDrafts<'a> {
    fn new(script: &'a Script, scenarios: Vec<scenarios::ScenarioDraft<'a>>) -> Self {
        let alone = |name, items: &'a [FlowItem]| (!items.is_empty()).then(|| scenarios::single_iteration(name, items));
        Self { setup: alone("setup", &script.setup), scenarios, teardown: alone("teardown", &script.teardown) }
    }

    /// Returns the steps as typed, the sign-in first.
    fn steps(&self, args: &RunArgs, script: &'a Script, script_context: &ScriptContext) -> Vec<StepDraft<'a>> {
        let typed_login = script.login.as_ref().map(StepDraft::from_login);
        let login = login_flags::login_params_from_flags(args).map(StepDraft::login_from_flags).or(typed_login);
        let all = self.setup.iter().chain(&self.scenarios).chain(&self.teardown);
        let steps = all.flat_map(|scenario| {
            let environment = scenarios::environment(scenario.spec, &script_context.environment);
            let draft = move |step| StepDraft::from_step(step).in_scenario(scenario, environment.clone());
            model::steps(scenario.items).into_iter().map(draft)
        });
        login.into_iter().chain(steps).collect()
    }

    /// Builds the scenarios, and notes in their steps which parts of replies conditions read.
    fn scenarios(
        &self,
        flows: &mut FlowBuilder<'_>,
        steps: &mut [Step],
        plugins: &[PlannedPlugin],
    ) -> PlannedScenarios {
        let mut first_user = 0;
        let always_exchanges = |step: &Step| {
            let plugin = &plugins[step.plugin].plugin;
            plugin.is_builtin && remembered_replies::always_exchanges(plugin.name())
        };
        let mut to_scenario = |draft: &scenarios::ScenarioDraft<'_>| {
            let first = flows.next_step;
            let (flow, reply_detail) = flows.scenario_flow(draft);
            for step in &mut steps[first..flows.next_step] {
                step.reply_detail = reply_detail.min(ReplyDetail::Headers);
            }
            let read = remembered_replies::read_by_conditions(&flow, &|step| always_exchanges(&steps[step]));
            for step in read {
                steps[step].reply_detail = ReplyDetail::Content;
                steps[step].body_need = steps[step].body_need.max(BodyNeed::Wanted);
            }
            Scenario { name: draft.name.map(str::to_owned), workload: draft.workload.clone(), first_user: 0, flow }
        };
        let setup = self.setup.as_ref().map(&mut to_scenario);
        let scenarios = self.scenarios.iter().map(|draft| {
            let scenario = Scenario { first_user, ..to_scenario(draft) };
            first_user = first_user.saturating_add(scenario.workload.users());
            scenario
        });
        let scenarios = scenarios.collect();
        PlannedScenarios { setup, scenarios, teardown: self.teardown.as_ref().map(&mut to_scenario) }
    }
}

/// The most metrics of single steps, and the most trends among them: as many as plugins may define.
const MAX_STEP_METRICS: usize = 256;
const MAX_STEP_TRENDS: usize = 64;

/// The most trends of a run, those of groups and of plugins together: each takes memory for its distribution in every
/// worker.
const MAX_TRENDS: usize = 128;

/// Returns the metrics of single steps: of each metric of a plugin with several steps, one for each. They are left out
/// where there would be more than [`MAX_STEP_METRICS`].
fn step_metrics(metrics: &[MetricInfo], steps: &[Step], plugins: &[PlannedPlugin]) -> Vec<MetricInfo> {
    let mut all = Vec::new();
    for metric in metrics {
        let of_plugin = |step: &&Step| *plugins[step.plugin].policy.name == *metric.plugin;
        let rows: Vec<_> = steps.iter().filter(of_plugin).map(|step| step.row).collect();
        let trends = |list: &[MetricInfo]| list.iter().filter(|info| info.kind == MetricKind::Trend).count();
        let more_trends = if metric.kind == MetricKind::Trend { rows.len() } else { 0 };
        let fits = all.len() + rows.len() <= MAX_STEP_METRICS && trends(&all) + more_trends <= MAX_STEP_TRENDS;
        if rows.len() > 1 && fits {
            all.extend(rows.into_iter().map(|row| MetricInfo { row: Some(row), ..metric.clone() }));
        }
    }
    all
}

fn check_trend_limit(metrics: &[MetricInfo], script: &Script) -> Result<(), Diagnostic> {
    let trends = metrics.iter().filter(|metric| metric.kind == MetricKind::Trend).count();
    if trends <= MAX_TRENDS {
        return Ok(());
    }
    let message = format!("{trends} groups and trends of plugins, more than {MAX_TRENDS}");
    Err(Diagnostic::new("script::groups", message).at(&script.source, Span::default(), "too many"))
}
