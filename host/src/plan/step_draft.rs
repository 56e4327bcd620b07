//! Steps as they are typed, before their plugins have checked them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use stampede_time::{Nanos, nanos};

use super::params_json::params_json;
use super::scenarios::ScenarioDraft as Scenario;
use crate::diagnostic::{Diagnostic, Span};
use crate::metrics::aggregate::{RowInfo, label};
use crate::metrics::sample::RowId;
use crate::plugin::contract::state::ConfigureContext;
use crate::plugin::load::loader::LoadedPlugin;
use crate::plugin::load::plugin_set::PluginSet;
use crate::plugin::load::schema::ParamsSchema;
use crate::plugin::script_context::StepParams;
use crate::script::{LOGIN_KEYS, STEP_KEYS, model, value_of};
use crate::template::Environment;

/// A step before its plugin has checked it.
pub(super) struct StepDraft<'a> {
    /// Its row in the report.
    pub name: String,
    /// Its action.
    pub action: String,
    /// The scenario that it belongs to.
    pub scenario: Option<&'a str>,
    /// The step as typed; `None` if it comes from flags.
    pub(super) spec: Option<&'a model::StepSpec>,
    /// The keys that the host itself reads.
    pub(super) host_keys: &'static [&'static str],
    environment: Option<Arc<Environment>>,
    tags: Vec<(String, String)>,
    params: Value,
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
            part: None,
        }
    }

    /// Returns its own timeout, if it has one.
    pub(super) fn timeout(&self) -> Option<Nanos> {
        self.spec.and_then(|step| value_of(step.timeout.as_ref())).map(nanos)
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
    fn step_params(&self, row: RowId, schema: Option<&Value>) -> StepParams {
        let (step, action) = (label(self.scenario, &self.name), self.action.clone());
        let json = match self.spec {
            Some(spec) => params_json(&spec.params, &spec.source, schema),
            None => self.params.to_string(),
        };
        let params = serde_json::from_str(&json).unwrap_or_default();
        StepParams { step, row, action, params, json, environment: self.environment.clone() }
    }

    /// Returns the step, with this row, as a plugin gets it.
    pub(super) fn step_params_for(&self, plugin: &LoadedPlugin, row: RowId) -> StepParams {
        self.step_params(row, plugin.schema(&self.action).map(ParamsSchema::json))
    }

    /// Returns the values of `env` in its parameters, except those that the script itself has.
    pub(super) fn secret_values(&self, shared: &Environment) -> Vec<String> {
        let environment = self.environment.as_deref().unwrap_or(shared);
        let context = ConfigureContext::new(&self.step_params(0, None));
        context.environment.iter().filter_map(|name| environment.secret(name)).map(str::to_owned).collect()
    }

    /// Returns a message about the step, at this place of it.
    pub(super) fn diagnostic(
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

    /// Returns the code of a message: `in_script`, unless the step comes from flags.
    pub(super) fn code_or_usage(&self, in_script: &'static str) -> &'static str {
        if self.spec.is_some() { in_script } else { "usage::login" }
    }
}

/// Returns names and values without their places.
fn plain_pairs(typed: &[model::NamedText]) -> Vec<(String, String)> {
    typed.iter().map(|pair| (pair.name.value.clone(), pair.value.value.clone())).collect()
}
