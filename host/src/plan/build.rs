//! From what was typed to a plan. Every stage says all its errors at once; nothing is sent and nothing is started but
//! the plugins, which are asked what they offer and given each step to check.

use std::path::Path;
use std::sync::Arc;

use super::flow::Flows;
use super::steps::{self, Checked, Draft};
use super::thresholds::{self, Known};
use super::{Plan, Scenario, Step, checks, header, include, login, merge, scenarios, secrets, variables};
use crate::cli::RunArgs;
use crate::data::{self, DataSets};
use crate::diagnostic::{Diagnostic, Diagnostics, Span, reason};
use crate::expression::Remembers;
use crate::metrics::custom::{MetricInfo, MetricKind};
use crate::net::Tls;
use crate::plugin::instance::worker_plugin::Names;
use crate::plugin::load::plugins::Plugins;
use crate::plugin::load::policy;
use crate::plugin::load::resolve::Policy;
use crate::plugin::scripting::Scripting;
use crate::script::model::{self, Item, Script};
use crate::secrets::Secrets;
use crate::template::{Environment, VariableNames};

/// Builds the plan of a run.
///
/// # Errors
/// Everything that is wrong with the script, the flags, the data and the plugins, as far as one depends not on another.
pub fn build(args: &RunArgs, script: &Script) -> Result<Plan, Diagnostics> {
    let script = &include::resolved(script, &script.folder())?;
    let mut secrets = Arc::default();
    // Messages of plugins may repeat what their parameters came to.
    assemble(args, script, &mut secrets).map_err(|found| secrets::hide(found, &secrets))
}

/// The same, with messages that may repeat the secrets, which are known as soon as the script has been looked through.
fn assemble(args: &RunArgs, script: &Script, secrets: &mut Arc<Secrets>) -> Result<Plan, Diagnostics> {
    let mut found = Diagnostics::default();
    let scripting = found.absorb(scripting(args, script));
    let Some(scripting) = scripting else { return Err(found) };
    let mut names = VariableNames::default();
    let headers = found.absorb(header::compile(args, script, &scripting, &mut names)).unwrap_or_default();
    let seed = merge::seed(args, script);
    let cast = found.absorb(scenarios::drafts(args, script, seed)).unwrap_or_default();
    let parts = Parts::new(script, cast);
    let drafts = parts.steps(args, script, &scripting);
    *secrets = Arc::new(secrets::of(args, script, &scripting, &drafts));
    let scripting = Arc::new(Scripting { secrets: Arc::clone(secrets), ..scripting });
    let needed = |action: &str| drafts.iter().any(|draft| draft.action == action);
    let allowed = found.absorb(policy::allowed(&args.allow_host)).unwrap_or_default();
    let plugins = found.absorb(Plugins::load(script, &scripting, policy(args), needed));
    let Some(mut plugins) = plugins else { return Err(found) };
    plugins.allowed = allowed;

    let names = Names::from(names);
    let timeout = merge::timeout(args, script);
    let checked = found.absorb(steps::check(&drafts, &plugins, &scripting, &names, timeout));
    let Some(Checked { mut steps, used, origins }) = checked else { return Err(found) };
    let mut metrics = names.metrics.borrow().list().to_vec();
    let login = has_login(args, script);
    let mut flows = Flows::new(&mut metrics, &names);
    let (setup, scenarios, teardown) = parts.scenarios(&mut flows, &mut steps[usize::from(login)..]);
    found.0.extend(flows.found.0);
    found.absorb(few_trends(&metrics, script).map_err(Diagnostics::from));
    let names = names.variables.borrow().clone();
    if !drafts.iter().any(|draft| plugins.sets_variables(&draft.action)) {
        variables::unset(script, &names, &steps, &mut found);
    }
    let tls = Tls::load(args.insecure_tls).map_err(|error| Diagnostic::new("internal::tls", error.to_string()))?;
    let rows: Vec<_> = drafts.iter().map(Draft::row).collect();
    let checks = found
        .absorb(checks::register(steps.iter_mut().map(|step| (step.row, &mut step.checks[..])), &mut metrics))
        .unwrap_or_default();
    let names_of: Vec<_> = scenarios.iter().map(|scenario| scenario.name.clone()).collect();
    let known = Known { rows: &rows, metrics: &metrics, checks: &checks, scenarios: &names_of };
    let thresholds = found.absorb(thresholds::thresholds(args, script, &known)).unwrap_or_default();
    let login = login.then(|| steps.remove(0));
    let refresh_on = script.refresh_on.clone();
    let users = scenarios.iter().map(|scenario| scenario.workload.users()).fold(0, u32::saturating_add);
    found.absorb(data::too_few_rows(&scripting.data, users, &script.data, &script.source));
    found.into_result(Plan {
        script: script.source.name.clone(),
        scenarios,
        setup,
        teardown,
        rps_total: merge::rps_total(args, script),
        warm_up: merge::warm_up(args, script),
        workers: merge::workers(args, users),
        seed,
        timeout,
        insecure_tls: args.insecure_tls,
        tls,
        dial: None,
        login,
        refresh_on,
        steps,
        rows,
        plugins: used,
        native: plugins.native().map(str::to_owned).collect(),
        scripting,
        variables: names,
        metrics,
        checks,
        thresholds,
        fail_on: merge::fail_on(args, script),
        headers,
        origins,
    })
}

