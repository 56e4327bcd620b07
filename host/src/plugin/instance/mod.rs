//! One instance of a plugin: created, its steps configured, then called. Only this module distinguishes components from
//! native libraries, so that users and steps need not know which of them a plugin is. An error from an instance means
//! that it is dead.
//!
//! | file | contents |
//! |---|---|
//! | `engine` | the WebAssembly engine, and the thread that advances its epoch |
//! | `sandboxed_instance` | one instance of a component, in a store of its own |
//! | `budget` | processor time of a call |
//! | `limits` | limits of an instance: those that the script sets, and fixed ones |
//! | `restarting_instance` | an instance that is replaced after a trap |
//! | `worker_plugin` | one plugin on one worker: state that outlives its instances |
//! | `metric_registry` | names of the plugins' metrics |
//! | `row_registry` | rows below steps |
//! | `error_text` | errors of the engine as a line of text |
//! | `native_baseline` | the `http` action without WebAssembly, for benchmarks |

pub(crate) mod budget;
pub(crate) mod engine;
pub(crate) mod error_text;
pub(crate) mod limits;
pub(crate) mod metric_registry;
#[cfg(feature = "native-twin")]
pub(crate) mod native_baseline;
pub mod restarting_instance;
pub(crate) mod row_registry;
pub(crate) mod sandboxed_instance;
pub mod worker_plugin;

use std::rc::Rc;
use std::sync::Arc;

use stampede_time::Clock;

use super::contract::bindings::{Description, PluginPre, Progress};
use super::contract::preview::RequestPreview;
use super::contract::state::{ConfigureContext, StepLifetime, StoreData};
use super::instance::sandboxed_instance::SandboxedInstance;
use super::instance::worker_plugin::WorkerPlugin;
use super::native::{self, NativeLibrary};
use crate::diagnostic::Span;
use crate::net::Origin;
use crate::plugin::script_context::StepParams;
use crate::text::one_line;
use crate::user::{InstanceId, Session};

/// The reason why a step could not be configured.
pub enum ConfigureError {
    /// The parameters are not valid.
    Params(Box<ParamsError>),
    /// The plugin trapped.
    Trap(wasmtime::Error),
}

/// An error in a step's parameters.
#[derive(Debug)]
pub struct ParamsError {
    /// JSON pointer to the value.
    pub pointer: String,
    /// The message.
    pub message: String,
    /// The fix, if known.
    pub help: Option<String>,
    /// Place within the value, in bytes, if it is a malformed template.
    pub span: Option<Span>,
}

/// The code of a plugin, from which instances are made.
pub enum PluginCode {
    /// A component, linked and compiled.
    Component(ComponentCode),
    /// A shared library, which runs outside the sandbox.
    Native(Arc<NativeLibrary>),
}

/// A linked and compiled component.
pub struct ComponentCode {
    /// The component with its imports linked.
    pub pre: PluginPre<StoreData>,
    /// True when it was built for contract 0.1.0 or 0.1.1 and needs their adapter.
    pub speaks_v0_1_1: bool,
    /// True when it was built for a contract before 0.1.3: content that it keeps is decoded only if it asks for that.
    pub decodes_itself: bool,
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

/// One call in this many is timed, and stands for the others. Two clock readings cost more than some calls.
const TIMING_INTERVAL: u64 = 16;

impl Instance {
    /// Creates an instance; nothing is configured yet.
    ///
    /// # Errors
    /// A component needs an import that does not exist, or traps while it starts; a library cannot create an instance.
    pub fn new(code: &PluginCode, worker_plugin: Rc<WorkerPlugin>) -> wasmtime::Result<Self> {
        let mut state = StoreData::new(Rc::clone(&worker_plugin));
        let backend = match code {
            PluginCode::Component(ComponentCode { pre, speaks_v0_1_1, decodes_itself }) => {
                (state.guest().speaks_v0_1_1, state.guest().decodes_itself) = (*speaks_v0_1_1, *decodes_itself);
                Backend::Sandboxed(Box::new(SandboxedInstance::new(pre, state)?))
            }
            PluginCode::Native(library) => Backend::Native(native::NativeInstance::new(library, state)?),
        };
        Ok(Self { backend, worker_plugin, steps: Vec::new() })
    }

    /// Configures the next step. Returns what the plugin declares about its tasks.
    ///
    /// # Errors
    /// See [`ConfigureError`].
    pub fn configure(&mut self, step: &StepParams) -> Result<StepLifetime, ConfigureError> {
        self.state().guest().configuring = Some(ConfigureContext::new(step));
        let result = match &mut self.backend {
            Backend::Sandboxed(guest) => guest.configure(&step.action, &step.json),
            Backend::Native(native) => native.configure(&step.action, &step.json),
        };
        let configuring = self.state().guest().configuring.take();
        match result {
            Err(trap) => Err(ConfigureError::Trap(trap)),
            Ok(Ok(id)) => {
                self.steps.push(id);
                Ok(configuring.map(|step| step.lifetime).unwrap_or_default())
            }
            Ok(Err(error)) => {
                let value = step.params.pointer(&error.pointer).and_then(serde_json::Value::as_str);
                let template_error = configuring.and_then(|step| step.template_error);
                let span = template_error.filter(|(text, _)| Some(text.as_str()) == value).map(|(_, span)| span);
                let (message, help) = (one_line(&error.message), error.help.map(|help| one_line(&help)));
                let pointer = error.pointer;
                Err(ConfigureError::Params(Box::new(ParamsError { pointer, message, help, span })))
            }
        }
    }

    /// Returns the plugin's description of itself.
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
        self.task_call(session, |backend| match backend {
            Backend::Sandboxed(guest) => guest.start(session, step, task),
            Backend::Native(native) => native.start(session, step, task),
        })
    }

    /// Tells the plugin that an operation has completed.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn resume(&mut self, session: &Rc<Session>, task: u32, operation: u32) -> wasmtime::Result<Progress> {
        self.task_call(session, |backend| match backend {
            Backend::Sandboxed(guest) => guest.resume(session, task, operation),
            Backend::Native(native) => native.resume(session, task, operation),
        })
    }

    /// Tells the plugin that a pending task is over.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn cancel(&mut self, session: &Rc<Session>, task: u32) -> wasmtime::Result<()> {
        match &mut self.backend {
            Backend::Sandboxed(guest) => guest.cancel(session, task),
            Backend::Native(native) => native.cancel(session, task),
        }
    }

    /// Tells the plugin that a user is gone.
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

    /// Returns the origins that the prepared requests are known to go to.
    pub fn origins(&mut self) -> Vec<Rc<Origin>> {
        self.state().guest().origins()
    }

    /// Returns the number of requests prepared so far.
    pub fn prepared_requests(&mut self) -> usize {
        self.state().guest().requests.len()
    }

    /// Describes the last request that was prepared since there were `count`.
    pub fn preview_since(&mut self, count: usize) -> Option<RequestPreview> {
        self.state().guest().preview_since(count)
    }

    /// Returns the identity of the instance.
    pub fn id(&mut self) -> InstanceId {
        self.state().guest().instance
    }

    /// Returns the state that the capabilities act on.
    fn state(&mut self) -> &mut StoreData {
        match &mut self.backend {
            Backend::Sandboxed(guest) => guest.state(),
            Backend::Native(native) => native.state(),
        }
    }

    /// Calls the plugin on behalf of a task, and times some of the calls.
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
