//! What the instances of one plugin on one worker have in common, and what is left of them when they are gone.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use stampede_time::Nanos;

use super::limits;
use super::metric_registry::MetricRegistry;
use crate::metrics::custom_metric::MetricInfo;
use crate::net::Grants;
use crate::plugin::policy::PluginPolicy;
use crate::plugin::scripting::ScriptContext;
use crate::template::VariableNames;
use crate::user::InstanceId;

/// One plugin on one worker.
pub struct WorkerPlugin {
    /// What it may do.
    pub policy: PluginPolicy,
    /// The hosts of the terms, to be shared with requests.
    pub grants: Rc<Grants>,
    /// The script around it.
    pub scripting: Arc<ScriptContext>,
    /// The names of the script's variables; one table for all plugins of a worker.
    pub variables: Rc<RefCell<VariableNames>>,
    /// The metrics of all plugins; one table for all plugins of a worker.
    pub metrics: Rc<RefCell<MetricRegistry>>,
    /// What it has used since last asked.
    pub usage: PluginUsage,
    /// The second that lines were last logged in, and how many in it: of all instances, since one that replaces another
    /// must not begin anew.
    pub log_lines: Cell<(u64, u32)>,
    /// Processor time for each call that sets an instance up.
    pub setup_budget: Cell<Duration>,
    /// The plugin's number on this worker, and how many instances there have been.
    number: u32,
    instances: Cell<u64>,
}

/// The names that all plugins of a worker share.
#[derive(Clone, Default)]
pub struct SharedNames {
    /// Of the script's variables.
    pub variables: Rc<RefCell<VariableNames>>,
    /// Of the plugins' metrics.
    pub metrics: Rc<RefCell<MetricRegistry>>,
    /// How many plugins there are.
    plugins: Rc<Cell<u32>>,
}

impl From<VariableNames> for SharedNames {
    fn from(variables: VariableNames) -> Self {
        Self { variables: Rc::new(RefCell::new(variables)), ..Self::default() }
    }
}

impl SharedNames {
    /// Those of a plan that is complete: no metric comes to it.
    pub fn of_plan(variables: &VariableNames, metrics: &[MetricInfo]) -> Self {
        let metrics = Rc::new(RefCell::new(MetricRegistry::frozen(metrics.to_vec())));
        Self { metrics, ..Self::from(variables.clone()) }
    }
}

/// What the instances of one plugin have used and done, on one worker.
#[derive(Debug, Default)]
pub struct PluginUsage {
    /// Calls on behalf of tasks.
    pub calls: Cell<u64>,
    /// Time spent in them (an estimate from one call in sixteen).
    pub guest_time: Cell<Nanos>,
    /// Instances lost to a trap.
    pub traps: Cell<u64>,
    /// Other tasks that failed because the instance they were pending in was lost.
    pub collateral: Cell<u64>,
    /// Bytes of an instance's memory when it last lost a user; of a component.
    pub memory: Cell<usize>,
}

impl WorkerPlugin {
    /// One plugin on one worker that has done nothing yet.
    pub fn new(terms: PluginPolicy, scripting: Arc<ScriptContext>, names: &SharedNames) -> Rc<Self> {
        let grants = Rc::new(terms.grants.clone());
        let SharedNames { variables, metrics, plugins } = names.clone();
        let (number, usage, instances) = (plugins.replace(plugins.get() + 1), PluginUsage::default(), Cell::new(0));
        let (log_lines, set_up) = (Cell::new((0, 0)), Cell::new(limits::SET_UP));
        Rc::new(Self {
            policy: terms,
            grants,
            scripting,
            variables,
            metrics,
            usage,
            log_lines,
            setup_budget: set_up,
            number,
            instances,
        })
    }

    /// The first instance was set up, and took so much processor time. Those that replace it do so under load, where
    /// its worker's other users wait: they may take somewhat longer each call than that did in all.
    pub fn note_setup_time(&self, took: Duration) {
        if self.setup_budget.get() == limits::SET_UP {
            self.setup_budget.set((took * 2).clamp(self.policy.limits.call.min(limits::SET_UP), limits::SET_UP));
        }
    }

    /// A number for an instance that is being made.
    pub fn next_instance_id(&self) -> InstanceId {
        InstanceId { plugin: self.number, instance: self.instances.replace(self.instances.get() + 1) }
    }
}
