//! Order of completion, several tasks at once, reuse of numbers and dropping, with operations made up by the test.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake};

use super::*;
use crate::operation::Operation;
use crate::{ConfigError, Failure, Task};

/// The code of a test's task.
type Body = Box<dyn Fn() -> TaskFuture>;

/// An action that runs the body given by the test.
struct Scripted(Body);

impl Action for Scripted {
    const NAME: &'static str = "scripted";
    const SUMMARY: &'static str = "";
    type Params = ();

    fn configure((): ()) -> Result<Self, ConfigError> {
        unreachable!("made by the tests")
    }

    async fn run(&self, _task: &Task) -> Outcome {
        (self.0)().await
    }
}

fn step<F: Future<Output = Outcome> + 'static>(body: impl Fn() -> F + 'static) -> u32 {
    add_step(Scripted(Box::new(move || Box::pin(body()))))
}

fn operation(id: u32) -> Operation<'static> {
    Operation::new(TASK, id)
}

#[test]
fn a_task_that_waits_for_nothing_is_done_at_once() {
    let passes = step(|| async { Ok(()) });
    let fails = step(|| async { Err(Failure::check("no")) });
    assert_eq!((start(passes, 0), start(fails, 0)), (Progress::Passed, Progress::Failed));
}

#[test]
fn a_task_awaits_in_its_own_order_however_operations_complete() {
    for order in [[1, 2], [2, 1]] {
        let both = step(|| async {
            let (first, second) = (operation(1), operation(2));
            assert_eq!((first.await, second.await), (1, 2));
            Ok(())
        });
        assert_eq!(start(both, 0), Progress::Pending);
        assert_eq!(resume(0, order[0]), Progress::Pending, "{order:?}");
        assert_eq!(resume(0, order[1]), Progress::Passed, "{order:?}");
    }
}

#[test]
fn tasks_with_the_same_operation_numbers_do_not_meet() {
    let waits = step(|| async {
        operation(0).await;
        operation(1).await;
        Ok(())
    });
    assert_eq!((start(waits, 3), start(waits, 1)), (Progress::Pending, Progress::Pending));
    assert_eq!(resume(3, 0), Progress::Pending);
    assert_eq!(resume(3, 1), Progress::Passed);
    assert_eq!(resume(1, 0), Progress::Pending);
    assert_eq!(resume(1, 1), Progress::Passed);
}

#[test]
fn a_reused_number_does_not_see_operations_of_the_last_task() {
    let leaves_one = step(|| async {
        let _not_awaited = operation(7);
        operation(1).await;
        Ok(())
    });
    let wants_it = step(|| async {
        operation(7).await;
        Ok(())
    });
    assert_eq!(start(leaves_one, 0), Progress::Pending);
    assert_eq!(resume(0, 7), Progress::Pending);
    assert_eq!(resume(0, 1), Progress::Passed);
    assert_eq!(start(wants_it, 0), Progress::Pending);
    cancel(0);
    assert_eq!(start(wants_it, 0), Progress::Pending);
    assert_eq!(resume(0, 7), Progress::Passed);
}

#[test]
fn cancelling_drops_what_the_task_holds() {
    let held = Rc::new(Cell::new(0));
    let inner = Rc::clone(&held);
    let holds = step(move || {
        let held = Rc::clone(&inner);
        async move {
            operation(0).await;
            held.set(1);
            Ok(())
        }
    });
    start(holds, 0);
    assert_eq!(Rc::strong_count(&held), 3);
    cancel(0);
    assert_eq!((Rc::strong_count(&held), held.get()), (2, 0));
}

#[test]
fn an_operation_dropped_outside_a_poll_is_not_given_up() {
    // No fake host runs here: a call to it fails the test.
    let holds = step(|| async {
        let _not_awaited = operation(1);
        operation(2).await;
        Ok(())
    });
    assert_eq!(start(holds, 0), Progress::Pending);
    cancel(0);
    assert!(!is_polling());
}

/// A waker that counts its wakes.
struct Count(AtomicU32);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_combinators_own_waker_is_woken_when_its_operation_is_announced() {
    let count = Arc::new(Count(AtomicU32::new(0)));
    let inner = Arc::clone(&count);
    let waits = step(move || {
        let waker = Waker::from(Arc::clone(&inner));
        async move {
            let mut operation = pin!(operation(5));
            std::future::poll_fn(|_| match operation.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(_) => Poll::Ready(()),
                Poll::Pending => Poll::Pending,
            })
            .await;
            Ok(())
        }
    });
    start(waits, 0);
    assert_eq!(resume(0, 4), Progress::Pending);
    assert_eq!(count.0.load(Ordering::Relaxed), 0);
    assert_eq!(resume(0, 5), Progress::Passed);
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
}
