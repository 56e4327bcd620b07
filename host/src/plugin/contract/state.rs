//! What belongs to one instance on the host's side: the inert WASI it was linked with, its limits, what it prepared
//! while it was configured, and the session on whose behalf the current call runs.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use send_wrapper::SendWrapper;
use serde_json::Value;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::request::PreparedRequest;
use super::wasi::{self, GuestClock, GuestOutput};
use crate::diagnostic::Span;
use crate::metrics::custom_metric::{MetricId, MetricKind};
use crate::net::Origin;
use crate::plugin::instance::budget::CallBudget;
use crate::plugin::instance::limits;
use crate::plugin::instance::worker_plugin::WorkerPlugin;
use crate::plugin::scripting::StepParams;
use crate::template::{Environment, Template, environment_names};
use crate::text::error_chain;
use crate::user::{InstanceId, Session};

/// The data of one instance's store.
pub struct StoreData {
    /// Memory, tables and instances, enforced by wasmtime.
    pub limits: limits::StoreLimiter,
    /// What the guest prints.
    pub printed: GuestOutput,
    wasi: WasiCtx,
    resources: ResourceTable,
    // wasmtime-wasi wants store data that is `Send`. A store never leaves its worker thread, and this proves it: an
    // access from another thread panics instead of racing.
    guest: SendWrapper<GuestState>,
}

/// What the guest's imports act on.
pub struct GuestState {
    /// The plugin, and what it may do.
    pub worker_plugin: Rc<WorkerPlugin>,
    /// Templates by number.
    pub templates: Vec<Template>,
    /// Prepared requests by number.
    pub requests: Vec<PreparedRequest>,
    /// Metrics by number, and their kinds.
    pub metrics: Vec<(MetricId, MetricKind)>,
    /// Which of the plugin's instances it is, for what belongs to an instance and is kept with a user.
    pub instance: InstanceId,
    /// Bytes that templates and requests were prepared from.
    pub prepared: usize,
    /// Set while `configure` runs.
    pub configuring: Option<ConfigureContext>,
    /// The user that the current call has to do with.
    pub session: Option<Rc<Session>>,
    /// Whether the call is `start` or `resume`, and so may act for the user.
    pub may_act: bool,
    /// WASI's clocks.
    clock: GuestClock,
    /// Time for the call under way.
    pub budget: CallBudget,
}

/// What is known while a step is configured.
#[derive(Default)]
pub struct ConfigureContext {
    /// Every text among the step's parameters: files may be opened only if they stand here.
    pub texts: Vec<String>,
    /// The environment variables that these texts, or the keys beside them, read: templates may read no others, for a
    /// plugin could send them anywhere.
    pub environment: BTreeSet<String>,
    /// What these give, if that is not what they give in other steps.
    pub environment_override: Option<Arc<Environment>>,
    /// The last text that did not compile, and where in it the mistake is. Lets the host point at the script.
    pub template_error: Option<(String, Span)>,
}

impl ConfigureContext {
    /// What is known from the step.
    pub fn new(step: &StepParams) -> Self {
        let mut context = Self { environment_override: step.environment.clone(), ..Self::default() };
        context.collect(&step.params);
        context
    }

    fn collect(&mut self, value: &Value) {
        match value {
            Value::String(text) => {
                self.environment.extend(environment_names(text));
                self.texts.push(text.clone());
            }
            Value::Array(items) => items.iter().for_each(|item| self.collect(item)),
            Value::Object(fields) => {
                for (key, item) in fields {
                    self.environment.extend(environment_names(key));
                    self.collect(item);
                }
            }
            _ => {}
        }
    }
}

impl StoreData {
    /// A fresh state; nothing is granted.
    pub fn new(family: Rc<WorkerPlugin>) -> Self {
        let (printed, time) = (GuestOutput::default(), GuestClock::default());
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(limits::RESOURCES);
        Self {
            limits: limits::StoreLimiter::new(family.policy.limits.memory),
            wasi: wasi::context(&printed, &time),
            printed,
            resources,
            guest: SendWrapper::new(GuestState {
                instance: family.next_instance_id(),
                worker_plugin: family,
                clock: time,
                templates: Vec::new(),
                requests: Vec::new(),
                metrics: Vec::new(),
                prepared: 0,
                configuring: None,
                session: None,
                may_act: false,
                budget: CallBudget::default(),
            }),
        }
    }

    /// What the imports act on.
    pub fn guest(&mut self) -> &mut GuestState {
        &mut self.guest
    }

    /// WASI's streams and the like.
    pub fn resources(&mut self) -> &mut ResourceTable {
        &mut self.resources
    }
}

impl GuestState {
    /// Begins a call that has to do with a user, whose secrets are kept out of what the guest says in it; `acting` if it
    /// may also act for the user.
    #[inline]
    pub fn enter(&mut self, session: &Rc<Session>, acting: bool) {
        self.clock.follow(session.shared.clock);
        self.session = Some(Rc::clone(session));
        self.may_act = acting;
    }

    /// Such a call is over.
    #[inline]
    pub fn leave(&mut self) {
        self.session = None;
        self.may_act = false;
    }

