//! The task that a user has under way: one run of one step.

use std::cell::{Cell, RefCell};

use super::limits;
use super::open_sample::OpenSample;
use super::operations::Operations;
use super::sockets::SocketActivity;
use crate::http::Allowance;
use crate::metrics::sample::RowId;
use crate::template::VariableId;

/// Facts about a task that are known when it starts.
#[derive(Clone, Copy, Default)]
struct TaskStart {
    row: RowId,
    keeps_body: bool,
}

/// The task that a user has under way, reused from step to step.
#[derive(Default)]
pub struct Task {
    start: Cell<TaskStart>,
    /// Bytes of replies and of bodies made at run time that it may still hold.
    pub allowance: Allowance,
    /// True when an operation of the task has started.
    pub any_started: Cell<bool>,
    /// The sample that the guest may still judge.
    pub sample: OpenSample,
    /// Operations in flight, and their completions.
    pub operations: Operations,
    /// Activity on the user's sockets.
    pub sockets: SocketActivity,
    /// Variables captured so far.
    pub captured: RefCell<Vec<VariableId>>,
    /// The codings that the last reply's content is still in.
    pub codings_left: RefCell<Option<String>>,
}

impl Task {
    /// Forgets the previous task. The samples of this one count in `row`; with `keeps_body` the bodies of replies are
    /// kept for captures.
    pub fn begin(&self, row: RowId, keeps_body: bool) {
        self.start.set(TaskStart { row, keeps_body });
        self.any_started.set(false);
        self.sample.begin();
        self.sockets.begin();
        self.captured.borrow_mut().clear();
        self.codings_left.take();
        self.operations.clear();
        self.allowance.set(limits::HELD);
    }

    /// Returns the row that its samples count in.
    pub fn row(&self) -> RowId {
        self.start.get().row
    }

    /// Returns `true` if a capture needs the bodies of replies.
    pub fn keeps_body(&self) -> bool {
        self.start.get().keeps_body
    }
}
