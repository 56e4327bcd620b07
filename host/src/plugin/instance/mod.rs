//! One instance of a plugin: made, its steps configured, then called. What the calls lead to, a component or a native
//! library, is told apart here and nowhere else. An error from here means that the instance is dead.

pub mod budget;
pub mod engine;
pub mod error_text;
pub mod limits;
pub mod metric_registry;
#[cfg(feature = "native-twin")]
pub mod native_baseline;
pub mod restarting_instance;
pub mod sandboxed_instance;
pub mod worker_plugin;

use std::rc::Rc;
use std::sync::Arc;

use stampede_time::Clock;

use super::contract::bindings::{Description, PluginPre, Progress};
use super::contract::state::{ConfigureContext, StoreData};
use super::instance::sandboxed_instance::SandboxedInstance;
use super::instance::worker_plugin::WorkerPlugin;
use super::native::{self, NativeLibrary};
use crate::diagnostic::Span;
use crate::net::Origin;
use crate::plugin::scripting::StepParams;
use crate::text::error_chain;
use crate::user::{InstanceId, Session};

/// Why a step could not be configured.
pub enum ConfigureError {
    /// The parameters are wrong, and where: JSON pointer, message, help, and the place within a text that is no
    /// template.
    Params(Box<ParamsError>),
    /// The plugin trapped.
    Trap(wasmtime::Error),
}

/// What is wrong with a step's parameters.
#[derive(Debug)]
pub struct ParamsError {
    /// JSON pointer to the value.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// The fix, if known.
    pub help: Option<String>,
    /// Bytes within the value, if it is a text that is no template.
    pub span: Option<Span>,
}

/// What instances are made from.
pub enum PluginCode {
    /// A component, linked and compiled.
    Component(PluginPre<StoreData>),
    /// A shared library, which nothing holds.
    Native(Arc<NativeLibrary>),
}

/// A live instance.
pub struct Instance {
    backend: Backend,
    worker_plugin: Rc<WorkerPlugin>,
    /// The plugin's numbers of the steps, in the order they were configured.
    steps: Vec<u32>,
}

enum Backend {
    Sandboxed(Box<SandboxedInstance>),
    Native(native::NativeInstance),
}

/// One call in so many is timed; the rest are taken to be like it. Two clock readings cost more than some calls.
const TIMING_INTERVAL: u64 = 16;

impl Instance {
    /// Makes one; nothing is configured yet.
    ///
    /// # Errors
    /// A component wants an import that does not exist, or traps while it starts; a library cannot make one.
    pub fn new(code: &PluginCode, family: Rc<WorkerPlugin>) -> wasmtime::Result<Self> {
        let state = StoreData::new(Rc::clone(&family));
        let backend = match code {
            PluginCode::Component(pre) => Backend::Sandboxed(Box::new(SandboxedInstance::new(pre, state)?)),
            PluginCode::Native(library) => Backend::Native(native::NativeInstance::new(library, state)?),
        };
        Ok(Self { backend: backend, worker_plugin: family, steps: Vec::new() })
    }

    /// Configures the next step.
    ///
    /// # Errors
    /// See [`ConfigureError`].
    pub fn configure(&mut self, step: &StepParams) -> Result<(), ConfigureError> {
        self.state().guest().configuring = Some(ConfigureContext::new(step));
        let params = step.params.to_string();
        let result = match &mut self.backend {
            Backend::Sandboxed(guest) => guest.configure(&step.action, &params),
            Backend::Native(native) => native.configure(&step.action, &params),
        };
        let configuring = self.state().guest().configuring.take();
        match result {
            Err(trap) => Err(ConfigureError::Trap(trap)),
            Ok(Ok(id)) => {
                self.steps.push(id);
                Ok(())
            }
            Ok(Err(error)) => {
                let wrong = step.params.pointer(&error.pointer).and_then(serde_json::Value::as_str);
                let mistake = configuring.and_then(|step| step.template_error);
                let within = mistake.filter(|(text, _)| Some(text.as_str()) == wrong).map(|(_, span)| span);
                let (message, help) = (error_chain(&error.message), error.help.map(|help| error_chain(&help)));
                let pointer = error.pointer;
                Err(ConfigureError::Params(Box::new(ParamsError { pointer, message, help, span: within })))
            }
        }
    }

    /// What the plugin says it is.
    ///
    /// # Errors
    /// It trapped.
    pub fn describe(&mut self) -> wasmtime::Result<Description> {
        match &mut self.backend {
            Backend::Sandboxed(guest) => guest.describe(),
            Backend::Native(native) => native.describe(),
        }
    }

    /// Begins a task for a user: `step` is the index among the steps configured.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn start(&mut self, session: &Rc<Session>, step: usize, task: u32) -> wasmtime::Result<Progress> {
        let step = self.steps[step];
        self.task_call(session, |made| match made {
            Backend::Sandboxed(guest) => guest.start(session, step, task),
            Backend::Native(native) => native.start(session, step, task),
        })
    }

    /// Says that an operation has ended.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn resume(&mut self, session: &Rc<Session>, task: u32, operation: u32) -> wasmtime::Result<Progress> {
        self.task_call(session, |made| match made {
            Backend::Sandboxed(guest) => guest.resume(session, task, operation),
            Backend::Native(native) => native.resume(session, task, operation),
        })
    }

    /// Says that a task of the user is over.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn cancel(&mut self, session: &Rc<Session>, task: u32) -> wasmtime::Result<()> {
        match &mut self.backend {
            Backend::Sandboxed(guest) => guest.cancel(session, task),
            Backend::Native(native) => native.cancel(session, task),
        }
    }

    /// Says that a user is gone.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn forget_user(&mut self, session: &Rc<Session>) -> wasmtime::Result<()> {
        let memory = self.state().limits.memory();
        self.worker_plugin.usage.memory.set(memory);
        match &mut self.backend {
            Backend::Sandboxed(guest) => guest.forget_user(session),
            Backend::Native(native) => native.forget_user(session),
        }
    }

    /// The origins that the prepared requests are known to go to.
    pub fn origins(&mut self) -> Vec<Rc<Origin>> {
        self.state().guest().origins()
    }

    /// Which of the plugin's instances it is.
    pub fn id(&mut self) -> InstanceId {
        self.state().guest().instance
    }

    /// What the capabilities act on.
    fn state(&mut self) -> &mut StoreData {
        match &mut self.backend {
            Backend::Sandboxed(guest) => guest.state(),
            Backend::Native(native) => native.state(),
        }
    }

    /// A call on behalf of a task, which may act for the user.
    #[inline]
    fn task_call<T>(
        &mut self,
        session: &Rc<Session>,
        call: impl FnOnce(&mut Backend) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        let calls = self.worker_plugin.usage.calls.get();
        let clock: Option<Clock> = calls.is_multiple_of(TIMING_INTERVAL).then_some(session.shared.clock);
        let start = clock.map_or(0, |clock| clock.now());
        let result = call(&mut self.backend);
        let usage = &self.worker_plugin.usage;
        if let Some(clock) = clock {
            usage.guest_time.set(usage.guest_time.get() + (clock.now() - start) * TIMING_INTERVAL);
        }
        usage.calls.set(calls + 1);
        result
    }
}
