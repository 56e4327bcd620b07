//! The host's data of one instance: the inert WASI it is linked with, its limits, the templates and requests it
//! prepared while it was configured, and the session on whose behalf the current call runs.

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use send_wrapper::SendWrapper;
use serde_json::Value;
use stampede_time::Nanos;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use super::preview::RequestPreview;
use super::request::PreparedRequest;
use super::wasi::{self, GuestClock, GuestOutput};
use crate::diagnostic::Span;
use crate::metrics::custom_metric::{MetricId, MetricKind};
use crate::metrics::sample::RowId;
use crate::net::Origin;
use crate::plugin::instance::budget::CallBudget;
use crate::plugin::instance::limits;
use crate::plugin::instance::worker_plugin::WorkerPlugin;
use crate::plugin::script_context::StepParams;
use crate::template::{Environment, Template, environment_names};
use crate::text::one_line;
use crate::user::{InstanceId, Session};

/// The data of one instance's store.
pub struct StoreData {
    /// Memory, tables and instances, enforced by wasmtime.
    pub limits: limits::StoreLimiter,
    /// Output that the guest prints.
    pub printed: GuestOutput,
    wasi: WasiCtx,
    resources: ResourceTable,
    // wasmtime-wasi requires store data that is `Send`. A store never leaves its worker thread, and this proves it: an
    // access from another thread panics instead of racing.
    guest: SendWrapper<GuestState>,
}

/// State that the guest's imports act on.
pub struct GuestState {
    /// The plugin, with its policy.
    pub worker_plugin: Rc<WorkerPlugin>,
    /// Templates by number.
    pub templates: Vec<Template>,
    /// Prepared requests by number.
    pub requests: Vec<PreparedRequest>,
    /// Metrics by number, and their kinds.
    pub metrics: Vec<(MetricId, MetricKind)>,
    /// Rows below steps by number.
    pub rows: Vec<DefinedRow>,
    /// Identity of the instance, for things of an instance that are kept with a user.
    pub instance: InstanceId,
    /// Bytes of the templates and requests prepared so far.
    pub prepared: usize,
    /// The step being configured; set while `configure` runs.
    pub configuring: Option<ConfigureContext>,
    /// The user that the current call is about.
    pub session: Option<Rc<Session>>,
    /// True when the call is `start` or `resume`, and so may act for the user.
    pub may_act: bool,
    /// True when the plugin needs the adapter of contract 0.1.1.
    pub speaks_v0_1_1: bool,
    /// True when the guest decodes content by itself, as those built for a contract before 0.1.3 do.
    pub decodes_itself: bool,
    /// WASI's clocks.
    clock: GuestClock,
    /// Time for the call under way.
    pub budget: CallBudget,
}

/// A row below a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DefinedRow {
    /// The row of the step.
    pub step: RowId,
    /// The row itself.
    pub row: RowId,
}

/// The length of a step's tasks and their connections, as its plugin declares them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepLifetime {
    /// The time for which a task lasts by design; `None` if it makes some requests and is over.
    pub lasts: Option<Nanos>,
    /// The most exchanges of a task at once to one host; 0 if the plugin does not say.
    pub connections: u16,
}

/// Facts about a step that are known while it is configured.
#[derive(Default)]
pub struct ConfigureContext {
    /// Its row in the report.
    pub row: RowId,
    /// The lifetime of its tasks, as far as the plugin has declared it.
    pub lifetime: StepLifetime,
    /// Every text among the step's parameters: files may be opened only if they stand here.
    pub texts: Vec<String>,
    /// The environment variables that these texts, or the keys beside them, read. Templates may read no others, because
    /// a plugin could send their values anywhere.
    pub environment: BTreeSet<String>,
    /// Values of these variables in this step, if they differ from those in other steps.
    pub environment_override: Option<Arc<Environment>>,
    /// The last template that did not compile, and the place of the error in it. Lets the host point at the script.
    pub template_error: Option<(String, Span)>,
}

