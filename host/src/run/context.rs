//! What the users of one worker share besides what their plugins see: the plan, the plugins and their instances.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::expression::Language;
use crate::plan::{Plan, UsedPlugin};
use crate::plugin::instance::restarting_instance::Replica;
use crate::plugin::instance::worker_plugin::{Family, Names};

/// What the users of one worker share besides what their plugins see.
pub struct Crew {
    /// What to run.
    pub plan: Arc<Plan>,
    /// The plugins, by [`Step::plugin`].
    pub plugins: Vec<Rc<Family>>,
    /// Their instances as all users of the worker share them.
    shared: Replicas,
    /// Users under way.
    pub active: Cell<u32>,
    /// Whether a step has failed.
    pub failed: Cell<bool>,
    /// What conditions are told in, once there is one.
    pub language: OnceCell<Language>,
    free_tasks: RefCell<Vec<u32>>,
    tasks: Cell<u32>,
}

impl Crew {
    /// Creates the context of one worker.
    pub fn new(plan: Arc<Plan>) -> Self {
        let names = Names::of_plan(&plan.variables, &plan.metrics);
        let family = |used: &UsedPlugin| Family::new(used.terms.clone(), Arc::clone(&plan.scripting), &names);
        let plugins: Vec<_> = plan.plugins.iter().map(family).collect();
        let shared = plan.plugins.iter().zip(&plugins).map(|(used, family)| replica(used, family)).collect();
        let (active, failed, language, free_tasks, tasks) = Default::default();
        Self { plan, plugins, shared, active, failed, language, free_tasks, tasks }
    }

    /// The instances that a user's steps run in, by [`Step::plugin`](crate::plan::Step::plugin): those of the worker,
    /// but for plugins of which each user has its own.
    pub fn replicas(&self) -> Replicas {
        if self.plan.plugins.iter().all(|used| !used.terms.instance_per_user) {
            return Rc::clone(&self.shared);
        }
        let all = self.plan.plugins.iter().zip(&self.plugins).zip(self.shared.iter());
        all.map(
            |((used, family), shared)| {
                if used.terms.instance_per_user { replica(used, family) } else { Rc::clone(shared) }
            },
        )
        .collect()
    }

    /// A number for a task: dense, so that guests may index arrays with it.
    pub fn take_task_id(&self) -> u32 {
        self.free_tasks.borrow_mut().pop().unwrap_or_else(|| self.tasks.replace(self.tasks.get() + 1))
    }

    /// The number may be used again.
    pub fn give_back(&self, task: u32) {
        self.free_tasks.borrow_mut().push(task);
    }
}

/// One replica of each plugin.
pub type Replicas = Rc<[Rc<RefCell<Replica>>]>;

fn replica(used: &UsedPlugin, family: &Rc<Family>) -> Rc<RefCell<Replica>> {
    let (plugin, steps) = (Arc::clone(&used.plugin), Arc::clone(&used.steps));
    Rc::new(RefCell::new(Replica::new(plugin, steps, Rc::clone(family))))
}

/// What the users of a worker share, each plugin instantiated.
///
/// # Errors
/// A plugin does not start.
pub fn prepare(plan: &Arc<Plan>) -> Result<Rc<Crew>, String> {
    let crew = Crew::new(Arc::clone(plan));
    for (replica, used) in crew.shared.iter().zip(&plan.plugins) {
        if !used.terms.instance_per_user {
            replica.borrow_mut().ready().map_err(|lost| lost.0)?;
        }
    }
    Ok(Rc::new(crew))
}
