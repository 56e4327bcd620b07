//! The scenarios of a run: which users walk which steps under which load. The plain form is one scenario without a
//! name.

use std::sync::Arc;
use std::time::Duration;

use super::links;
use super::workload::Workload;
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics, SourceText};
use crate::http::{Lifespan, Retention};
use crate::load_model::{self, Constant, LOAD_MODELS, LoadError, LoadModelHandle, WeightShare};
use crate::net::LinkChoice;
use crate::script::model::{self, FlowItem, LoadSettings, LoadSpec, Script, Spanned, ThinkSpec};

/// The time that requests in flight have to finish.
const DEFAULT_GRACEFUL_STOP: Duration = Duration::from_secs(5);
/// The time that an iteration has to end after its user is no longer wanted.
const DEFAULT_GRACEFUL_RAMP_DOWN: Duration = Duration::from_secs(30);

/// A scenario before plugins have checked its steps.
pub(crate) struct ScenarioDraft<'a> {
    /// Its name; none in the plain form.
    pub name: Option<&'a str>,
    /// Its load.
    pub workload: Workload,
    /// The items of each iteration.
    pub items: &'a [FlowItem],
    /// The think time after steps without one.
    pub think: Option<ThinkSpec>,
    /// The scenario as typed.
    pub spec: Option<&'a model::ScenarioSpec>,
}

/// Returns the scenarios of a script, at least one.
///
/// # Errors
/// A load is invalid, or a flag changes nothing.
pub(super) fn drafts<'a>(args: &RunArgs, script: &'a Script, seed: u64) -> Result<Vec<ScenarioDraft<'a>>, Diagnostics> {
    let settings = &script.settings.load;
    let script_load = load_model::with_flags(settings.spec.clone(), args);
    let think = |load: &LoadSettings| load.think.as_ref().map(|think| think.value);
    let default_think = think(settings);
    let model = |spec: &LoadSpec| {
        let model = load_model::parse(LOAD_MODELS, spec, seed);
        model.map_err(|error| Diagnostics::from(load_diagnostic(error, &script.source)))
    };
    if script.scenarios.is_empty() {
        let mut workload = workload(args, settings, None, model(&script_load)?);
        workload.link = script_link(script)?;
        return Ok(vec![ScenarioDraft {
            name: None,
            workload,
            items: &script.steps,
            think: default_think,
            spec: None,
        }]);
    }
    let mut diagnostics = Diagnostics::default();
    let weights = || script.scenarios.iter().filter(|one| !load_model::is_given(&one.load.spec)).map(weight);
    let (all, mut before) = (weights().sum::<f64>(), 0.0);
    let common = if weights().next().is_some() { diagnostics.absorb(model(&script_load)) } else { None };
    if let (Some(flag), None) = (load_model::load_flag(args), weights().next()) {
        let message = format!("`{flag}` has no effect: every scenario has its own load");
        diagnostics.push(Diagnostic::new("usage::load", message).help("remove the load of a scenario, or the flag"));
    }
    let script_link = diagnostics.absorb(script_link(script)).flatten();
    let mut drafts = Vec::new();
    for typed in &script.scenarios {
        let own = &typed.load.spec;
        let model = if load_model::is_given(own) {
            reject_weight(typed, script, &mut diagnostics);
            diagnostics.absorb(model(&load_model::with_script_duration(LOAD_MODELS, own.clone(), &script_load)))
        } else {
            let after = before + weight(typed) / all;
            let model = common.as_ref().and_then(|common| common.share(WeightShare { before, after }));
            before = after;
            if model.is_none() && common.is_some() {
                diagnostics.push(no_share_left(typed, script));
            }
            model
        };
        let items = if typed.steps.is_empty() { &script.steps } else { &typed.steps };
        let Some(model) = model else { continue };
        let mut workload = workload(args, settings, Some(typed), model);
        workload.link = match &typed.load.link {
            Some(link) => diagnostics.absorb(links::choice(&link.value, script)).flatten(),
            None => script_link.clone(),
        };
        let think = think(&typed.load).or(default_think);
        drafts.push(ScenarioDraft { name: Some(&typed.name.value), workload, items, think, spec: Some(typed) });
    }
    diagnostics.into_result(drafts)
}

/// Returns the links of the users of scenarios that have none of their own.
fn script_link(script: &Script) -> Result<Option<Arc<LinkChoice>>, Diagnostics> {
    script.settings.load.link.as_ref().map_or(Ok(None), |link| links::choice(&link.value, script))
}

