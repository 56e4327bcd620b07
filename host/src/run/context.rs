//! The context that the users of one worker share, beyond what their plugins see: the plan, the plugins and their
//! instances.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::expression::CelContext;
use crate::plan::{Plan, PlannedPlugin};
use crate::plugin::instance::restarting_instance::RestartingInstance;
use crate::plugin::instance::worker_plugin::{SharedNames, WorkerPlugin};

/// The context of the users of one worker.
pub struct WorkerContext {
    /// The plan to run.
    pub plan: Arc<Plan>,
    /// The plugins, by [`Step::plugin`](crate::plan::Step::plugin).
    pub plugins: Vec<Rc<WorkerPlugin>>,
    /// The instances that all users of the worker share.
    shared_instances: InstanceSet,
    /// Number of users under way.
    pub active_users: Cell<u32>,
    /// `true` once a step has failed.
    pub any_step_failed: Cell<bool>,
    /// The language of conditions, created with the first one.
    pub language: OnceCell<CelContext>,
    free_task_ids: RefCell<Vec<u32>>,
    next_task_id: Cell<u32>,
}

impl WorkerContext {
    /// Creates the context of one worker.
    pub fn new(plan: Arc<Plan>) -> Self {
        let names = SharedNames::of_plan(&plan.variables, &plan.metrics, &plan.rows);
        let worker_plugin = |used: &PlannedPlugin| {
            WorkerPlugin::new(used.policy.clone(), Arc::clone(&plan.runtime.script_context), &names)
        };
        let plugins: Vec<_> = plan.runtime.plugins.iter().map(worker_plugin).collect();
        let shared =
            plan.runtime.plugins.iter().zip(&plugins).map(|(used, plugin)| new_instance(used, plugin)).collect();
        Self {
            plan,
            plugins,
            shared_instances: shared,
            active_users: Cell::default(),
            any_step_failed: Cell::default(),
            language: OnceCell::default(),
            free_task_ids: RefCell::default(),
            next_task_id: Cell::default(),
        }
    }

    /// Returns the instances that a user's steps run in, by [`Step::plugin`](crate::plan::Step::plugin): those of the
    /// worker, except for plugins of which each user has its own.
    pub fn instances(&self) -> InstanceSet {
        if self.plan.runtime.plugins.iter().all(|used| !used.policy.instance_per_user) {
            return Rc::clone(&self.shared_instances);
        }
        let all = self.plan.runtime.plugins.iter().zip(&self.plugins).zip(self.shared_instances.iter());
        all.map(
            |((used, plugin), shared)| {
                if used.policy.instance_per_user { new_instance(used, plugin) } else { Rc::clone(shared) }
            },
        )
        .collect()
    }

    /// Returns a number for a task: dense, so that guests may index arrays with it.
    pub fn take_task_id(&self) -> u32 {
        self.free_task_ids.borrow_mut().pop().unwrap_or_else(|| self.next_task_id.replace(self.next_task_id.get() + 1))
    }

    /// Gives a task's number back, to be used again.
    pub fn release_task_id(&self, task: u32) {
        self.free_task_ids.borrow_mut().push(task);
    }
}

/// One instance of each plugin.
pub(super) type InstanceSet = Rc<[Rc<RefCell<RestartingInstance>>]>;

fn new_instance(used: &PlannedPlugin, worker_plugin: &Rc<WorkerPlugin>) -> Rc<RefCell<RestartingInstance>> {
    let (plugin, steps) = (Arc::clone(&used.plugin), Arc::clone(&used.steps));
    Rc::new(RefCell::new(RestartingInstance::new(plugin, steps, Rc::clone(worker_plugin))))
}

/// Creates the context of a worker and instantiates each plugin.
///
/// # Errors
/// A plugin does not start.
pub fn instantiate_plugins(plan: &Arc<Plan>) -> Result<Rc<WorkerContext>, String> {
    let context = WorkerContext::new(Arc::clone(plan));
    for (instance, used) in context.shared_instances.iter().zip(&plan.runtime.plugins) {
        if !used.policy.instance_per_user {
            instance.borrow_mut().ensure_instance().map_err(|lost| lost.0)?;
        }
    }
    Ok(Rc::new(context))
}
