//! One instance of a plugin: made, its steps configured, then called. What the calls lead to, a component or a native
//! library, is told apart here and nowhere else. An error from here means that the instance is dead.

pub mod budget;
pub mod engine;
pub mod error_text;
pub mod limits;
pub mod metrics;
#[cfg(feature = "native-twin")]
pub mod native_baseline;
pub mod restarting_instance;
pub mod sandboxed;
pub mod worker_plugin;

use std::rc::Rc;
use std::sync::Arc;

use stampede_time::Clock;

use super::contract::bindings::{Description, PluginPre, Progress};
use super::contract::state::{Configuring, State};
use super::instance::sandboxed::Sandboxed;
use super::instance::worker_plugin::Family;
use super::native::{self, Library};
use crate::diagnostic::Span;
use crate::net::Origin;
use crate::plugin::scripting::StepParams;
use crate::text::one_line;
use crate::user::{InstanceId, Session};

/// Why a step could not be configured.
pub enum ConfigureError {
    /// The parameters are wrong, and where: JSON pointer, message, help, and the place within a text that is no
    /// template.
    Params(Box<Mistake>),
    /// The plugin trapped.
    Trap(wasmtime::Error),
}

/// What is wrong with a step's parameters.
#[derive(Debug)]
pub struct Mistake {
    /// JSON pointer to the value.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
    /// The fix, if known.
    pub help: Option<String>,
    /// Bytes within the value, if it is a text that is no template.
    pub within: Option<Span>,
}

/// What instances are made from.
pub enum Code {
    /// A component, linked and compiled.
    Component(PluginPre<State>),
    /// A shared library, which nothing holds.
    Native(Arc<Library>),
}

/// A live instance.
pub struct Instance {
    made: Made,
    family: Rc<Family>,
    /// The plugin's numbers of the steps, in the order they were configured.
    steps: Vec<u32>,
}

enum Made {
    Sandboxed(Box<Sandboxed>),
    Native(native::Instance),
}

/// One call in so many is timed; the rest are taken to be like it. Two clock readings cost more than some calls.
const TIMED: u64 = 16;

impl Instance {
    /// Makes one; nothing is configured yet.
    ///
    /// # Errors
    /// A component wants an import that does not exist, or traps while it starts; a library cannot make one.
    pub fn new(code: &Code, family: Rc<Family>) -> wasmtime::Result<Self> {
        let state = State::new(Rc::clone(&family));
        let made = match code {
            Code::Component(pre) => Made::Sandboxed(Box::new(Sandboxed::new(pre, state)?)),
            Code::Native(library) => Made::Native(native::Instance::new(library, state)?),
        };
        Ok(Self { made, family, steps: Vec::new() })
    }

    /// Configures the next step.
    ///
    /// # Errors
    /// See [`ConfigureError`].
    pub fn configure(&mut self, step: &StepParams) -> Result<(), ConfigureError> {
        self.state().guest().configuring = Some(Configuring::new(step));
        let params = step.params.to_string();
        let result = match &mut self.made {
            Made::Sandboxed(guest) => guest.configure(&step.action, &params),
            Made::Native(native) => native.configure(&step.action, &params),
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
                let mistake = configuring.and_then(|step| step.mistake);
                let within = mistake.filter(|(text, _)| Some(text.as_str()) == wrong).map(|(_, span)| span);
                let (message, help) = (one_line(&error.message), error.help.map(|help| one_line(&help)));
                let pointer = error.pointer;
                Err(ConfigureError::Params(Box::new(Mistake { pointer, message, help, within })))
            }
        }
    }

    /// What the plugin says it is.
    ///
    /// # Errors
    /// It trapped.
    pub fn describe(&mut self) -> wasmtime::Result<Description> {
        match &mut self.made {
            Made::Sandboxed(guest) => guest.describe(),
            Made::Native(native) => native.describe(),
        }
    }

    /// Begins a task for a user: `step` is the index among the steps configured.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn start(&mut self, session: &Rc<Session>, step: usize, task: u32) -> wasmtime::Result<Progress> {
        let step = self.steps[step];
        self.task_call(session, |made| match made {
            Made::Sandboxed(guest) => guest.start(session, step, task),
            Made::Native(native) => native.start(session, step, task),
        })
    }

    /// Says that an operation has ended.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn resume(&mut self, session: &Rc<Session>, task: u32, operation: u32) -> wasmtime::Result<Progress> {
        self.task_call(session, |made| match made {
            Made::Sandboxed(guest) => guest.resume(session, task, operation),
            Made::Native(native) => native.resume(session, task, operation),
        })
    }

    /// Says that a task of the user is over.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn cancel(&mut self, session: &Rc<Session>, task: u32) -> wasmtime::Result<()> {
        match &mut self.made {
            Made::Sandboxed(guest) => guest.cancel(session, task),
            Made::Native(native) => native.cancel(session, task),
        }
    }

    /// Says that a user is gone.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn forget_user(&mut self, session: &Rc<Session>) -> wasmtime::Result<()> {
        let memory = self.state().limits.memory();
        self.family.usage.memory.set(memory);
        match &mut self.made {
            Made::Sandboxed(guest) => guest.forget_user(session),
            Made::Native(native) => native.forget_user(session),
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
    fn state(&mut self) -> &mut State {
        match &mut self.made {
            Made::Sandboxed(guest) => guest.state(),
            Made::Native(native) => native.state(),
        }
    }

    /// A call on behalf of a task, which may act for the user.
    #[inline]
    fn task_call<T>(
        &mut self,
        session: &Rc<Session>,
        call: impl FnOnce(&mut Made) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        let calls = self.family.usage.calls.get();
        let clock: Option<Clock> = calls.is_multiple_of(TIMED).then_some(session.shared.clock);
        let begun = clock.map_or(0, |clock| clock.now());
        let result = call(&mut self.made);
        let usage = &self.family.usage;
        if let Some(clock) = clock {
            usage.timed.set(usage.timed.get() + (clock.now() - begun) * TIMED);
        }
        usage.calls.set(calls + 1);
        result
    }
}
