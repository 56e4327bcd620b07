//! When the users of a worker who wait go on. All their waits are in one heap, and one timer of the operating system is
//! set to the earliest: tokio's own timers have a resolution of a millisecond, and would make every start a millisecond
//! late on average.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::convert::Infallible;
use std::future::poll_fn;
use std::io;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use super::alarm::Alarm;
use super::clock::{Clock, Nanos};

/// The waits of one worker.
pub struct Timers {
    waits: RefCell<BinaryHeap<Reverse<Wait>>>,
    alarm: Alarm,
    /// What the alarm is set to; `Nanos::MAX` if it is not.
    set: Cell<Nanos>,
}

struct Wait {
    until: Nanos,
    waker: Waker,
}

impl Timers {
    /// No waits. Must be called where tasks run.
    ///
    /// # Errors
    /// The operating system has no more timers.
    pub fn new() -> io::Result<Self> {
        Ok(Self { waits: RefCell::default(), alarm: Alarm::new()?, set: Cell::new(Nanos::MAX) })
    }

    /// Wakes somebody at `until`, as soon as that has come; `now` is the time. A wait cannot be taken back: who has no
    /// more use for it is woken for nothing.
    pub fn add(&self, until: Nanos, now: Nanos, waker: Waker) {
        self.waits.borrow_mut().push(Reverse(Wait { until, waker }));
        self.set_to(until, now);
    }

    fn set_to(&self, at: Nanos, now: Nanos) {
        if at < self.set.get() {
            self.set.set(at);
            self.alarm.set(Duration::from_nanos(at.saturating_sub(now)));
        }
    }

    /// Wakes whoever is due, for ever.
    pub async fn run(&self, clock: Clock) -> Infallible {
        poll_fn(|cx| self.poll(cx, clock)).await
    }

    fn poll(&self, cx: &mut Context<'_>, clock: Clock) -> Poll<Infallible> {
        loop {
            ready!(self.alarm.poll(cx));
            let now = clock.now();
            self.set.set(Nanos::MAX);
            let mut waits = self.waits.borrow_mut();
            while let Some(Reverse(wait)) = waits.peek()
                && wait.until <= now
            {
                if let Some(Reverse(wait)) = waits.pop() {
                    wait.waker.wake();
                }
            }
            if let Some(Reverse(next)) = waits.peek() {
                self.set_to(next.until, now);
            }
        }
    }
}

impl PartialEq for Wait {
    fn eq(&self, other: &Self) -> bool {
        self.until == other.until
    }
}

impl Eq for Wait {}

impl PartialOrd for Wait {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Wait {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.until.cmp(&other.until)
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::*;

    /// Waits as a user does, and notes when it goes on.
    async fn wait(timers: &Timers, clock: Clock, until: Nanos, woken: &RefCell<Vec<Nanos>>) {
        let mut added = false;
        poll_fn(|cx| {
            let now = clock.now();
            if until <= now {
                woken.borrow_mut().push(now);
                return Poll::Ready(());
            }
            if !std::mem::replace(&mut added, true) {
                timers.add(until, now, cx.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    #[tokio::test(start_paused = true)]
    async fn waits_end_in_their_order_and_on_time() {
        const MS: Nanos = 1_000_000;
        let (timers, clock) = (Rc::new(Timers::new().unwrap()), Clock::start());
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
