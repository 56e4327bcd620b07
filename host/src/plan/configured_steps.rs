//! Has a plugin configure its steps before the run, as it does on every worker later, and turns what it rejects into
//! messages at the script's line.

use std::rc::Rc;
use std::sync::Arc;

use super::PlannedPlugin;
use super::step_draft::StepDraft;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::metrics::sample::RowId;
use crate::net::{Grants, Origin};
use crate::plugin::contract::preview::RequestPreview;
use crate::plugin::contract::state::StepLifetime;
use crate::plugin::instance::error_text::error_text;
use crate::plugin::instance::worker_plugin::{SharedNames, WorkerPlugin};
use crate::plugin::instance::{ConfigureError, Instance, ParamsError};
use crate::plugin::load::loader::LoadedPlugin;
use crate::plugin::load::violations::Violation;
use crate::plugin::script_context::ScriptContext;
use crate::script::span_within;

/// The steps of one plugin.
pub(super) struct PluginSteps {
    /// The plugin.
    pub plugin: Arc<LoadedPlugin>,
    /// The numbers of the steps' drafts.
    pub rows: Vec<usize>,
}

impl PluginSteps {
    /// Returns the plugin with its steps, whose rows are `of_steps`.
    pub(super) fn into_planned(self, drafts: &[StepDraft<'_>], of_steps: &[RowId]) -> PlannedPlugin {
        let Self { plugin, rows } = self;
        let steps = rows.iter().map(|row| drafts[*row].step_params_for(&plugin, of_steps[*row])).collect();
        PlannedPlugin { steps, policy: plugin.policy.clone(), plugin }
    }
}

/// The steps of a plugin as it has configured them.
pub(super) struct ConfiguredSteps {
    /// The origins that its requests are known to go to.
    pub origins: Vec<Rc<Origin>>,
    /// Each step.
    pub steps: Vec<ConfiguredStep>,
}

/// A step as its plugin has configured it.
#[derive(Default)]
pub(super) struct ConfiguredStep {
    /// The request, if the plugin has prepared one.
    pub request: Option<RequestPreview>,
    /// The lifetime of its tasks, as the plugin has declared it.
    pub lifetime: StepLifetime,
}

/// Has a plugin configure its steps in an instance of its own.
///
/// # Errors
/// The plugin rejects steps, or fails; all of these errors are returned.
pub(super) fn configure(
    used: &PluginSteps,
    drafts: &[StepDraft<'_>],
    script_context: &Arc<ScriptContext>,
    names: &SharedNames,
) -> Result<ConfiguredSteps, Diagnostics> {
    let plugin = &used.plugin;
    let trapped = |error: &wasmtime::Error| {
        Diagnostic::new("plugin::trap", format!("plugin `{}` failed: {}", plugin.name(), error_text(error)))
    };
    let mut policy = plugin.policy.clone();
    if plugin.is_builtin {
        // It will be granted the hosts that it prepares requests to here.
        policy.grants = Grants::unrestricted();
    }
    let worker_plugin = WorkerPlugin::new(policy, Arc::clone(script_context), names);
    let mut instance = Instance::new(&plugin.code, worker_plugin).map_err(|error| trapped(&error))?;
    let trapped_in = |draft: &StepDraft<'_>, error: &wasmtime::Error| {
        let message = format!("plugin `{}` failed while it configured a step: {}", plugin.name(), error_text(error));
        let mut diagnostic = draft.diagnostic("plugin::trap", message, |step| step.name.span);
        diagnostic.location.iter_mut().for_each(|place| place.label = "this step".into());
        diagnostic
    };
    let (mut diagnostics, mut steps) = (Diagnostics::default(), Vec::new());
    for (row, draft) in used.rows.iter().map(|row| (*row as RowId, &drafts[*row])) {
        let prepared = instance.prepared_requests();
        let step = draft.step_params_for(plugin, row);
        let violations = plugin.schema(&draft.action).map(|schema| schema.violations(&step.params)).unwrap_or_default();
        // A plugin of the script's may rely on its schema. The built-in ones have better words for the same.
        if !plugin.is_builtin && violations.iter().any(|violation| violation.is_structural) {
            diagnostics.0.extend(violation_diagnostics(draft, violations));
            steps.push(ConfiguredStep::default());
            continue;
        }
        let configured = instance.configure(&step);
        if let Err(ConfigureError::Params(error)) = configured {
            // The plugin's own message wins over what its schema says about the same value.
            let others = violations.into_iter().filter(|violation| !is_about_same_value(&error, violation)).collect();
            diagnostics.push(params_diagnostic(draft, *error));
            diagnostics.0.extend(violation_diagnostics(draft, others));
            steps.push(ConfiguredStep::default());
            continue;
        }
        // The schema catches values that the plugin accepted unchecked, or trapped on.
        let violations = violation_diagnostics(draft, violations);
        if let Err(ConfigureError::Trap(error)) = configured {
            diagnostics.0.extend(if violations.is_empty() { vec![trapped_in(draft, &error)] } else { violations });
            break;
        }
        diagnostics.0.extend(violations);
        let request = instance.preview_since(prepared);
        diagnostics.0.extend(request.as_ref().and_then(|request| not_json(draft, request)));
        steps.push(ConfiguredStep { request, lifetime: configured.unwrap_or_default() });
    }
    diagnostics.into_result(ConfiguredSteps { origins: instance.origins(), steps })
}

/// Reports a JSON text that is not JSON with the first row of its data.
fn not_json(draft: &StepDraft<'_>, request: &RequestPreview) -> Option<Diagnostic> {
    let reason = request.json_error.as_ref()?;
    let message = format!("with the first row of its data this is not JSON: {reason}");
    let help =
        Some("`{{json X}}` adds quotes and escapes, `{{jsonEscape X}}` escapes; a mapping needs neither".to_owned());
    Some(params_diagnostic(draft, ParamsError { pointer: "/json_body".to_owned(), message, help, span: None }))
}

/// Returns the violations of the action's own schema as diagnostics.
fn violation_diagnostics(draft: &StepDraft<'_>, violations: Vec<Violation>) -> Vec<Diagnostic> {
    let error = |Violation { pointer, message, help, .. }| ParamsError { pointer, message, help, span: None };
    violations.into_iter().map(|violation| params_diagnostic(draft, error(violation))).collect()
}

/// Returns `true` if a plugin's message and a violation are about the same value: at one place, one within the other,
/// or the one that the message names.
fn is_about_same_value(error: &ParamsError, violation: &Violation) -> bool {
    let name = violation.message.split('`').nth(1).unwrap_or_default();
    let within = |inner: &str, outer: &str| inner == outer || inner.starts_with(&format!("{outer}/"));
    let (ours, theirs) = (violation.pointer.as_str(), error.pointer.as_str());
    let is_near = !ours.is_empty() && !theirs.is_empty() && (within(ours, theirs) || within(theirs, ours));
    is_near || error.message.contains(&format!("`{name}`"))
}

/// Returns a plugin's rejection of a parameter as a diagnostic at the script's line.
fn params_diagnostic(draft: &StepDraft<'_>, error: ParamsError) -> Diagnostic {
    let code = draft.code_or_usage(if error.span.is_some() { "script::template" } else { "script::parameter" });
    let key = error.pointer.trim_start_matches('/');
    // A parameter from a flag has no line to point at, and its value may be a secret.
    let message = match (draft.spec, key.is_empty()) {
        (None, false) => format!("`--login-url` or `--login-hdr`: {}", error.message),
        _ => error.message,
    };
    let mut diagnostic = Diagnostic::new(code, message);
    if let Some(step) = draft.spec {
        let source = &step.source;
        let node = step.params.pointer(&error.pointer);
        let span = match (node, error.span) {
            (Some(node), Some(within)) => span_within(source, node, within.start..within.end),
            (Some(node), None) if !key.is_empty() => node.span,
            _ => step.name.span,
        };
        let label = if key.is_empty() { "in this step".to_owned() } else { String::new() };
        diagnostic = diagnostic.at(source, span, label);
    }
    diagnostic.help = error.help;
    diagnostic
}
