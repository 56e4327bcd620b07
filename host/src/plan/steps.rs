//! Checks steps against the plugins that run them. Each plugin in use is instantiated once and configures its steps, as
//! on every worker later. A rejection is shown at the script's line.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::Value;

use super::capture::Capture;
use super::checks::{self, Check};
use super::configured_steps::{ConfiguredStep, PluginSteps, configure};
use super::precedence::StepDefaults;
use super::step_draft::StepDraft;
use super::{PlannedPlugin, Step};
use crate::diagnostic::{Diagnostic, Diagnostics, suggest};
use crate::expression::ReplyDetail;
use crate::metrics::aggregate::RowInfo;
use crate::metrics::sample::RowId;
use crate::net::{Grant, Origin};
use crate::plugin::contract::state::StepLifetime;
use crate::plugin::instance::row_registry::ArrangedRows;
use crate::plugin::instance::worker_plugin::SharedNames;
use crate::plugin::load::loader::LoadedPlugin;
use crate::plugin::load::plugin_set::PluginSet;
use crate::plugin::load::policy;
use crate::plugin::script_context::ScriptContext;
use crate::template::VariableId;
use crate::user::BodyNeed;

/// Steps that their plugins have accepted.
pub(super) struct ValidatedSteps {
    /// The steps, in the order of the drafts.
    pub steps: Vec<Step>,
    /// The rows of the report: those of the steps, each with those below it.
    pub rows: Vec<RowInfo>,
    /// The plugins that they use.
    pub plugins: Vec<PlannedPlugin>,
    /// Distinct origins among the requests that were prepared.
    pub origins: Vec<String>,
}

