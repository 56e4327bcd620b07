//! The scenarios of a run: who walks which steps under which load. The plain form is one scenario without a name.

use std::sync::Arc;
use std::time::Duration;

use super::load::{Said, share};
use super::workload::{Model, Workload};
use crate::cli::RunArgs;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::http::{Keeps, Lasts};
use crate::script::model::{self, Item, Load, Script, Spanned, Think};

/// How long requests in flight get to finish.
const GRACEFUL_STOP: Duration = Duration::from_secs(5);
/// How long the iteration of a user may go on that a ramp no longer wants.
const GRACEFUL_RAMP_DOWN: Duration = Duration::from_secs(30);

/// A scenario before its steps are checked.
pub struct Draft<'a> {
    /// Its name; none in the plain form.
    pub name: Option<&'a str>,
    /// Its load.
    pub workload: Workload,
    /// What each iteration walks.
    pub items: &'a [Item],
    /// How long its users wait after steps that do not say so themselves.
    pub think: Option<Think>,
    /// The scenario as typed.
    pub typed: Option<&'a model::Scenario>,
}

/// The scenarios of a script, at least one.
///
/// # Errors
/// Loads that make no sense, and flags that change nothing.
pub fn drafts<'a>(args: &RunArgs, script: &'a Script, seed: u64) -> Result<Vec<Draft<'a>>, Diagnostics> {
    let settings = &script.settings.load;
    let said = Said::of(settings).with_flags(args);
    let think = |load: &Load| load.think.as_ref().map(|think| think.value);
    let of_all = think(settings);
    let model = || said.model(seed, &script.source).map_err(|mistake| Diagnostics::from(*mistake));
    if script.scenarios.is_empty() {
        let workload = workload(args, settings, None, model()?);
        return Ok(vec![Draft { name: None, workload, items: &script.steps, think: of_all, typed: None }]);
    }
    let mut found = Diagnostics::default();
    let own: Vec<Said> = script.scenarios.iter().map(|scenario| Said::of(&scenario.load)).collect();
    let weights = || script.scenarios.iter().zip(&own).filter(|(_, own)| !own.chooses()).map(|(one, _)| weight(one));
    let (all, mut before) = (weights().sum::<f64>(), 0.0);
    let common = if weights().next().is_some() { found.absorb(model()) } else { None };
    if let (Some(flag), None) = (load_flag(args), weights().next()) {
        let message = format!("`{flag}` changes nothing: every scenario has a load of its own");
        found.push(Diagnostic::new("usage::load", message).help("take the load out of a scenario, or the flag away"));
    }
    let mut drafts = Vec::new();
    for (typed, own) in script.scenarios.iter().zip(own) {
        let model = if own.chooses() {
            unweighted(typed, script, &mut found);
            let model = own.lasting(&said).model(seed, &script.source);
            found.absorb(model.map_err(|mistake| Diagnostics::from(*mistake)))
        } else {
            let after = before + weight(typed) / all;
            let model = common.as_ref().and_then(|common| share(common, before, after));
            before = after;
            if model.is_none() && common.is_some() {
                found.push(too_light(typed, script));
            }
            model
        };
        let items = if typed.steps.is_empty() { &script.steps } else { &typed.steps };
        let Some(model) = model else { continue };
        let workload = workload(args, settings, Some(typed), model);
        let think = think(&typed.load).or(of_all);
        drafts.push(Draft { name: Some(&typed.name.value), workload, items, think, typed: Some(typed) });
    }
    found.into_result(drafts)
}

fn weight(scenario: &model::Scenario) -> f64 {
    scenario.weight.as_ref().map_or(1.0, |weight| weight.value)
}

fn unweighted(typed: &model::Scenario, script: &Script, found: &mut Diagnostics) {
    if let Some(weight) = &typed.weight {
        let message = format!("`weight` of `{}`, which has a load of its own", typed.name.value);
        let mistake = Diagnostic::new("script::load", message).at(&script.source, weight.span, "");
        found.push(mistake.help("a weight is a share of the script's own load; remove one of them"));
    }
}