    /// The current user.
    ///
    /// # Errors
    /// No task is running; the guest traps.
    pub fn session(&self) -> wasmtime::Result<&Rc<Session>> {
        let session = self.session.as_ref().filter(|_| self.may_act);
        session.ok_or_else(|| wasmtime::format_err!("this function may be called only while a task runs"))
    }

    /// Checks that the task may submit another operation.
    ///
    /// # Errors
    /// Too many are in flight, or have ended and not been asked for; the guest traps.
    pub fn check_operation_count(&self, session: &Session) -> wasmtime::Result<()> {
        let most = self.worker_plugin.policy.limits.operations;
        wasmtime::ensure!(session.task.has_ids_left(), "a task may submit {} operations", u32::MAX);
        wasmtime::ensure!(session.task.operation_count() < most, "a task may have {most} operations at a time");
        Ok(())
    }

    /// A text from the guest without the user's secrets, cut to what is shown, on one line.
    pub fn redact_line(&self, text: &str) -> String {
        error_chain(&match &self.session {
            Some(session) => session.redact(text),
            None => self.worker_plugin.scripting.secrets.excerpt(text, &[]),
        })
    }

    /// Logs what the guest wants logged: without the user's secrets, and no more than so many lines a second.
    pub fn log(&mut self, level: tracing::Level, text: &str) {
        // Without a session there is no clock; such lines count towards the second of the last one.
        let second = self.session.as_ref().map(|session| session.shared.clock.now() / 1_000_000_000);
        let (mut counted_in, mut lines) = self.worker_plugin.log_lines.get();
        if let Some(second) = second.filter(|second| *second != counted_in) {
            (counted_in, lines) = (second, 0);
        }
        lines = lines.saturating_add(1);
        self.worker_plugin.log_lines.set((counted_in, lines));
        let (plugin, most) = (&*self.worker_plugin.policy.name, self.worker_plugin.policy.limits.log_lines);
        if lines > most {
            if lines == most + 1 {
                tracing::warn!(plugin, "more log lines in this second are left out");
            }
            return;
        }
        let line = self.redact_line(text);
        match level {
            tracing::Level::ERROR => tracing::error!(plugin, "{line}"),
            tracing::Level::WARN => tracing::warn!(plugin, "{line}"),
            tracing::Level::INFO => tracing::info!(plugin, "{line}"),
            _ => tracing::debug!(plugin, "{line}"),
        }
    }

    /// The step being configured.
    ///
    /// # Errors
    /// None is; the guest traps.
    pub fn configuring(&mut self) -> wasmtime::Result<&mut ConfigureContext> {
        self.configuring
            .as_mut()
            .ok_or_else(|| wasmtime::format_err!("this function may be called only within `configure`"))
    }

    /// Takes bytes out of what an instance may prepare.
    ///
    /// # Errors
    /// It is too much; the guest traps.
    pub fn charge(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.prepared = self.prepared.saturating_add(bytes);
        wasmtime::ensure!(
            self.prepared <= limits::PREPARED,
            "a plugin may prepare {} MiB of templates and bodies",
            limits::PREPARED >> 20
        );
        Ok(())
    }

    /// A copy of a template for a request, and what it costs.
    ///
    /// # Errors
    /// There is none of that number, or it is too much; the guest traps.
    pub fn copy_template(&mut self, id: u32) -> wasmtime::Result<Template> {
        self.charge(self.template(id)?.memory_size())?;
        self.template(id).cloned()
    }

    /// The origins that the prepared requests are known to go to.
    pub fn origins(&self) -> Vec<Rc<Origin>> {
        let base = self.worker_plugin.scripting.base_url.as_ref();
        self.requests.iter().filter_map(|request| request.known_origin(base)).collect()
    }

    /// A prepared request by its number.
    ///
    /// # Errors
    /// There is none of that number; the guest traps.
    pub fn request(&self, id: u32) -> wasmtime::Result<&PreparedRequest> {
        self.requests.get(id as usize).ok_or_else(|| wasmtime::format_err!("there is no prepared request {id}"))
    }

    /// A template by its number.
    ///
    /// # Errors
    /// There is none of that number; the guest traps.
    pub fn template(&self, id: u32) -> wasmtime::Result<&Template> {
        self.templates.get(id as usize).ok_or_else(|| wasmtime::format_err!("there is no template {id}"))
    }
}

impl WasiView for StoreData {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.resources }
    }
}

#[cfg(test)]
mod tests {
    use crate::data::DataSets;
    use crate::plugin::scripting::ScriptContext;
    use std::path::PathBuf;
    use std::sync::Arc;

    use crate::plugin::instance::worker_plugin::SharedNames;
    use crate::plugin::policy::PluginPolicy;

    use super::*;

    #[test]
    fn an_instance_holds_so_many_resources_of_wasi_and_no_more() {
        let scripting = ScriptContext {
            data: DataSets::default(),
            environment: Environment::from_process([]),
            base_url: None,
            folder: PathBuf::new(),
            secrets: Arc::default(),
        };
        let mut state =
            StoreData::new(WorkerPlugin::new(PluginPolicy::new("guest"), Arc::new(scripting), &SharedNames::default()));
        for _ in 0..limits::RESOURCES {
            assert!(state.resources().push(0_u8).is_ok());
        }
        assert!(state.resources().push(0_u8).is_err());
    }
}
