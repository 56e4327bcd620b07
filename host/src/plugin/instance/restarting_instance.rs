//! The instance of a plugin that some users share: all of a worker, or one alone. A trap kills the instance, not the
//! run: the next task gets a new one, and the tasks that were pending in the old one learn of its end when they would go
//! on.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::worker_plugin::Family;
use super::{ConfigureError, Instance, budget};
use crate::plugin::contract::bindings::Progress;
use crate::plugin::instance::error_text::error_text;
use crate::plugin::load::registry::Loaded;
use crate::plugin::scripting::StepParams;
use crate::user::Session;

/// The instance is gone; the task that was told so has failed. The text is for the report.
#[derive(Debug)]
pub struct Lost(pub String);

/// A task that has been started in a replica.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    /// Its number.
    task: u32,
    /// The index of its step among the plugin's.
    step: usize,
    /// Which instance of the replica it runs in; grows with every replacement.
    generation: u64,
}

/// An instance, and what it takes to make another one.
pub struct Replica {
    plugin: Arc<Loaded>,
    steps: Arc<[StepParams]>,
    family: Rc<Family>,
    instance: Option<Instance>,
    generation: u64,
}

impl Replica {
    /// A replica whose instance is made when the first task needs it.
    pub const fn new(plugin: Arc<Loaded>, steps: Arc<[StepParams]>, family: Rc<Family>) -> Self {
        Self { plugin, steps, family, instance: None, generation: 0 }
    }

    /// Makes the instance and configures its steps, unless that is done.
    ///
    /// # Errors
    /// The plugin does not start or no longer takes the steps it took when the script was checked.
    pub fn ready(&mut self) -> Result<&mut Instance, Lost> {
        let instance = match self.instance.take() {
            Some(instance) => instance,
            None => {
                let (made, took) = budget::timed(|| self.configured());
                self.family.was_set_up(took);
                made.map_err(|message| {
                    let message = self.family.scripting.secrets.blot(&message, &[]);
                    self.log_once(None, &message);
                    Lost(format!("plugin `{}`: {message}", self.family.terms.name))
                })?
            }
        };
        Ok(self.instance.insert(instance))
    }

    /// Begins a task.
    ///
    /// # Errors
    /// The guest trapped.
    #[inline(never)] // So that its instructions can be counted: `cargo xtask instructions`.
    pub fn start(&mut self, session: &Rc<Session>, step: usize, task: u32) -> Result<(Progress, Begun), Lost> {
        let replaced = self.generation > 0;
        let instance = self.ready()?;
        if replaced {
            session.sockets.outlive(instance.id());
        }
        let result = instance.start(session, step, task);
        let begun = Begun { task, step, generation: self.generation };
        Ok((self.survived(result, step)?, begun))
    }

    /// Says that an operation of a task has ended.
    ///
    /// # Errors
    /// The guest trapped, now or in another task since this one began.
    #[inline(never)] // As above.
    pub fn resume(&mut self, session: &Rc<Session>, begun: Begun, operation: u32) -> Result<Progress, Lost> {
        if begun.generation != self.generation {
            add(&self.family.usage.collateral, 1);
            return Err(Lost(format!("plugin `{}` trapped in another user's action", self.family.terms.name)));
        }
        let result = self.ready()?.resume(session, begun.task, operation);
        self.survived(result, begun.step)
    }

    /// Says that a pending task is over. A trap in here hurts nobody but the tasks that are still pending.
    pub fn cancel(&mut self, session: &Rc<Session>, begun: Begun) {
        if let Some(instance) = self.instance.as_mut().filter(|_| begun.generation == self.generation) {
            let result = instance.cancel(session, begun.task);
            let _ = self.survived(result, begun.step);
        }
    }

    /// Says that a user is gone.
    pub fn forget_user(&mut self, session: &Rc<Session>) {
        if let Some(instance) = self.instance.as_mut() {
            let result = instance.forget_user(session);
            let _ = self.survived(result, None);
        }
    }

    fn configured(&self) -> Result<Instance, String> {
        let mut instance =
            Instance::new(&self.plugin.code, Rc::clone(&self.family)).map_err(|error| error_text(&error))?;
        for step in self.steps.iter() {
            instance.configure(step).map_err(|error| match error {
                ConfigureError::Params(mistake) => mistake.message,
                ConfigureError::Trap(trap) => error_text(&trap),
            })?;
        }
        Ok(instance)
    }

    fn survived<T>(&mut self, result: wasmtime::Result<T>, step: impl Into<Option<usize>>) -> Result<T, Lost> {
        result.map_err(|trap| {
            self.instance = None;
            self.generation += 1;
            add(&self.family.usage.traps, 1);
            self.log_once(step.into(), &format!("{trap:?}"));
            Lost(format!("plugin `{}` trapped: {}", self.family.terms.name, error_text(&trap)))
        })
    }

    /// Logs why an instance was lost, in which step and with the guest's backtrace; once for each plugin, for the first
    /// says it all and a storm would drown it.
    fn log_once(&self, step: Option<usize>, what: &str) {
        if self.plugin.trap_logged.swap(true, Ordering::Relaxed) {
            return;
        }
        let (plugin, what) = (&*self.family.terms.name, self.family.scripting.secrets.blot(what, &[]));
        match step.and_then(|step| self.steps.get(step)) {
            Some(StepParams { action, step, .. }) => tracing::error!(plugin, action, step, "{what}"),
            None => tracing::error!(plugin, "{what}"),
        }
    }
}

fn add(counter: &Cell<u64>, more: u64) {
    counter.set(counter.get() + more);
}
