//! Checks steps against the plugins that run them. Each plugin in use is instantiated once and configures its steps, as
//! on every worker later. A rejection is shown at the script's line.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use stampede_time::{Nanos, nanos};

use super::capture::Capture;
use super::checks::{self, Check};
use super::params_json::params_json;
use super::scenarios::ScenarioDraft as Scenario;
use super::{PlannedPlugin, Step};
use crate::diagnostic::{Diagnostic, Diagnostics, Span, suggest};
use crate::expression::ReplyDetail;
use crate::metrics::aggregate::{RowInfo, label};
use crate::metrics::sample::RowId;
use crate::net::{Grant, Grants, Origin};
use crate::plugin::contract::preview::RequestPreview;
use crate::plugin::contract::state::ConfigureContext;
use crate::plugin::instance::error_text::error_text;
use crate::plugin::instance::worker_plugin::{SharedNames, WorkerPlugin};
use crate::plugin::instance::{ConfigureError, Instance, ParamsError};
use crate::plugin::load::loader::LoadedPlugin;
use crate::plugin::load::plugin_set::PluginSet;
use crate::plugin::load::policy;
use crate::plugin::load::schema::ParamsSchema;
use crate::plugin::load::violations::Violation;
use crate::plugin::script_context::{ScriptContext, StepParams};
use crate::script::{LOGIN_KEYS, STEP_KEYS, model, span_within, value_of};
use crate::template::{Environment, VariableId};
use crate::user::BodyNeed;

/// A step before its plugin has checked it.
pub(super) struct StepDraft<'a> {
    /// Its row in the report.
    pub name: String,
    /// Its action.
    pub action: String,
    /// The scenario that it belongs to.
    pub scenario: Option<&'a str>,
    environment: Option<Arc<Environment>>,
    tags: Vec<(String, String)>,
    params: Value,
    spec: Option<&'a model::StepSpec>,
    /// The keys that the host itself reads.
    host_keys: &'static [&'static str],
}

/// Steps that their plugins have accepted.
pub(super) struct ValidatedSteps {
    /// The steps, in the order of the drafts.
    pub steps: Vec<Step>,
    /// The plugins that they use.
    pub plugins: Vec<PlannedPlugin>,
    /// Distinct origins among the requests that were prepared.
    pub origins: Vec<String>,
}

impl<'a> StepDraft<'a> {
    /// Returns the draft of a step of the script.
    pub(super) fn from_step(step: &'a model::StepSpec) -> Self {
        Self::from_spec(step, "http", &STEP_KEYS)
    }

    /// Returns the draft of the script's sign-in.
    pub(super) fn from_login(step: &'a model::StepSpec) -> Self {
        Self::from_spec(step, "login", &LOGIN_KEYS)
    }