impl ConfigureContext {
    /// Collects the facts about a step.
    pub fn new(step: &StepParams) -> Self {
        let mut context = Self { row: step.row, environment_override: step.environment.clone(), ..Self::default() };
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
    /// Creates the state of a new instance; nothing is granted.
    pub fn new(worker_plugin: Rc<WorkerPlugin>) -> Self {
        let (printed, time) = (GuestOutput::default(), GuestClock::default());
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(limits::RESOURCES);
        Self {
            limits: limits::StoreLimiter::new(worker_plugin.policy.limits.memory),
            wasi: wasi::context(&printed, &time),
            printed,
            resources,
            guest: SendWrapper::new(GuestState {
                instance: worker_plugin.next_instance_id(),
                worker_plugin,
                clock: time,
                templates: Vec::new(),
                requests: Vec::new(),
                metrics: Vec::new(),
                rows: Vec::new(),
                prepared: 0,
                configuring: None,
                session: None,
                may_act: false,
                speaks_v0_1_1: false,
                decodes_itself: false,
                budget: CallBudget::default(),
            }),
        }
    }

    /// Returns the state that the imports act on.
    pub fn guest(&mut self) -> &mut GuestState {
        &mut self.guest
    }

    /// Returns WASI's streams and the like.
    pub fn resources(&mut self) -> &mut ResourceTable {
        &mut self.resources
    }
}

impl GuestState {
    /// Begins a call about a user, whose secrets are redacted from the guest's texts in it; `acting` if the call may
    /// also act for the user.
    #[inline]
    pub fn enter(&mut self, session: &Rc<Session>, acting: bool) {
        self.clock.follow(session.shared.clock);
        self.session = Some(Rc::clone(session));
        self.may_act = acting;
    }

    /// Ends a call about a user.
    #[inline]
    pub fn leave(&mut self) {
        self.session = None;
        self.may_act = false;
    }

    /// Returns the current user.
    ///
    /// # Errors
    /// No task is running; the guest traps.
    pub fn session(&self) -> wasmtime::Result<&Rc<Session>> {
        let session = self.session.as_ref().filter(|_| self.may_act);
        session.ok_or_else(|| wasmtime::format_err!("this function may be called only while a task runs"))
    }

    /// Returns the user whom the current call is about, also in `cancel` and `forget-user`.
    ///
    /// # Errors
    /// The call is about no user; the guest traps.
    pub fn current_user(&self) -> wasmtime::Result<&Rc<Session>> {
        let session = self.session.as_ref();
        session.ok_or_else(|| wasmtime::format_err!("this function may be called only in a call about a user"))
    }

    /// Checks that the task may submit another operation.
    ///
    /// # Errors
    /// Too many are in flight, or have completed and were not fetched; the guest traps.
    pub fn check_operation_count(&self, session: &Session) -> wasmtime::Result<()> {
        let max = self.worker_plugin.policy.limits.operations;
        wasmtime::ensure!(session.task.operations.has_ids_left(), "a task may submit {} operations", u32::MAX);
        wasmtime::ensure!(session.task.operations.count() < max, "a task may have {max} operations at a time");
        Ok(())
    }

    /// Redacts the user's secrets from a text of the guest, cuts it and puts it on one line.
    pub fn redact_line(&self, text: &str) -> String {
        one_line(&match &self.session {
            Some(session) => session.redact(text),
            None => self.worker_plugin.script_context.secrets.excerpt(text, &[]),
        })
    }