fn weight(scenario: &model::ScenarioSpec) -> f64 {
    scenario.weight.as_ref().map_or(1.0, |weight| weight.value)
}

fn reject_weight(typed: &model::ScenarioSpec, script: &Script, diagnostics: &mut Diagnostics) {
    if let Some(weight) = &typed.weight {
        let message = format!("`weight` does not go with the load of `{}`", typed.name.value);
        let diagnostic = Diagnostic::new("script::load", message).at(&script.source, weight.span, "");
        diagnostics.push(diagnostic.help("a weight is a share of the script's own load; remove one of them"));
    }
}

fn no_share_left(typed: &model::ScenarioSpec, script: &Script) -> Diagnostic {
    let message = format!("the share of `{}` in the script's load is empty", typed.name.value);
    let diagnostic = Diagnostic::new("script::load", message).at(&script.source, typed.name.span, "");
    diagnostic.help("give the script more users, or the scenario a larger weight or its own load")
}

fn load_diagnostic(error: LoadError, source: &Arc<SourceText>) -> Diagnostic {
    let code = if error.key.span.is_some() { "script::load" } else { "usage::load" };
    let diagnostic = Diagnostic::new(code, error.message).help(error.help);
    match error.key.span {
        Some(span) => diagnostic.at(source, span, ""),
        None => diagnostic,
    }
}

/// Returns a load: its model, and the limits of the scenario, or else of the script.
fn workload(
    args: &RunArgs,
    script: &LoadSettings,
    scenario: Option<&model::ScenarioSpec>,
    model: LoadModelHandle,
) -> Workload {
    fn scenario_or_script<'a, T: Copy + 'a>(
        script: &'a LoadSettings,
        scenario: Option<&'a model::ScenarioSpec>,
        key: impl Fn(&'a LoadSettings) -> Option<&'a Spanned<T>>,
    ) -> Option<T> {
        let own = scenario.and_then(|scenario| key(&scenario.load));
        own.or_else(|| key(script)).map(|typed| typed.value)
    }
    let start = scenario.and_then(|scenario| scenario.start.as_ref()).map(|start| start.value);
    Workload {
        model,
        start: start.unwrap_or_default(),
        rps: args.rps.or_else(|| scenario_or_script(script, scenario, |load| load.rps.as_ref())),
        pace: scenario_or_script(script, scenario, |load| load.pace.as_ref()).unwrap_or_default(),
        graceful_stop: args
            .graceful_stop
            .or_else(|| scenario_or_script(script, scenario, |load| load.graceful_stop.as_ref()))
            .unwrap_or(DEFAULT_GRACEFUL_STOP),
        graceful_ramp_down: scenario_or_script(script, scenario, |load| load.graceful_ramp_down.as_ref())
            .unwrap_or(DEFAULT_GRACEFUL_RAMP_DOWN),
        retention: Retention {
            cookies: scenario_or_script(script, scenario, |load| load.cookies.as_ref())
                .map_or(Lifespan::default(), lifespan),
            connections: scenario_or_script(script, scenario, |load| load.connections.as_ref())
                .map_or(Lifespan::default(), lifespan),
        },
        link: None,
    }
}

const fn lifespan(typed: model::LifespanSpec) -> Lifespan {
    match typed {
        model::LifespanSpec::Keep => Lifespan::User,
        model::LifespanSpec::Iteration => Lifespan::Iteration,
        model::LifespanSpec::Request => Lifespan::Request,
    }
}

/// Returns the draft of one user that walks some steps once, before or after all load.
pub(super) fn single_iteration<'a>(name: &'static str, items: &'a [FlowItem]) -> ScenarioDraft<'a> {
    let workload = Workload {
        model: Constant::once().into(),
        start: Duration::ZERO,
        rps: None,
        pace: Duration::ZERO,
        graceful_stop: DEFAULT_GRACEFUL_STOP,
        graceful_ramp_down: Duration::ZERO,
        retention: Retention::default(),
        link: None,
    };
    ScenarioDraft { name: Some(name), workload, items, think: None, spec: None }
}

/// Returns the environment of a scenario's steps, if the scenario has an `env`.
pub(super) fn environment(
    typed: Option<&model::ScenarioSpec>,
    shared: &crate::template::Environment,
) -> Option<Arc<crate::template::Environment>> {
    let own = &typed?.env;
    let pairs = own.iter().map(|pair| (pair.name.value.clone(), pair.value.value.clone()));
    (!own.is_empty()).then(|| Arc::new(shared.with_script_values(pairs)))
}
