//! The time that a task has been active: a clock that stands still while the task can only wait for a turn. A plugin
//! measures with it, so that no wait for the user's rate limit enters a metric.

use std::cell::Cell;

use stampede_time::{Clock, Nanos};

/// The clock of one task.
#[derive(Default)]
pub struct ActiveTime {
    /// Operations that wait for a turn.
    waiting: Cell<u32>,
    /// Exchanges and operations on sockets that are under way.
    under_way: Cell<u32>,
    /// Time at which the task began to wait only; valid while it does.
    idle_since: Cell<Nanos>,
    /// Time for which it has waited only, in all.
    idle: Cell<Nanos>,
}

impl ActiveTime {
    /// Forgets the previous task, whose operations are gone.
    pub(super) fn begin(&self) {
        debug_assert_eq!((self.waiting.get(), self.under_way.get()), (0, 0), "an operation of the last task is left");
        self.idle.set(0);
    }

    /// Returns the time of the run's clock, `now`, less that for which the task has waited only.
    pub fn at(&self, now: Nanos) -> Nanos {
        let current = if self.is_idle() { now.saturating_sub(self.idle_since.get()) } else { 0 };
        now.saturating_sub(self.idle.get() + current)
    }

    /// Counts an operation that begins to wait for a turn.
    pub(super) fn wait<'a>(&'a self, clock: &'a Clock) -> CountGuard<'a> {
        CountGuard::new(self, &self.waiting, clock)
    }

    /// Counts an operation that goes under way.
    pub(super) fn go<'a>(&'a self, clock: &'a Clock) -> CountGuard<'a> {
        CountGuard::new(self, &self.under_way, clock)
    }

    fn is_idle(&self) -> bool {
        self.waiting.get() > 0 && self.under_way.get() == 0
    }

    /// Changes a count by `change`. `now` is asked for the time only if the task begins or ceases to wait only.
    fn count(&self, count: &Cell<u32>, change: i32, now: impl FnOnce() -> Nanos) {
        let was_idle = self.is_idle();
        count.set(count.get().wrapping_add_signed(change));
        match (was_idle, self.is_idle()) {
            (false, true) => self.idle_since.set(now()),
            (true, false) => self.idle.set(self.idle.get() + now().saturating_sub(self.idle_since.get())),
            _ => {}
        }
    }
}

/// Counts an operation until it is dropped, however the operation ends.
pub(super) struct CountGuard<'a> {
    active: &'a ActiveTime,
    count: &'a Cell<u32>,
    clock: &'a Clock,
}

impl<'a> CountGuard<'a> {
    fn new(active: &'a ActiveTime, count: &'a Cell<u32>, clock: &'a Clock) -> Self {
        active.count(count, 1, || clock.now());
        Self { active, count, clock }
    }
}

impl Drop for CountGuard<'_> {
    fn drop(&mut self) {
        self.active.count(self.count, -1, || self.clock.now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts without a guard, at a time of the test's choice.
    fn change(active: &ActiveTime, count: &Cell<u32>, by: i32, now: Nanos) {
        active.count(count, by, || now);
    }

    #[test]
    fn the_clock_stands_still_only_while_a_task_can_only_wait() {
        let active = ActiveTime::default();
        assert_eq!(active.at(10), 10);
        change(&active, &active.waiting, 1, 10);
        assert_eq!(active.at(15), 10);
        change(&active, &active.waiting, 1, 20);
        change(&active, &active.waiting, -1, 30);
        assert_eq!(active.at(30), 10, "one of two still waits");
        change(&active, &active.under_way, 1, 40);
        assert_eq!(active.at(50), 20, "an exchange is under way beside the wait");
        change(&active, &active.under_way, -1, 50);
        assert_eq!(active.at(60), 20);
        change(&active, &active.waiting, -1, 70);
        assert_eq!(active.at(75), 25);
    }
}