    /// Logs a text of the guest, without the user's secrets. Lines beyond the limit per second are left out.
    pub fn log(&mut self, level: tracing::Level, text: &str) {
        // Without a session there is no clock; such lines count in the second of the last line with one.
        let second = self.session.as_ref().map(|session| session.shared.clock.now() / stampede_time::SECOND);
        let (mut counted_in, mut lines) = self.worker_plugin.log_lines.get();
        if let Some(second) = second.filter(|second| *second != counted_in) {
            (counted_in, lines) = (second, 0);
        }
        lines = lines.saturating_add(1);
        self.worker_plugin.log_lines.set((counted_in, lines));
        let (plugin, max_lines) = (&*self.worker_plugin.policy.name, self.worker_plugin.policy.limits.log_lines);
        if lines > max_lines {
            if lines == max_lines + 1 {
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

    /// Returns the step being configured.
    ///
    /// # Errors
    /// No step is being configured; the guest traps.
    pub fn configuring(&mut self) -> wasmtime::Result<&mut ConfigureContext> {
        self.configuring
            .as_mut()
            .ok_or_else(|| wasmtime::format_err!("this function may be called only within `configure`"))
    }

    /// Counts bytes towards the limit on prepared templates and bodies.
    ///
    /// # Errors
    /// The limit is exceeded; the guest traps.
    pub fn charge(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.prepared = self.prepared.saturating_add(bytes);
        wasmtime::ensure!(
            self.prepared <= limits::PREPARED,
            "a plugin may prepare {} MiB of templates and bodies",
            limits::PREPARED >> 20
        );
        Ok(())
    }

    /// Copies a template for a request, and counts its size.
    ///
    /// # Errors
    /// There is no template with that number, or the limit is exceeded; the guest traps.
    pub fn copy_template(&mut self, id: u32) -> wasmtime::Result<Template> {
        self.charge(self.template(id)?.memory_size())?;
        self.template(id).cloned()
    }

    /// Returns the origins that the prepared requests are known to go to.
    pub fn origins(&self) -> Vec<Rc<Origin>> {
        let base = self.worker_plugin.script_context.base_url.as_ref();
        self.requests.iter().filter_map(|request| request.known_origin(base)).collect()
    }

    /// Describes the last request that was prepared since there were `count`.
    pub fn preview_since(&self, count: usize) -> Option<RequestPreview> {
        let context = &self.worker_plugin.script_context;
        let last = self.requests.get(count..)?.last()?;
        Some(last.preview(context.base_url.as_ref(), &context.data))
    }

    /// Returns a row below the step of the current task.
    ///
    /// # Errors
    /// There is no row with that number, or it is one of another step; the guest traps.
    pub fn row(&self, id: u32, session: &Session) -> wasmtime::Result<RowId> {
        let defined = self.rows.get(id as usize).filter(|defined| defined.step == session.task.row());
        defined.map(|defined| defined.row).ok_or_else(|| wasmtime::format_err!("the step has no row {id}"))
    }

    /// Returns a prepared request by its number.
    ///
    /// # Errors
    /// There is no request with that number; the guest traps.
    pub fn request(&self, id: u32) -> wasmtime::Result<&PreparedRequest> {
        self.requests.get(id as usize).ok_or_else(|| wasmtime::format_err!("there is no prepared request {id}"))
    }

    /// Returns a template by its number.
    ///
    /// # Errors
    /// There is no template with that number; the guest traps.
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
    use crate::plugin::script_context::ScriptContext;
    use std::path::PathBuf;
    use std::sync::Arc;

    use crate::plugin::instance::worker_plugin::SharedNames;
    use crate::plugin::policy::PluginPolicy;

    use super::*;

    #[test]
    fn the_number_of_wasi_resources_is_limited() {
        let script_context = ScriptContext {
            data: DataSets::default(),
            environment: Environment::from_process([]),
            base_url: None,
            folder: PathBuf::new(),
            secrets: Arc::default(),
        };
        let mut state = StoreData::new(WorkerPlugin::new(
            PluginPolicy::new("guest"),
            Arc::new(script_context),
            &SharedNames::default(),
        ));
        for _ in 0..limits::RESOURCES {
            assert!(state.resources().push(0_u8).is_ok());
        }
        assert!(state.resources().push(0_u8).is_err());
    }
}