/// Finds the plugin of every step, checks its keys, and has the plugin configure it.
///
/// # Errors
/// Steps have errors; all of them are returned.
pub(super) fn validate_steps(
    drafts: &[StepDraft<'_>],
    plugins: &PluginSet,
    script_context: &Arc<ScriptContext>,
    names: &SharedNames,
    defaults: &StepDefaults,
) -> Result<ValidatedSteps, Diagnostics> {
    let mut diagnostics = Diagnostics::default();
    let mut steps = Vec::new();
    let mut used: Vec<PluginSteps> = Vec::new();
    for (row, draft) in drafts.iter().enumerate() {
        let Some(plugin) = diagnostics.absorb(plugin_of(draft, plugins).map_err(Diagnostics::from)) else { continue };
        diagnostics.0.extend(unknown_keys(draft, plugin));
        let at = used.iter().position(|known| Arc::ptr_eq(&known.plugin, plugin)).unwrap_or_else(|| {
            used.push(PluginSteps { plugin: Arc::clone(plugin), rows: Vec::new() });
            used.len() - 1
        });
        let captures = diagnostics.absorb(captures(draft, names)).unwrap_or_default();
        let checks = diagnostics.absorb(checks(draft, plugin)).unwrap_or_default();
        steps.push(Step {
            row: row as RowId,
            plugin: at,
            plugin_step: used[at].rows.len(),
            timeout: draft.timeout().unwrap_or(defaults.timeout),
            lifetime: StepLifetime::default(),
            body_need: match captures.iter().any(Capture::needs_body) || checks.iter().any(Check::needs_body) {
                true => BodyNeed::Required,
                false => BodyNeed::Unread,
            },
            captures,
            saved_secrets: saved_secrets(draft, plugin, names),
            checks,
            reply_detail: ReplyDetail::Nothing,
            request: None,
        });
        used[at].rows.push(row);
    }
    // Plugins configure steps only if all keys are known: they would report unknown keys again in their own words.
    if !diagnostics.0.is_empty() {
        return Err(diagnostics);
    }
    let mut origins = Vec::new();
    for used in &used {
        if let Some(known) = diagnostics.absorb(configure(used, drafts, script_context, names)) {
            let by_builtin = used.plugin.is_builtin;
            for (row, ConfiguredStep { request, lifetime }) in used.rows.iter().zip(known.steps) {
                let step = &mut steps[*row];
                (step.request, step.lifetime) = (request, lifetime);
                step.timeout = drafts[*row]
                    .timeout()
                    .unwrap_or_else(|| defaults.timeout.saturating_add(lifetime.lasts.unwrap_or(0)));
            }
            origins.extend(known.origins.into_iter().map(|origin| RequestedOrigin { by_builtin, origin }));
        }
    }
    let arranged = drafts.iter().map(|draft| draft.row_info(defaults.apdex)).collect();
    let ArrangedRows { rows, of_steps } = names.rows.borrow().arrange(arranged);
    steps.iter_mut().zip(&of_steps).for_each(|(step, row)| step.row = *row);
    let mut plugins_used: Vec<_> = used.into_iter().map(|used| used.into_planned(drafts, &of_steps)).collect();
    grant_to_builtin(&mut plugins_used, &origins, plugins, script_context);
    let origins: BTreeSet<String> = origins.iter().map(|requested| requested.origin.name()).collect();
    diagnostics.into_result(ValidatedSteps {
        steps,
        rows,
        plugins: plugins_used,
        origins: origins.into_iter().collect(),
    })
}

/// An origin that a prepared request goes to.
struct RequestedOrigin {
    /// `true` if a built-in plugin prepared the request.
    by_builtin: bool,
    origin: Rc<Origin>,
}

/// Grants the built-in plugins the hosts of the script's own URLs.
fn grant_to_builtin(
    used: &mut [PlannedPlugin],
    origins: &[RequestedOrigin],
    plugins: &PluginSet,
    script_context: &ScriptContext,
) {
    let own = origins.iter().filter(|requested| requested.by_builtin).map(|requested| Rc::clone(&requested.origin));
    let base = script_context.base_url.as_ref().and_then(Origin::of);
    let named: Vec<Grant> = own.chain(base).map(|origin| Grant::of(origin.host(), origin.port())).collect();
    for used in used.iter_mut().filter(|used| used.plugin.is_builtin) {
        let hosts = named.iter().chain(&plugins.allowed_hosts).cloned();
        used.policy.grants = policy::with_hosts(&used.policy.grants, hosts);
    }
}

fn plugin_of<'p>(draft: &StepDraft<'_>, plugins: &'p PluginSet) -> Result<&'p Arc<LoadedPlugin>, Diagnostic> {
    plugins.find_by_action(&draft.action).ok_or_else(|| {
        let offered = plugins.known_actions();
        let message = format!("no plugin offers the action `{}`", draft.action);
        let diagnostic = draft.diagnostic("script::unknown-action", message, |step| {
            step.action.as_ref().map_or(step.span, |action| action.span)
        });
        match suggest(&draft.action, offered.clone()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(format!("there are: {}", offered.collect::<Vec<_>>().join(", "))),
        }
    })
}

/// Reports keys that the action's schema does not list.
fn unknown_keys(draft: &StepDraft<'_>, plugin: &LoadedPlugin) -> Vec<Diagnostic> {
    let schema: Value = plugin
        .action(&draft.action)
        .and_then(|action| serde_json::from_str(&action.params_schema).ok())
        .unwrap_or_default();
    let open = !matches!(schema.get("additionalProperties"), None | Some(Value::Bool(false)));
    let Some(known) = schema.get("properties").and_then(Value::as_object).filter(|_| !open) else { return Vec::new() };
    let Some(typed) = draft.params().as_object() else { return Vec::new() };
    let unknown = typed.keys().filter(|key| !known.contains_key(*key));
    unknown
        .map(|key| {
            let message = format!("`{key}` is not a parameter of action `{}`", draft.action);
            let mut diagnostic = draft.diagnostic(draft.code_or_usage("script::unknown-key"), message, |step| {
                step.params.key_span(&pointer_to(key)).unwrap_or(step.span)
            });
            diagnostic.location.iter_mut().for_each(|place| place.label = "unknown key".into());
            match suggest(key, known.keys().map(String::as_str).chain(draft.host_keys.iter().copied())) {
                Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
                None => {
                    diagnostic.help(format!("`stampede-shooter plugins` lists the parameters of `{}`", draft.action))
                }
            }
        })
        .collect()
}

fn captures(draft: &StepDraft<'_>, names: &SharedNames) -> Result<Vec<Capture>, Diagnostics> {
    let Some(step) = draft.spec else { return Ok(Vec::new()) };
    let mut diagnostics = Diagnostics::default();
    let mut captures = Vec::new();
    for typed in &step.captures {
        match Capture::compile(typed, &step.source, &mut names.variables.borrow_mut()) {
            Ok(capture) => captures.push(capture),
            Err(diagnostic) => diagnostics.push(diagnostic),
        }
    }
    diagnostics.into_result(captures)
}

/// Returns the variables that the step's action sets to values that are secret: those whose source has `secret: true`.
fn saved_secrets(draft: &StepDraft<'_>, plugin: &LoadedPlugin, names: &SharedNames) -> Vec<VariableId> {
    let Some(schema) = plugin.schema(&draft.action) else { return Vec::new() };
    let sources = schema.variable_parameters().filter_map(|name| draft.params().get(name)?.as_object()).flatten();
    let secret = sources.filter(|(_, source)| source["secret"] == true);
    secret.map(|(name, _)| names.variables.borrow_mut().intern(name)).collect()
}

/// Compiles the checks of a step. Steps of an action without HTTP exchanges cannot have any.
fn checks(draft: &StepDraft<'_>, plugin: &LoadedPlugin) -> Result<Vec<Check>, Diagnostics> {
    let Some(step) = draft.spec else { return Ok(Vec::new()) };
    match step.checks.first() {
        Some(first) if !plugin.makes_exchanges => {
            let message = format!("action `{}` makes no HTTP exchange to check", draft.action);
            let diagnostic =
                Diagnostic::new("script::check", message).at(&step.source, first.name.span, "never tested");
            Err(diagnostic.help("remove `checks`").into())
        }
        _ => checks::compile(step, &step.source),
    }
}

fn pointer_to(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}
