//! What the instances of one plugin on one worker have in common, and what is left of them when they are gone.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::sync::Arc;

use crate::http::Grants;
use crate::run::clock::Nanos;
use crate::template::VariableNames;

use super::state::Scripting;
use super::terms::Terms;

/// One plugin on one worker.
pub struct Family {
    /// What it may do.
    pub terms: Terms,
    /// The hosts of the terms, to be shared with requests.
    pub grants: Rc<Grants>,
    /// The script around it.
    pub scripting: Arc<Scripting>,
    /// The names of the script's variables; one table for all plugins of a worker.
    pub variables: Rc<RefCell<VariableNames>>,
    /// What it has used since last asked.
    pub usage: Usage,
}

/// What the instances of one plugin have used and done, on one worker.
#[derive(Debug, Default)]
pub struct Usage {
    /// Calls on behalf of tasks.
    pub calls: Cell<u64>,
    /// Time spent in them (an estimate from one call in sixteen).
    pub timed: Cell<Nanos>,
    /// Instances lost to a trap.
    pub traps: Cell<u64>,
    /// Other tasks that failed because the instance they were pending in was lost.
    pub collateral: Cell<u64>,
}

impl Family {
    /// One plugin on one worker that has done nothing yet.
    pub fn new(terms: Terms, scripting: Arc<Scripting>, variables: Rc<RefCell<VariableNames>>) -> Rc<Self> {
        let grants = Rc::new(terms.grants.clone());
        Rc::new(Self { terms, grants, scripting, variables, usage: Usage::default() })
    }
}
