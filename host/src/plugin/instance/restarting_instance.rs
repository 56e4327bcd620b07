//! An instance of a plugin that is replaced after a trap. All users of a worker share it, or one user has it alone. A
//! trap kills the instance, not the run: the next task gets a new one, and the tasks that were pending in the old one
//! fail when they would be resumed.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::worker_plugin::WorkerPlugin;
use super::{ConfigureError, Instance, budget};
use crate::plugin::contract::bindings::Progress;
use crate::plugin::instance::error_text::error_text;
use crate::plugin::load::loader::LoadedPlugin;
use crate::plugin::script_context::StepParams;
use crate::user::Session;

/// The error of a task whose instance is gone. The text is for the report.
#[derive(Debug)]
pub struct InstanceLost(pub String);

/// A task that has been started in an instance.
#[derive(Clone, Copy, Debug)]
pub struct TaskHandle {
    /// Number of the task.
    task: u32,
    /// Index of its step among the plugin's.
    step: usize,
    /// Generation of the instance that it runs in, which grows with every replacement.
    generation: u64,
}

/// An instance, with everything needed to make another one.
pub struct RestartingInstance {
    loaded: Arc<LoadedPlugin>,
    steps: Arc<[StepParams]>,
    worker_plugin: Rc<WorkerPlugin>,
    instance: Option<Instance>,
    generation: u64,
}

impl RestartingInstance {
    /// Creates a holder whose instance is made when the first task needs it.
    pub const fn new(plugin: Arc<LoadedPlugin>, steps: Arc<[StepParams]>, worker_plugin: Rc<WorkerPlugin>) -> Self {
        Self { loaded: plugin, steps, worker_plugin, instance: None, generation: 0 }
    }

    /// Returns the instance. Makes it and configures its steps first if there is none.
    ///
    /// # Errors
    /// The plugin does not start, or no longer accepts the steps that it accepted when the script was checked.
    pub fn ensure_instance(&mut self) -> Result<&mut Instance, InstanceLost> {
        let instance = match self.instance.take() {
            Some(instance) => instance,
            None => {
                let (instance, time) = budget::measure_cpu(|| self.instantiate());
                self.worker_plugin.note_setup_time(time);
                instance.map_err(|message| {
                    let message = self.worker_plugin.script_context.secrets.redact(&message, &[]);
                    self.log_once(None, &message);
                    InstanceLost(format!("plugin `{}`: {message}", self.worker_plugin.policy.name))
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
    pub fn start(
        &mut self,
        session: &Rc<Session>,
        step: usize,
        task: u32,
    ) -> Result<(Progress, TaskHandle), InstanceLost> {
        let replaced = self.generation > 0;
        let instance = self.ensure_instance()?;
        if replaced {
            session.sockets.close_replaced(instance.id());
        }
        let result = instance.start(session, step, task);
        let handle = TaskHandle { task, step, generation: self.generation };
        Ok((self.check_trap(result, step)?, handle))
    }

    /// Tells the plugin that an operation of a task has completed.
    ///
    /// # Errors
    /// The guest trapped, now or in another task since this one began.
    #[inline(never)] // As above.
    pub fn resume(
        &mut self,
        session: &Rc<Session>,
        begun: TaskHandle,
        operation: u32,
    ) -> Result<Progress, InstanceLost> {
        if begun.generation != self.generation {
            add(&self.worker_plugin.usage.collateral, 1);
            return Err(InstanceLost(format!(
                "plugin `{}` trapped in another user's action",
                self.worker_plugin.policy.name
            )));
        }
        let result = self.ensure_instance()?.resume(session, begun.task, operation);
        self.check_trap(result, begun.step)
    }

    /// Tells the plugin that a pending task is over. A trap here affects only the tasks that are still pending.
    pub fn cancel(&mut self, session: &Rc<Session>, begun: TaskHandle) {
        if let Some(instance) = self.instance.as_mut().filter(|_| begun.generation == self.generation) {
            let result = instance.cancel(session, begun.task);
            let _ = self.check_trap(result, begun.step);
        }
    }

    /// Tells the plugin that a user is gone.
    pub fn forget_user(&mut self, session: &Rc<Session>) {
        if let Some(instance) = self.instance.as_mut() {
            let result = instance.forget_user(session);
            let _ = self.check_trap(result, None);
        }
    }

    fn instantiate(&self) -> Result<Instance, String> {
        let mut instance =
            Instance::new(&self.loaded.code, Rc::clone(&self.worker_plugin)).map_err(|error| error_text(&error))?;
        for step in self.steps.iter() {
            instance.configure(step).map_err(|error| match error {
                ConfigureError::Params(error) => error.message,
                ConfigureError::Trap(trap) => error_text(&trap),
            })?;
        }
        Ok(instance)
    }

    fn check_trap<T>(
        &mut self,
        result: wasmtime::Result<T>,
        step: impl Into<Option<usize>>,
    ) -> Result<T, InstanceLost> {
        result.map_err(|trap| {
            self.instance = None;
            self.generation += 1;
            add(&self.worker_plugin.usage.traps, 1);
            self.log_once(step.into(), &format!("{trap:?}"));
            InstanceLost(format!("plugin `{}` trapped: {}", self.worker_plugin.policy.name, error_text(&trap)))
        })
    }

    /// Logs why an instance was lost, in which step and with the guest's backtrace. Only the first loss of each plugin
    /// is logged: many would flood the log.
    fn log_once(&self, step: Option<usize>, text: &str) {
        if self.loaded.trap_logged.swap(true, Ordering::Relaxed) {
            return;
        }
        let (plugin, text) =
            (&*self.worker_plugin.policy.name, self.worker_plugin.script_context.secrets.redact(text, &[]));
        match step.and_then(|step| self.steps.get(step)) {
            Some(StepParams { action, step, .. }) => tracing::error!(plugin, action, step, "{text}"),
            None => tracing::error!(plugin, "{text}"),
        }
    }
}

fn add(counter: &Cell<u64>, more: u64) {
    counter.set(counter.get() + more);
}
