//! The interface of a load model: what it registers, and what a plan asks of it.

use std::fmt;
use std::sync::Arc;

use super::keys::LoadError;
use super::rule::IterationRule;
use super::share::WeightShare;
use crate::script::model::LoadSpec;

/// A load model as registered.
#[derive(Clone, Copy)]
pub(crate) struct LoadModelEntry {
    /// The name in reports.
    pub name: &'static str,
    /// The keys that have a meaning for it, each described in the schema of scripts and in the guide.
    pub keys: &'static [&'static str],
    /// True if iterations begin when they are due, even if no user is free. The result table then says how many were
    /// dropped.
    pub is_open: bool,
    /// Returns true if the keys select this model.
    pub is_selected: fn(&LoadSpec) -> bool,
    /// Returns true if a scenario that selects this model without a `duration` takes the script's.
    pub takes_script_duration: fn(&LoadSpec) -> bool,
    /// Reads the model from its keys. The number is the run's seed.
    pub parse: fn(&LoadSpec, u64) -> Result<LoadModelHandle, LoadError>,
}

/// A load model, complete and valid.
pub trait LoadModel: fmt::Debug + Send + Sync {
    /// Returns the name in reports, which is that of its entry.
    fn name(&self) -> &'static str;

    /// Describes the load in a sentence without its period, for `check` and reports. Start and limits are added to it.
    fn describe(&self) -> String;

    /// Returns the share that a scenario gets by its weight; `None` if it would get no user or no iteration.
    fn share(&self, share: WeightShare) -> Option<LoadModelHandle>;

    /// Returns the rule by which a run begins the iterations.
    fn rule(&self) -> IterationRule;
}

/// A load model and its rule, computed once.
#[derive(Clone, Debug)]
pub struct LoadModelHandle {
    model: Arc<dyn LoadModel>,
    rule: IterationRule,
}

impl LoadModelHandle {
    /// Returns the name in reports.
    pub fn name(&self) -> &'static str {
        self.model.name()
    }

    /// Describes the load in a sentence without its period.
    pub fn describe(&self) -> String {
        self.model.describe()
    }

    /// Returns the share that a scenario gets by its weight; `None` if it would get no user or no iteration.
    pub fn share(&self, share: WeightShare) -> Option<Self> {
        self.model.share(share)
    }

    /// Returns the rule by which a run begins the iterations.
    pub const fn rule(&self) -> &IterationRule {
        &self.rule
    }
}

impl<M: LoadModel + 'static> From<M> for LoadModelHandle {
    fn from(model: M) -> Self {
        Self { rule: model.rule(), model: Arc::new(model) }
    }
}
