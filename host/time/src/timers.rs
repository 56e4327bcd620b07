//! The timers of one worker's waiting users. All are in one heap, and one timer of the operating system is set to the
//! earliest. tokio's own timers have a resolution of a millisecond, and would make every start a millisecond late on
//! average.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use super::alarm::Alarm;
use super::clock::{Clock, Nanos};

/// The timers of one worker.
pub struct Timers {
    entries: RefCell<BinaryHeap<Reverse<TimerEntry>>>,
    /// Number of entries that were cancelled.
    cancelled: Cell<usize>,
    alarm: Alarm,
    /// Time that the alarm is set to; `Nanos::MAX` if it is not set.
    armed_for: Cell<Nanos>,
}

struct TimerEntry {
    until: Nanos,
    waker: Waker,
    /// True until the timer has fired or was cancelled.
    active: Rc<Cell<bool>>,
}

/// A timer in the heap. Dropping it cancels the timer.
pub struct TimerGuard<'a> {
    timers: &'a Timers,
    active: Rc<Cell<bool>>,
}

impl Drop for TimerGuard<'_> {
    fn drop(&mut self) {
        if self.active.replace(false) {
            self.timers.cancel_one();
        }
    }
}

/// Cancelled entries stay in the heap until they are due, or until there are more than this many and more than half of
/// the heap: a guest that submits and cancels sleeps must not fill the memory.
const MAX_CANCELLED: usize = 1024;

impl Timers {
    /// Creates timers without an entry. Must be called within the worker's runtime.
    ///
    /// # Errors
    /// The operating system has no more timers.
    pub fn new(clock: Clock) -> io::Result<Self> {
        Ok(Self {
            entries: RefCell::default(),
            cancelled: Cell::new(0),
            alarm: Alarm::new(clock.is_virtual())?,
            armed_for: Cell::new(Nanos::MAX),
        })
    }

    /// Adds a timer that wakes `waker` at `until`, unless the guard is dropped before; `now` is the current time.
    pub fn add(&self, until: Nanos, now: Nanos, waker: Waker) -> TimerGuard<'_> {
        let active = Rc::new(Cell::new(true));
        self.entries.borrow_mut().push(Reverse(TimerEntry { until, waker, active: Rc::clone(&active) }));
        self.arm(until, now);
        TimerGuard { timers: self, active }
    }

    fn cancel_one(&self) {
        self.cancelled.set(self.cancelled.get() + 1);
        let mut waits = self.entries.borrow_mut();
        if self.cancelled.get() > MAX_CANCELLED.max(waits.len() / 2) {
            waits.retain(|Reverse(wait)| wait.active.get());
            self.cancelled.set(0);
        }
    }

    fn arm(&self, at: Nanos, now: Nanos) {
        if at < self.armed_for.get() {
            self.armed_for.set(at);
            self.alarm.set(Duration::from_nanos(at.saturating_sub(now)));
        }
    }

    /// Wakes the tasks whose timers are due, forever.
    pub async fn run(&self, clock: Clock) -> Infallible {
        poll_fn(|cx| self.poll(cx, clock)).await
    }

    fn poll(&self, cx: &mut Context<'_>, clock: Clock) -> Poll<Infallible> {
        loop {
            ready!(self.alarm.poll(cx));
            let now = clock.now();
            self.armed_for.set(Nanos::MAX);
            let mut waits = self.entries.borrow_mut();
            while let Some(Reverse(wait)) = waits.peek()
                && wait.until <= now
            {
                match waits.pop() {
                    Some(Reverse(wait)) if wait.active.replace(false) => wait.waker.wake(),
                    _ => self.cancelled.set(self.cancelled.get().saturating_sub(1)),
                }
            }
            if let Some(Reverse(next)) = waits.peek() {
                self.arm(next.until, now);
            }
        }
    }
}

impl PartialEq for TimerEntry {
    fn eq(&self, other: &Self) -> bool {
        self.until == other.until
    }
}

impl Eq for TimerEntry {}

impl PartialOrd for TimerEntry {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for TimerEntry {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.until.cmp(&other.until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits like a user, and notes the time at which it goes on.
    async fn wait(timers: &Timers, clock: Clock, until: Nanos, woken: &RefCell<Vec<Nanos>>) {
        let mut waiting = None;
        poll_fn(|cx| {
            let now = clock.now();
            if until <= now {
                woken.borrow_mut().push(now);
                return Poll::Ready(());
            }
            waiting.get_or_insert_with(|| timers.add(until, now, cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn cancelled_timers_do_not_fill_the_memory() {
        let timers = Timers::new(Clock::start_virtual()).unwrap();
        let kept = timers.add(1_000_000_000, 0, Waker::noop().clone());
        for _ in 0..10 * MAX_CANCELLED {
            drop(timers.add(3_600_000_000_000, 0, Waker::noop().clone()));
            assert!(timers.entries.borrow().len() <= MAX_CANCELLED + 2);
        }
        assert!(timers.entries.borrow().iter().any(|Reverse(wait)| wait.active.get()));
        drop(kept);
    }

    #[tokio::test(start_paused = true)]
    async fn timers_fire_in_order_and_on_time() {
        const MS: Nanos = 1_000_000;
        let (timers, clock) = (Rc::new(Timers::new(Clock::start_virtual()).unwrap()), Clock::start_virtual());
        let woken = RefCell::default();
        let waits = async {
            tokio::join!(
                wait(&timers, clock, 30 * MS, &woken),
                wait(&timers, clock, 10 * MS, &woken),
                wait(&timers, clock, 20 * MS, &woken),
                wait(&timers, clock, 20 * MS, &woken),
                wait(&timers, clock, 0, &woken),
            )
        };
        tokio::select! {
            _ = timers.run(clock) => {}
            _ = waits => {}
        }
        assert_eq!(woken.take(), [0, 10 * MS, 20 * MS, 20 * MS, 30 * MS]);
    }
}