fn too_light(typed: &model::Scenario, script: &Script) -> Diagnostic {
    let message = format!("nothing of the script's load is left for `{}`", typed.name.value);
    let mistake = Diagnostic::new("script::load", message).at(&script.source, typed.name.span, "");
    mistake.help("give the script more users, or the scenario more weight or a load of its own")
}

/// The first flag that says how much load.
fn load_flag(args: &RunArgs) -> Option<&'static str> {
    let flags = [
        ("--users", args.users.is_some()),
        ("--iterations", args.iterations.is_some()),
        ("--ramp-up", args.ramp_up.is_some()),
        ("--stages", args.stages.is_some()),
        ("--arrival-rate", args.arrival_rate.is_some()),
        ("--max-users", args.max_users.is_some()),
    ];
    flags.into_iter().find_map(|(name, is_given)| is_given.then_some(name))
}

/// A load with what stands beside its model; what a scenario does not say is the script's.
fn workload(args: &RunArgs, script: &Load, scenario: Option<&model::Scenario>, model: Model) -> Workload {
    fn said<'a, T: Copy + 'a>(
        script: &'a Load,
        scenario: Option<&'a model::Scenario>,
        key: impl Fn(&'a Load) -> Option<&'a Spanned<T>>,
    ) -> Option<T> {
        let own = scenario.and_then(|scenario| key(&scenario.load));
        own.or_else(|| key(script)).map(|typed| typed.value)
    }
    let start = scenario.and_then(|scenario| scenario.start.as_ref()).map(|start| start.value);
    Workload {
        model,
        start: start.unwrap_or_default(),
        rps: args.rps.or_else(|| said(script, scenario, |load| load.rps.as_ref())),
        pace: said(script, scenario, |load| load.pace.as_ref()).unwrap_or_default(),
        graceful_stop: args
            .graceful_stop
            .or_else(|| said(script, scenario, |load| load.graceful_stop.as_ref()))
            .unwrap_or(GRACEFUL_STOP),
        graceful_ramp_down: said(script, scenario, |load| load.graceful_ramp_down.as_ref())
            .unwrap_or(GRACEFUL_RAMP_DOWN),
        keeps: Keeps {
            cookies: said(script, scenario, |load| load.cookies.as_ref()).map_or(Lasts::default(), lasts),
            connections: said(script, scenario, |load| load.connections.as_ref()).map_or(Lasts::default(), lasts),
        },
    }
}

const fn lasts(typed: model::Lasts) -> Lasts {
    match typed {
        model::Lasts::Keep => Lasts::User,
        model::Lasts::Iteration => Lasts::Iteration,
        model::Lasts::Request => Lasts::Request,
    }
}

/// One user who walks some steps once, before or after all load.
pub fn alone<'a>(name: &'static str, items: &'a [Item]) -> Draft<'a> {
    let model = Model::Constant { users: 1, room: 0, duration: None, iterations: Some(1), ramp_up: Duration::ZERO };
    let workload = Workload {
        model,
        start: Duration::ZERO,
        rps: None,
        pace: Duration::ZERO,
        graceful_stop: GRACEFUL_STOP,
        graceful_ramp_down: Duration::ZERO,
        keeps: Keeps::default(),
    };
    Draft { name: Some(name), workload, items, think: None, typed: None }
}

/// What `{{env NAME}}` gives in a scenario's steps, if it has anything of its own.
pub fn environment(
    typed: Option<&model::Scenario>,
    shared: &crate::template::Environment,
) -> Option<Arc<crate::template::Environment>> {
    let own = &typed?.env;
    let pairs = own.iter().map(|(name, value)| (name.value.clone(), value.value.clone()));
    (!own.is_empty()).then(|| Arc::new(shared.with(pairs)))
}