    fn from_spec(step: &'a model::StepSpec, default_action: &str, keys: &'static [&'static str]) -> Self {
        let action = step.action.as_ref().map_or_else(|| default_action.to_owned(), |action| action.value.clone());
        Self {
            name: step.name.value.clone(),
            action,
            scenario: None,
            environment: None,
            tags: plain_pairs(&step.tags),
            params: step.params.to_json(),
            spec: Some(step),
            host_keys: keys,
        }
    }

    /// Returns the draft as a step of a scenario, with its tags and environment. A step's own tags win over the
    /// scenario's.
    pub(super) fn in_scenario(self, scenario: &Scenario<'a>, environment: Option<Arc<Environment>>) -> Self {
        let mut tags = scenario.spec.map(|typed| plain_pairs(&typed.tags)).unwrap_or_default();
        tags.retain(|(name, _)| !self.tags.iter().any(|(own, _)| own == name));
        tags.extend(self.tags);
        Self { scenario: scenario.name, environment, tags, ..self }
    }

    /// Returns the draft of a sign-in by flags.
    pub(super) fn login_from_flags(params: Value) -> Self {
        Self {
            name: "login".into(),
            action: "login".into(),
            scenario: None,
            environment: None,
            tags: Vec::new(),
            params,
            spec: None,
            host_keys: &LOGIN_KEYS,
        }
    }

    /// Returns its row in the report. `apdex` is the target of steps without one.
    pub(super) fn row_info(&self, apdex: Option<Duration>) -> RowInfo {
        let target = self.spec.and_then(|step| value_of(step.apdex.as_ref())).or(apdex);
        RowInfo {
            scenario: self.scenario.map(str::to_owned),
            name: self.name.clone(),
            action: self.action.clone(),
            tags: self.tags.clone(),
            apdex_target: target.map(|target| u64::try_from(target.as_micros()).unwrap_or(u64::MAX)),
        }
    }

    /// Returns its parameters, templates not rendered.
    pub(super) const fn params(&self) -> &Value {
        &self.params
    }

    /// Returns the names of the variables that its action sets itself; `None` if they are not known before the run.
    pub(super) fn variables_set(&self, plugins: &PluginSet) -> Option<Vec<&str>> {
        if !plugins.sets_variables(&self.action) {
            return Some(Vec::new());
        }
        let schema = plugins.find_by_action(&self.action)?.schema(&self.action)?;
        let mut marked = schema.variable_parameters().peekable();
        marked.peek()?;
        let values = marked.filter_map(|name| self.params.get(name)?.as_object());
        Some(values.flat_map(|names| names.keys().map(String::as_str)).collect())
    }

    /// Returns the step as its plugin gets it, whose schema decides which scalars are texts.
    fn step_params(&self, schema: Option<&Value>) -> StepParams {
        let (step, action) = (label(self.scenario, &self.name), self.action.clone());
        let json = match self.spec {
            Some(spec) => params_json(&spec.params, &spec.source, schema),
            None => self.params.to_string(),
        };
        let params = serde_json::from_str(&json).unwrap_or_default();
        StepParams { step, action, params, json, environment: self.environment.clone() }
    }

    /// Returns the step as a plugin gets it.
    fn step_params_for(&self, plugin: &LoadedPlugin) -> StepParams {
        self.step_params(plugin.schema(&self.action).map(ParamsSchema::json))
    }

    /// Returns the values of `env` in its parameters, except those that the script itself has.
    pub(super) fn secret_values(&self, shared: &Environment) -> Vec<String> {
        let environment = self.environment.as_deref().unwrap_or(shared);
        let context = ConfigureContext::new(&self.step_params(None));
        context.environment.iter().filter_map(|name| environment.secret(name)).map(str::to_owned).collect()
    }

    fn diagnostic(
        &self,
        code: &'static str,
        message: String,
        span: impl FnOnce(&model::StepSpec) -> Span,
    ) -> Diagnostic {
        let diagnostic = Diagnostic::new(code, message);
        match self.spec {
            Some(step) => diagnostic.at(&step.source, span(step), ""),
            None => diagnostic,
        }
    }

    fn code_or_usage(&self, in_script: &'static str) -> &'static str {
        if self.spec.is_some() { in_script } else { "usage::login" }
    }
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
    timeout: Nanos,
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
            timeout: draft.spec.and_then(|step| value_of(step.timeout.as_ref())).map_or(timeout, nanos),
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
    let mut ready = Vec::new();
    for PluginSteps { plugin, rows } in used {
        let mine: Vec<&StepDraft<'_>> = rows.iter().map(|row| &drafts[*row]).collect();
        if let Some(known) = diagnostics.absorb(configure(&plugin, &mine, script_context, names)) {
            let by_builtin = plugin.is_builtin;
            rows.iter().zip(known.requests).for_each(|(row, request)| steps[*row].request = request);
            origins.extend(known.origins.into_iter().map(|origin| RequestedOrigin { by_builtin, origin }));
        }
        ready.push(PlannedPlugin {
            steps: mine.into_iter().map(|draft| draft.step_params_for(&plugin)).collect(),
            policy: plugin.policy.clone(),
            plugin,
        });
    }
    grant_to_builtin(&mut ready, &origins, plugins, script_context);
    let origins: BTreeSet<String> = origins.iter().map(|requested| requested.origin.name()).collect();
    diagnostics.into_result(ValidatedSteps { steps, plugins: ready, origins: origins.into_iter().collect() })
}

/// The steps of one plugin, by their rows.
struct PluginSteps {
    plugin: Arc<LoadedPlugin>,
    rows: Vec<usize>,
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
    let Some(typed) = draft.params.as_object() else { return Vec::new() };
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
    let sources = schema.variable_parameters().filter_map(|name| draft.params.get(name)?.as_object()).flatten();
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

/// The requests that a plugin prepared for its steps.
struct Configured {
    /// The origins that its requests are known to go to.
    origins: Vec<Rc<Origin>>,
    /// The request of each step, if it prepared one.
    requests: Vec<Option<RequestPreview>>,
}

/// Has a plugin configure its steps in an instance of its own.
fn configure(
    plugin: &Arc<LoadedPlugin>,
    drafts: &[&StepDraft<'_>],
    script_context: &Arc<ScriptContext>,
    names: &SharedNames,
) -> Result<Configured, Diagnostics> {
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
    let (mut diagnostics, mut requests) = (Diagnostics::default(), Vec::new());
    for draft in drafts {
        let prepared = instance.prepared_requests();
        let step = draft.step_params_for(plugin);
        let violations = plugin.schema(&draft.action).map(|schema| schema.violations(&step.params)).unwrap_or_default();
        // A plugin of the script's may rely on its schema. The built-in ones have better words for the same.
        if !plugin.is_builtin && violations.iter().any(|violation| violation.is_structural) {
            diagnostics.0.extend(violation_diagnostics(draft, violations));
            requests.push(None);
            continue;
        }
        let configured = instance.configure(&step);
        if let Err(ConfigureError::Params(error)) = configured {
            // The plugin's own message wins over what its schema says about the same value.
            let others = violations.into_iter().filter(|violation| !is_about_same_value(&error, violation)).collect();
            diagnostics.push(params_diagnostic(draft, *error));
            diagnostics.0.extend(violation_diagnostics(draft, others));
            requests.push(None);
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
        requests.push(request);
    }
    diagnostics.into_result(Configured { origins: instance.origins(), requests })
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

/// Returns names and values without their places.
fn plain_pairs(typed: &[model::NamedText]) -> Vec<(String, String)> {
    typed.iter().map(|pair| (pair.name.value.clone(), pair.value.value.clone())).collect()
}

fn pointer_to(key: &str) -> String {
    format!("/{}", key.replace('~', "~0").replace('/', "~1"))
}
