//! The executor behind `async fn run`: one boxed future per task, polled when the host announces an operation.
//!
//! The host decides when a task goes on, so there is no queue and nothing ever blocks. Calls never overlap within an
//! instance and an instance has one thread, so all state is in one cell. Task numbers are small and dense, so tasks are
//! an array; a slot keeps the memory of its lists for the next task of that number, and a task costs no allocation but
//! its future.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use crate::action::UserId;
use crate::socket::left_open;
use crate::task::TASK;
use crate::{Action, Outcome, bindings, per_user};

/// A task with its type erased. The box is the one allocation of a task.
type TaskFuture = Pin<Box<dyn Future<Output = Outcome>>>;

/// A configured step of any action.
trait Step {
    /// Returns the step's future for one user, not polled yet: nothing of the action has run.
    fn begin(&'static self) -> TaskFuture;
    /// See [`Action::forget_user`].
    fn forget_user(&self, user: UserId);
}

impl<A: Action> Step for A {
    fn begin(&'static self) -> TaskFuture {
        Box::pin(self.run(TASK))
    }

    fn forget_user(&self, user: UserId) {
        Action::forget_user(self, user);
    }
}

/// The state of a task after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The task waits for an operation.
    Pending,
    /// The task is done, and the step has passed.
    Passed,
    /// The task is done, the step has failed, and the reason has been reported.
    Failed,
}

/// One task; empty between two tasks of the same number.
#[derive(Default)]
struct Slot {
    /// `None` while it is being polled.
    future: Option<TaskFuture>,
    /// Operations that the host has announced and the task has not awaited so far. Seldom more than one.
    announced: Vec<u32>,
    /// Operations that are awaited, each with its waker. This executor does not need wakers, but combinators do that
    /// poll only those of their futures that were woken.
    waiting: Vec<(u32, Waker)>,
}

/// All of an instance's state.
struct Executor {
    /// Indexed by step number. Steps last as long as the instance, so tasks may borrow them.
    steps: Vec<&'static dyn Step>,
    /// Indexed by task number.
    tasks: Vec<Slot>,
    /// The task of the current call: operations find their slot by it.
    current: usize,
    /// `true` while a task is being polled. Imports that concern a task may be called only then.
    polling: bool,
}

impl Executor {
    const NEW: Self = Self { steps: Vec::new(), tasks: Vec::new(), current: 0, polling: false };
}

thread_local! {
    /// On wasm a plain static; in native tests each test thread has its own.
    static EXECUTOR: RefCell<Executor> = const { RefCell::new(Executor::NEW) };
}

/// Gives access for a moment: never while a future is polled or dropped, which may call back into the executor.
fn with<T>(body: impl FnOnce(&mut Executor) -> T) -> T {
    EXECUTOR.with_borrow_mut(body)
}

/// Keeps a step for as long as the instance, and returns its number.
pub(crate) fn add_step<A: Action>(step: A) -> u32 {
    with(|executor| {
        executor.steps.push(Box::leak(Box::new(step)));
        u32::try_from(executor.steps.len() - 1).expect("a script has fewer than 2^32 steps")
    })
}

/// Begins a task and runs it to its first wait.
pub(crate) fn start(step: u32, task: u32) -> Progress {
    let task = task as usize;
    let step = with(|executor| {
        if executor.tasks.len() <= task {
            executor.tasks.resize_with(task + 1, Slot::default);
        }
        executor.steps[step as usize]
    });
    left_open::close();
    poll(task, step.begin())
}

/// Runs a pending task on after an operation has completed.
pub(crate) fn resume(task: u32, operation: u32) -> Progress {
    let task = task as usize;
    let (future, waker) = with(|executor| {
        let slot = &mut executor.tasks[task];
        slot.announced.push(operation);
        let waiting = slot.waiting.iter().position(|(id, _)| *id == operation);
        (slot.future.take(), waiting.map(|index| slot.waiting.swap_remove(index).1))
    });
    if let Some(waker) = waker {
        waker.wake();
    }
    poll(task, future.expect("only a pending task is resumed"))
}

