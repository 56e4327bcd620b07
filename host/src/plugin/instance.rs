//! One instance of a plugin: instantiated, its steps configured, then called. Every call has a time budget; an error
//! from here means that the instance is dead.

use std::rc::Rc;

use wasmtime::Store;

use crate::diagnostic::Span;
use crate::http::Origin;
use crate::metrics::interval::one_line;
use crate::run::clock::Clock;

use super::bindings::{Plugin, PluginPre, Progress};
use super::family::Family;
use super::session::Session;
use super::state::{Configuring, State};
use super::{budget, limits};

/// What a step gives to its plugin.
#[derive(Debug)]
pub struct StepParams {
    /// The step's name, for the log.
    pub step: String,
    /// The action's name.
    pub action: String,
    /// The step's own keys as a JSON object.
    pub params: serde_json::Value,
}

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

/// A live instance.
pub struct Instance {
    store: Store<State>,
    guest: Plugin,
    family: Rc<Family>,
    /// The guest's numbers of the steps, in the order they were configured.
    steps: Vec<u32>,
    #[cfg(feature = "native-twin")]
    twin: bool,
}

/// One call in so many is timed; the rest are taken to be like it. Two clock readings cost more than some calls.
const TIMED: u64 = 16;

impl Instance {
    /// Instantiates; nothing is configured yet.
    ///
    /// # Errors
    /// The component wants an import that does not exist, or traps while it starts.
    pub fn new(pre: &PluginPre<State>, family: Rc<Family>) -> wasmtime::Result<Self> {
        let mut store = Store::new(pre.engine(), State::new(Rc::clone(&family)));
        store.limiter(|state| &mut state.limits);
        store.set_hostcall_fuel(family.terms.limits.copied);
        budget::enforce(&mut store);
        budget::grant(&mut store, limits::SET_UP);
        let guest = pre.instantiate(&mut store)?;
        Ok(Self {
            store,
            guest,
            family,
            steps: Vec::new(),
            #[cfg(feature = "native-twin")]
            twin: super::twin::chosen(),
        })
    }

    /// Configures the next step.
    ///
    /// # Errors
    /// See [`ConfigureError`].
    pub fn configure(&mut self, step: &StepParams) -> Result<(), ConfigureError> {
        budget::grant(&mut self.store, limits::SET_UP);
        self.store.data_mut().guest().configuring = Some(Configuring::new(&step.params));
        let (action, params) = (&step.action, step.params.to_string());
        let result = self.guest.stampede_plugin_action().call_configure(&mut self.store, action, &params);
        let result = self.drained(result);
        let configuring = self.store.data_mut().guest().configuring.take();
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
    pub fn describe(&mut self) -> wasmtime::Result<super::bindings::Description> {
        budget::grant(&mut self.store, limits::SET_UP);
        let result = self.guest.stampede_plugin_action().call_describe(&mut self.store);
        self.drained(result)
    }

    /// Begins a task for a user: `step` is the index among the steps configured.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn start(&mut self, session: &Rc<Session>, step: usize, task: u32) -> wasmtime::Result<Progress> {
        let step = self.steps[step];
        #[cfg(feature = "native-twin")]
        if self.twin {
            return super::twin::start(self.store.data_mut(), session, step);
        }
        self.task_call(session, |guest, store| guest.stampede_plugin_action().call_start(store, step, task))
    }

    /// Says that an operation has ended.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn resume(&mut self, session: &Rc<Session>, task: u32, operation: u32) -> wasmtime::Result<Progress> {
        #[cfg(feature = "native-twin")]
        if self.twin {
            return super::twin::resume(self.store.data_mut(), session, operation);
        }
        self.task_call(session, |guest, store| guest.stampede_plugin_action().call_resume(store, task, operation))
    }

    /// Says that a task of the user is over.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn cancel(&mut self, session: &Rc<Session>, task: u32) -> wasmtime::Result<()> {
        self.call(session, false, |guest, store| guest.stampede_plugin_action().call_cancel(store, task))
    }

    /// Says that a user is gone.
    ///
    /// # Errors
    /// It trapped; the instance is dead.
    pub fn forget_user(&mut self, session: &Rc<Session>) -> wasmtime::Result<()> {
        self.call(session, false, |guest, store| guest.stampede_plugin_action().call_forget_user(store, session.id))
    }

    /// The origins that the prepared requests are known to go to.
    pub fn origins(&mut self) -> Vec<Rc<Origin>> {
        self.store.data_mut().guest().origins()
    }

    /// A call on behalf of a task, which may act for the user.
    fn task_call<T>(
        &mut self,
        session: &Rc<Session>,
        call: impl FnOnce(&Plugin, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        let calls = self.family.usage.calls.get();
        let clock: Option<Clock> = calls.is_multiple_of(TIMED).then_some(session.shared.clock);
        let begun = clock.map_or(0, |clock| clock.now());
        let result = self.call(session, true, call);
        let usage = &self.family.usage;
        if let Some(clock) = clock {
            usage.timed.set(usage.timed.get() + (clock.now() - begun) * TIMED);
        }
        usage.calls.set(calls + 1);
        result
    }

    /// A call that has to do with a user, whose secrets are kept out of what the guest says in it; `acting` if it may
    /// also act for the user.
    fn call<T>(
        &mut self,
        session: &Rc<Session>,
        acting: bool,
        call: impl FnOnce(&Plugin, &mut Store<State>) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        budget::grant(&mut self.store, self.family.terms.limits.call);
        // Each look at the guest's data proves that this is its thread, which has its price.
        let guest = self.store.data_mut().guest();
        guest.session = Some(Rc::clone(session));
        guest.acting = acting;
        let result = call(&self.guest, &mut self.store);
        let result = self.drained(result);
        let guest = self.store.data_mut().guest();
        guest.session = None;
        guest.acting = false;
        result
    }

    /// Logs what the guest printed in a call that has just returned.
    fn drained<T>(&mut self, result: wasmtime::Result<T>) -> wasmtime::Result<T> {
        let Some(printed) = self.store.data().printed.take() else { return result };
        let guest = self.store.data_mut().guest();
        // A panic prints its message before it traps: it is the reason.
        if let Err(trap) = result {
            return Err(trap.context(guest.clean(&reason(&printed))));
        }
        printed.lines().filter(|line| !line.is_empty()).for_each(|line| guest.log(tracing::Level::DEBUG, line));
        result
    }
}

/// What a guest printed before it trapped, on one line, without the hints that its language adds for programs of one's
/// own.
fn reason(printed: &str) -> String {
    let lines = printed.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("note: "));
    lines.collect::<Vec<_>>().join(" ")
}