const fn policy(args: &RunArgs) -> Policy {
    Policy { locked: args.locked, allow_native: args.native.allow_native, quiet: args.quiet }
}

/// What templates and requests are made from.
fn scripting(args: &RunArgs, script: &Script) -> Result<Scripting, Diagnostics> {
    let mut found = Diagnostics::default();
    let folder = script.folder();
    let data = found.absorb(data(args, script, &folder));
    let environment = found.absorb(environment(args.env_file.as_deref()).map_err(Diagnostics::from));
    let base_url = found.absorb(merge::base_url(args, script).map_err(Diagnostics::from));
    match (data, environment, base_url) {
        (Some(data), Some(environment), Some(base_url)) => {
            found.into_result(Scripting { data, environment, base_url, folder, secrets: Arc::default() })
        }
        _ => Err(found),
    }
}

fn data(args: &RunArgs, script: &Script, folder: &Path) -> Result<DataSets, Diagnostics> {
    let files: Vec<_> = args.data.iter().map(|data| (data.name.clone(), data.file.clone())).collect();
    data::load(&script.data, &files, folder, &script.source)
}

fn environment(file: Option<&Path>) -> Result<Environment, Diagnostic> {
    let Some(path) = file else { return Ok(Environment::of_process([])) };
    // dotenvy repeats the line in its message, and the line may be a secret.
    let unreadable = |error: dotenvy::Error| {
        let why = match error {
            dotenvy::Error::Io(error) => reason(&error),
            dotenvy::Error::LineParse(_, at) => format!("a line is not `NAME=VALUE` (at its byte {at})"),
            _ => "it is not made of `NAME=VALUE` lines".into(),
        };
        Diagnostic::new("usage::env-file", format!("cannot read `{}`: {why}", path.display()))
    };
    let pairs: Result<Vec<_>, _> = dotenvy::from_path_iter(path).map_err(unreadable)?.collect();
    Ok(Environment::of_process(pairs.map_err(unreadable)?))
}

fn has_login(args: &RunArgs, script: &Script) -> bool {
    args.login_url.is_some() || script.login.is_some()
}

/// Everybody who walks steps, in the order of the rows.
struct Parts<'a> {
    setup: Option<scenarios::Draft<'a>>,
    scenarios: Vec<scenarios::Draft<'a>>,
    teardown: Option<scenarios::Draft<'a>>,
}

impl<'a> Parts<'a> {
    fn new(script: &'a Script, scenarios: Vec<scenarios::Draft<'a>>) -> Self {
        let alone = |name, items: &'a [Item]| (!items.is_empty()).then(|| scenarios::alone(name, items));
        Self { setup: alone("setup", &script.setup), scenarios, teardown: alone("teardown", &script.teardown) }
    }

    /// The steps as typed, the sign-in first.
    fn steps(&self, args: &RunArgs, script: &'a Script, scripting: &Scripting) -> Vec<Draft<'a>> {
        let typed_login = script.login.as_ref().map(Draft::login);
        let login = login::params(args).map(Draft::login_from_flags).or(typed_login);
        let all = self.setup.iter().chain(&self.scenarios).chain(&self.teardown);
        let steps = all.flat_map(|scenario| {
            let environment = scenarios::environment(scenario.typed, &scripting.environment);
            let draft = move |step| Draft::typed(step).within(scenario, environment.clone());
            model::steps(scenario.items).into_iter().map(draft)
        });
        login.into_iter().chain(steps).collect()
    }

    /// The same as scenarios; their steps remember of replies what their conditions ask for.
    fn scenarios(
        &self,
        flows: &mut Flows<'_>,
        steps: &mut [Step],
    ) -> (Option<Scenario>, Vec<Scenario>, Option<Scenario>) {
        let mut first_user = 0;
        let mut made = |draft: &scenarios::Draft<'_>| {
            let first = flows.next;
            let (flow, remembers) = flows.whole(draft);
            for step in &mut steps[first..flows.next] {
                step.remembers = remembers;
                step.needs_body |= remembers == Remembers::Content;
            }
            Scenario { name: draft.name.map(str::to_owned), workload: draft.workload.clone(), first_user: 0, flow }
        };
        let setup = self.setup.as_ref().map(&mut made);
        let scenarios = self.scenarios.iter().map(|draft| {
            let scenario = Scenario { first_user, ..made(draft) };
            first_user = first_user.saturating_add(scenario.workload.users());
            scenario
        });
        let scenarios = scenarios.collect();
        (setup, scenarios, self.teardown.as_ref().map(&mut made))
    }
}

/// The most trends of a run, those of groups and of plugins together: the distribution of one takes some memory in each
/// worker.
const MOST_TRENDS: usize = 128;

fn few_trends(metrics: &[MetricInfo], script: &Script) -> Result<(), Diagnostic> {
    let trends = metrics.iter().filter(|metric| metric.kind == MetricKind::Trend).count();
    if trends <= MOST_TRENDS {
        return Ok(());
    }
    let message = format!("{trends} groups and trends of plugins; there may be {MOST_TRENDS}");
    Err(Diagnostic::new("script::groups", message).at(&script.source, Span::default(), "too many"))
}
