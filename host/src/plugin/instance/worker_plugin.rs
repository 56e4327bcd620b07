//! One plugin on one worker: the state that its instances share and that outlives them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use stampede_time::Nanos;

use super::limits;
use super::metric_registry::MetricRegistry;
use super::row_registry::RowRegistry;
use crate::metrics::aggregate::RowInfo;
use crate::metrics::custom_metric::MetricInfo;
use crate::net::Grants;
use crate::plugin::policy::PluginPolicy;
use crate::plugin::script_context::ScriptContext;
use crate::template::VariableNames;
use crate::user::InstanceId;

/// One plugin on one worker.
pub struct WorkerPlugin {
    /// Its policy.
    pub policy: PluginPolicy,
    /// Grants of the policy, shared with requests.
    pub grants: Rc<Grants>,
    /// The parts of the script that its templates and requests are built from.
    pub script_context: Arc<ScriptContext>,
    /// The names of the script's variables; one table for all plugins of a worker.
    pub variables: Rc<RefCell<VariableNames>>,
    /// The metrics of all plugins; one table for all plugins of a worker.
    pub metrics: Rc<RefCell<MetricRegistry>>,
    /// The rows below steps of all plugins; one table for all plugins of a worker.
    pub rows: Rc<RefCell<RowRegistry>>,
    /// Its usage so far.
    pub usage: PluginUsage,
    /// Second of the run in which lines were last logged, and their number. Counted over all instances, since one that
    /// replaces another must not start at zero.
    pub log_lines: Cell<(u64, u32)>,
    /// Processor time for each call that sets up an instance.
    pub setup_budget: Cell<Duration>,
    /// Number of the plugin on this worker.
    number: u32,
    /// Number of instances made so far.
    instances: Cell<u64>,
}

/// The names that all plugins of a worker share.
#[derive(Clone, Default)]
pub struct SharedNames {
    /// Names of the script's variables.
    pub variables: Rc<RefCell<VariableNames>>,
    /// Names of the plugins' metrics.
    pub metrics: Rc<RefCell<MetricRegistry>>,
    /// The rows below steps.
    pub rows: Rc<RefCell<RowRegistry>>,
    /// Number of plugins so far.
    plugins: Rc<Cell<u32>>,
}

impl From<VariableNames> for SharedNames {
    fn from(variables: VariableNames) -> Self {
        Self { variables: Rc::new(RefCell::new(variables)), ..Self::default() }
    }
}

impl SharedNames {
    /// Returns the names of a complete plan, to which no metric and no row can be added.
    pub fn of_plan(variables: &VariableNames, metrics: &[MetricInfo], rows: &[RowInfo]) -> Self {
        let metrics = Rc::new(RefCell::new(MetricRegistry::frozen(metrics.to_vec())));
        let rows = Rc::new(RefCell::new(RowRegistry::Frozen(rows.to_vec())));
        Self { metrics, rows, ..Self::from(variables.clone()) }
    }
}

/// Usage of one plugin on one worker, over all its instances.
#[derive(Debug, Default)]
pub struct PluginUsage {
    /// Number of calls on behalf of tasks.
    pub calls: Cell<u64>,
    /// Time spent in these calls (an estimate from one call in sixteen).
    pub guest_time: Cell<Nanos>,
    /// Number of instances lost to a trap.
    pub traps: Cell<u64>,
    /// Number of other tasks that failed because the instance they were pending in was lost.
    pub collateral: Cell<u64>,
    /// Memory of a component's instance when it last lost a user, in bytes.
    pub memory: Cell<usize>,
}

impl WorkerPlugin {
    /// Creates a plugin on a worker that has done nothing yet.
    pub fn new(policy: PluginPolicy, script_context: Arc<ScriptContext>, names: &SharedNames) -> Rc<Self> {
        let grants = Rc::new(policy.grants.clone());
        let SharedNames { variables, metrics, rows, plugins } = names.clone();
        let (number, usage, instances) = (plugins.replace(plugins.get() + 1), PluginUsage::default(), Cell::new(0));
        let (log_lines, set_up) = (Cell::new((0, 0)), Cell::new(limits::SET_UP));
        Rc::new(Self {
            policy,
            grants,
            script_context,
            variables,
            metrics,
            rows,
            usage,
            log_lines,
            setup_budget: set_up,
            number,
            instances,
        })
    }

    /// Sets the budget for later set-ups from the processor time that the first one used. Instances are replaced under
    /// load, while the worker's other users wait: each call may take twice what the first set-up took in all.
    pub fn note_setup_time(&self, time: Duration) {
        if self.setup_budget.get() == limits::SET_UP {
            self.setup_budget.set((time * 2).clamp(self.policy.limits.call.min(limits::SET_UP), limits::SET_UP));
        }
    }

    /// Returns the identity of a new instance.
    pub fn next_instance_id(&self) -> InstanceId {
        InstanceId { plugin: self.number, instance: self.instances.replace(self.instances.get() + 1) }
    }
}
