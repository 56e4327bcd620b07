//! One worker's instance of one plugin. A trap kills the instance, not the run: the next task gets a new one, and the
//! tasks that were pending in the old one learn of its end when they would go on.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::run::clock::Nanos;
use crate::template::VariableNames;

use super::bindings::Progress;
use super::instance::{ConfigureError, Instance, StepParams};
use super::registry::{Loaded, one_line};
use super::session::Session;
use super::state::Scripting;

/// The instance is gone; the task that was told so has failed. The text is for the report.
#[derive(Debug)]
pub struct Lost(pub String);

/// Which instance of a replica a task runs in. Grows with every replacement.
pub type Generation = u64;

/// One worker's instance of one plugin.
pub struct Replica {
    plugin: Arc<Loaded>,
    steps: Arc<[StepParams]>,
    scripting: Arc<Scripting>,
    variables: Rc<RefCell<VariableNames>>,
    instance: Option<Instance>,
    generation: Generation,
}

impl Replica {
    /// A replica whose instance is made when the first task needs it.
    pub const fn new(
        plugin: Arc<Loaded>,
        steps: Arc<[StepParams]>,
        scripting: Arc<Scripting>,
        variables: Rc<RefCell<VariableNames>>,
    ) -> Self {
        Self { plugin, steps, scripting, variables, instance: None, generation: 0 }
    }

    /// Makes the instance and configures its steps, unless that is done.
    ///
    /// # Errors
    /// The plugin does not start or no longer takes the steps it took when the script was checked.
    pub fn ready(&mut self) -> Result<&mut Instance, Lost> {
        let instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.configured().map_err(|message| {
                self.log_once(&message);
                Lost(format!("plugin `{}`: {message}", self.plugin.name))
            })?,
        };
        Ok(self.instance.insert(instance))
    }

    /// Begins a task.
    ///
    /// # Errors
    /// The guest trapped.
    #[inline(never)] // So that its instructions can be counted: `cargo xtask instructions`.
    pub fn start(&mut self, session: &Rc<Session>, step: usize, task: u32) -> Result<(Progress, Generation), Lost> {
        let result = self.ready()?.start(session, step, task);
        let progress = self.survived(result)?;
        Ok((progress, self.generation))
    }

    /// Says that an operation of a task has ended.
    ///
    /// # Errors
    /// The guest trapped, now or in another task since this one began.
    #[inline(never)] // As above.
    pub fn resume(
        &mut self,
        session: &Rc<Session>,
        (task, begun_in): (u32, Generation),
        operation: u32,
    ) -> Result<Progress, Lost> {
        if begun_in != self.generation {
            return Err(Lost(format!("plugin `{}` trapped in another user's action", self.plugin.name)));
        }
        let result = self.ready()?.resume(session, task, operation);
        self.survived(result)
    }

    /// Says that a pending task is over. A trap in here hurts nobody but the tasks that are still pending.
    pub fn cancel(&mut self, session: &Rc<Session>, task: u32, begun_in: Generation) {
        if let Some(instance) = self.instance.as_mut().filter(|_| begun_in == self.generation) {
            let result = instance.cancel(session, task);
            let _ = self.survived(result);
        }
    }

    /// Says that a user is gone.
    pub fn forget_user(&mut self, session: &Rc<Session>) {
        if let Some(instance) = self.instance.as_mut() {
            let result = instance.forget_user(session);
            let _ = self.survived(result);
        }
    }

    /// Calls since last asked and the time spent in them.
    pub fn take_usage(&mut self) -> (u64, Nanos) {
        self.instance.as_mut().map_or((0, 0), Instance::take_usage)
    }

    fn configured(&self) -> Result<Instance, String> {
        let (scripting, variables) = (Arc::clone(&self.scripting), Rc::clone(&self.variables));
        let mut instance = Instance::new(&self.plugin.pre, Arc::clone(&self.plugin.name), scripting, variables)
            .map_err(|error| one_line(&error))?;
        for step in self.steps.iter() {
            instance.configure(step).map_err(|error| match error {
                ConfigureError::Params(mistake) => mistake.message,
                ConfigureError::Trap(trap) => one_line(&trap),
            })?;
        }
        Ok(instance)
    }

    fn survived<T>(&mut self, result: wasmtime::Result<T>) -> Result<T, Lost> {
        result.map_err(|trap| {
            self.instance = None;
            self.generation += 1;
            self.log_once(&format!("{trap:?}"));
            Lost(format!("plugin `{}` trapped: {}", self.plugin.name, one_line(&trap)))
        })
    }

    fn log_once(&self, what: &str) {
        if !self.plugin.trap_logged.swap(true, Ordering::Relaxed) {
            tracing::error!(plugin = &*self.plugin.name, "{what}");
        }
    }
}
