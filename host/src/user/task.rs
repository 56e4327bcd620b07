//! The task that a user has under way: one run of one step.

use std::cell::{Cell, RefCell};

use super::active_time::ActiveTime;
use super::judged::JudgedExchange;
use super::limits;
use super::open_sample::OpenSample;
use super::operations::Operations;
use super::request_memory::RequestMemory;
use super::sockets::SocketActivity;
use super::start::Turn;
use super::task_trace::TaskTrace;
use crate::http::Allowance;
use crate::metrics::sample::RowId;
use crate::template::VariableId;

/// Facts about a task that are known when it starts.
#[derive(Clone, Copy, Debug, Default)]
pub struct TaskStart {
    /// The row of its step.
    pub row: RowId,
    /// The need of the step for the content of its replies.
    pub body: BodyNeed,
    /// `true` if it lasts by design, so that its requests take no turns.
    pub is_lasting: bool,
}

/// The need of a task for the content of its replies, beside what its guest asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum BodyNeed {
    /// Not at all.
    #[default]
    Unread,
    /// A condition after the task reads it, unless it is too long.
    Wanted,
    /// A capture or a check reads it: without it the exchange has failed.
    Required,
}

/// The task that a user has under way, reused from step to step.
#[derive(Default)]
pub struct Task {
    start: Cell<TaskStart>,
    /// Bytes of replies and of bodies made at run time that it may still hold.
    pub allowance: Allowance,
    /// True when an operation of the task has started.
    pub any_started: Cell<bool>,
    /// The turn that the task has waited for by itself, until an operation takes it.
    pub held_turn: Cell<Option<Turn>>,
    /// The time that it has been active.
    pub active_time: ActiveTime,
    /// The sample that the guest may still judge.
    pub sample: OpenSample,
    /// The exchange of that sample.
    pub judged: JudgedExchange,
    /// Operations in flight, and their completions.
    pub operations: Operations,
    /// Memory for the rendered parts of its requests.
    pub request_memory: RequestMemory,
    /// Its trace.
    pub(super) trace: TaskTrace,
    /// Activity on the user's sockets.
    pub sockets: SocketActivity,
    /// Variables captured so far.
    pub captured: RefCell<Vec<VariableId>>,
    /// The codings that the last reply's content is still in.
    pub codings_left: RefCell<Option<String>>,
}

impl Task {
    /// Forgets the previous task, and begins another.
    pub fn begin(&self, start: TaskStart) {
        self.start.set(start);
        self.any_started.set(false);
        self.held_turn.set(None);
        self.sample.begin();
        self.judged.clear();
        self.sockets.begin();
        self.captured.borrow_mut().clear();
        self.codings_left.take();
        self.operations.clear();
        self.active_time.begin();
        self.allowance.set(limits::HELD);
    }

    /// Returns the row of its step.
    pub fn row(&self) -> RowId {
        self.start.get().row
    }

    /// Returns `true` if it lasts by design, so that its requests take no turns.
    pub fn is_lasting(&self) -> bool {
        self.start.get().is_lasting
    }

    /// Returns how much the bodies of its replies are needed.
    pub fn body_need(&self) -> BodyNeed {
        self.start.get().body
    }
}
