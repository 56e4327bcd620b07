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
use super::wasi::{self, Printed, Time};
use crate::diagnostic::Span;
use crate::metrics::custom::{MetricId, MetricKind};
use crate::net::Origin;
use crate::plugin::instance::budget::Budget;
use crate::plugin::instance::limits;
use crate::plugin::instance::worker_plugin::Family;
use crate::plugin::scripting::StepParams;
use crate::template::{Environment, Template, environment_names};
use crate::text::one_line;
use crate::user::{InstanceId, Session};

/// The data of one instance's store.
pub struct State {
    /// Memory, tables and instances, enforced by wasmtime.
    pub limits: limits::Limiter,
    /// What the guest prints.
    pub printed: Printed,
    wasi: WasiCtx,
    resources: ResourceTable,
    // wasmtime-wasi wants store data that is `Send`. A store never leaves its worker thread, and this proves it: an
    // access from another thread panics instead of racing.
    guest: SendWrapper<Guest>,
}

/// What the guest's imports act on.
pub struct Guest {
    /// The plugin, and what it may do.
    pub family: Rc<Family>,
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
    pub configuring: Option<Configuring>,
    /// The user that the current call has to do with.
    pub session: Option<Rc<Session>>,
    /// Whether the call is `start` or `resume`, and so may act for the user.
    pub acting: bool,
    /// WASI's clocks.
    time: Time,
    /// Time for the call under way.
    pub budget: Budget,
}

/// What is known while a step is configured.
#[derive(Default)]
pub struct Configuring {
    /// Every text among the step's parameters: files may be opened only if they stand here.
    pub texts: Vec<String>,
    /// The environment variables that these texts, or the keys beside them, read: templates may read no others, for a
    /// plugin could send them anywhere.
    pub environment: BTreeSet<String>,
    /// What these give, if that is not what they give in other steps.
    pub own: Option<Arc<Environment>>,
    /// The last text that did not compile, and where in it the mistake is. Lets the host point at the script.
    pub mistake: Option<(String, Span)>,
}

impl Configuring {
    /// What is known from the step.
    pub fn new(step: &StepParams) -> Self {
        let mut known = Self { own: step.environment.clone(), ..Self::default() };
        known.collect(&step.params);
        known
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

impl State {
    /// A fresh state; nothing is granted.
    pub fn new(family: Rc<Family>) -> Self {
        let (printed, time) = (Printed::default(), Time::default());
        let mut resources = ResourceTable::new();
        resources.set_max_capacity(limits::RESOURCES);
        Self {
            limits: limits::Limiter::new(family.terms.limits.memory),
            wasi: wasi::context(&printed, &time),
            printed,
            resources,
            guest: SendWrapper::new(Guest {
                instance: family.next_instance(),
                family,
                time,
                templates: Vec::new(),
                requests: Vec::new(),
                metrics: Vec::new(),
                prepared: 0,
                configuring: None,
                session: None,
                acting: false,
                budget: Budget::default(),
            }),
        }
    }

    /// What the imports act on.
    pub fn guest(&mut self) -> &mut Guest {
        &mut self.guest
    }

    /// WASI's streams and the like.
    pub fn resources(&mut self) -> &mut ResourceTable {
        &mut self.resources
    }
}

impl Guest {
    /// Begins a call that has to do with a user, whose secrets are kept out of what the guest says in it; `acting` if it
    /// may also act for the user.
    #[inline]
    pub fn enter(&mut self, session: &Rc<Session>, acting: bool) {
        self.time.goes_by(session.shared.clock);
        self.session = Some(Rc::clone(session));
        self.acting = acting;
    }

    /// Such a call is over.
    #[inline]
    pub fn leave(&mut self) {
        self.session = None;
        self.acting = false;
    }

    /// The current user.
    ///
    /// # Errors
    /// No task is running; the guest traps.
    pub fn session(&self) -> wasmtime::Result<&Rc<Session>> {
        let session = self.session.as_ref().filter(|_| self.acting);
        session.ok_or_else(|| wasmtime::format_err!("this function may be called only while a task runs"))
    }

    /// Checks that the task may submit another operation.
    ///
    /// # Errors
    /// Too many are in flight, or have ended and not been asked for; the guest traps.
    pub fn room_for_one_more(&self, session: &Session) -> wasmtime::Result<()> {
        let most = self.family.terms.limits.operations;
        wasmtime::ensure!(session.task.has_numbers(), "a task may submit {} operations", u32::MAX);
        wasmtime::ensure!(session.task.kept() < most, "a task may have {most} operations at a time");
        Ok(())
    }

    /// A text from the guest without the user's secrets, cut to what is shown, on one line.
    pub fn clean(&self, text: &str) -> String {
        one_line(&match &self.session {
            Some(session) => session.redact(text),
            None => self.family.scripting.secrets.shown(text, &[]),
        })
    }

    /// Logs what the guest wants logged: without the user's secrets, and no more than so many lines a second.
    pub fn log(&mut self, level: tracing::Level, text: &str) {
        // Without a session there is no clock; such lines count towards the second of the last one.
        let second = self.session.as_ref().map(|session| session.shared.clock.now() / 1_000_000_000);
        let (mut counted_in, mut lines) = self.family.log_lines.get();
        if let Some(second) = second.filter(|second| *second != counted_in) {
            (counted_in, lines) = (second, 0);
        }
        lines = lines.saturating_add(1);
        self.family.log_lines.set((counted_in, lines));
        let (plugin, most) = (&*self.family.terms.name, self.family.terms.limits.log_lines);
        if lines > most {
            if lines == most + 1 {
                tracing::warn!(plugin, "more log lines in this second are left out");
            }
            return;
        }
        let line = self.clean(text);
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
    pub fn configuring(&mut self) -> wasmtime::Result<&mut Configuring> {
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
    pub fn copy(&mut self, id: u32) -> wasmtime::Result<Template> {
        self.charge(self.template(id)?.bytes())?;
        self.template(id).cloned()
    }

    /// The origins that the prepared requests are known to go to.
    pub fn origins(&self) -> Vec<Rc<Origin>> {
        let base = self.family.scripting.base_url.as_ref();
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

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.resources }
    }
}

#[cfg(test)]
mod tests {
    use crate::data::DataSets;
    use crate::plugin::scripting::Scripting;
    use std::path::PathBuf;
    use std::sync::Arc;

    use crate::plugin::instance::worker_plugin::Names;
    use crate::plugin::policy::Terms;

    use super::*;

    #[test]
    fn an_instance_holds_so_many_resources_of_wasi_and_no_more() {
        let scripting = Scripting {
            data: DataSets::default(),
            environment: Environment::of_process([]),
            base_url: None,
            folder: PathBuf::new(),
            secrets: Arc::default(),
        };
        let mut state = State::new(Family::new(Terms::new("guest"), Arc::new(scripting), &Names::default()));
        for _ in 0..limits::RESOURCES {
            assert!(state.resources().push(0_u8).is_ok());
        }
        assert!(state.resources().push(0_u8).is_err());
    }
}