/// Drops a pending task.
pub(crate) fn cancel(task: u32) {
    let future = with(|executor| {
        let slot = &mut executor.tasks[task as usize];
        slot.announced.clear();
        slot.waiting.clear();
        slot.future.take()
    });
    drop(future);
}

/// Tells every step that a user is gone, and drops the state that the SDK keeps for it.
pub(crate) fn forget_user(user: UserId) {
    let steps = with(|executor| executor.steps.clone());
    steps.iter().for_each(|step| step.forget_user(user));
    per_user::forget_user(user);
    left_open::forget_user(user);
}

/// Returns `true` if an operation of the current task has been announced; otherwise keeps the waker until it is.
pub(crate) fn take_announced(operation: u32, waker: &Waker) -> bool {
    with(|executor| {
        let slot = &mut executor.tasks[executor.current];
        if let Some(index) = slot.announced.iter().position(|id| *id == operation) {
            slot.announced.swap_remove(index);
            return true;
        }
        match slot.waiting.iter_mut().find(|(id, _)| *id == operation) {
            Some((_, known)) => known.clone_from(waker),
            None => slot.waiting.push((operation, waker.clone())),
        }
        false
    })
}

/// Returns `true` if an operation of the current task was announced and has not been awaited since. It counts as
/// awaited from then on.
pub(crate) fn claim(operation: u32) -> bool {
    with_current(|slot| {
        let index = slot.announced.iter().position(|id| *id == operation);
        index.map(|index| slot.announced.swap_remove(index)).is_some()
    })
    .unwrap_or_default()
}

/// Gives up an operation that was dropped before it completed. Outside a poll there is nothing to give up: the host has
/// ended the task, and its operations with it.
pub(crate) fn give_up(operation: u32) {
    let waker = with_current(|slot| {
        let waiting = slot.waiting.iter().position(|(id, _)| *id == operation);
        waiting.map(|index| slot.waiting.swap_remove(index))
    });
    // The waker is dropped where nothing is borrowed: a combinator's may hold the last reference to the combinator.
    if waker.is_some() {
        // If the operation was announced already, the host keeps its outcome.
        claim(operation);
        bindings::operations::cancel(operation);
    }
}

/// Returns `true` while a task is being polled, so that there is a current user.
pub(crate) fn is_polling() -> bool {
    with_current(|_| ()).is_some()
}

/// Gives access to the task that is being polled; `None` between polls, and when a native test's thread ends.
fn with_current<T>(body: impl FnOnce(&mut Slot) -> T) -> Option<T> {
    let access = EXECUTOR.try_with(|executor| {
        let executor = &mut *executor.borrow_mut();
        executor.polling.then(|| body(&mut executor.tasks[executor.current]))
    });
    access.ok().flatten()
}

/// Polls a task. Its future is in no slot meanwhile, so it may submit and await freely.
fn poll(task: usize, mut future: TaskFuture) -> Progress {
    with(|executor| {
        executor.current = task;
        executor.polling = true;
    });
    match future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => {
            with(|executor| {
                executor.polling = false;
                executor.tasks[task].future = Some(future);
            });
            Progress::Pending
        }
        Poll::Ready(outcome) => {
            with(|executor| {
                executor.polling = false;
                executor.tasks[task].announced.clear();
                executor.tasks[task].waiting.clear();
            });
            settle(outcome)
        }
    }
}

/// Reports the reason of a failure, unless the host found it.
fn settle(outcome: Outcome) -> Progress {
    match outcome {
        Ok(()) => Progress::Passed,
        Err(failure) => {
            failure.tell();
            Progress::Failed
        }
    }
}

/// Drops all steps and tasks, to begin like a new instance.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn reset() {
    let old = EXECUTOR.replace(Executor::NEW);
    drop(old);
    per_user::reset();
    left_open::reset();
}

#[cfg(test)]
mod tests;
