//! Times the groups of one walk: from the beginning of a group's first step to the end of its last, whatever lies between
//! them. One that the end of the run cuts off is not counted.

use crate::plan::Group;
use crate::plugin::session::Shared;

use super::clock::Nanos;

/// The groups of one walk that have begun.
pub struct Groups<'a> {
    /// Those that have not begun.
    to_come: &'a [Group],
    open: Vec<Open<'a>>,
}

struct Open<'a> {
    group: &'a Group,
    began: Nanos,
    passed: bool,
}

impl<'a> Groups<'a> {
    /// Those of a plan, before its first step.
    pub const fn new(groups: &'a [Group]) -> Self {
        Self { to_come: groups, open: Vec::new() }
    }

    /// A step begins.
    pub fn begin(&mut self, step: usize, now: Nanos) {
        while let Some((group, rest)) = self.to_come.split_first().filter(|(group, _)| group.first == step) {
            self.open.push(Open { group, began: now, passed: true });
            self.to_come = rest;
        }
    }

    /// A step has ended, and with it the groups that it is the last of.
    pub fn end(&mut self, step: usize, passed: bool, shared: &Shared) {
        self.open.iter_mut().for_each(|open| open.passed &= passed);
        while let Some(Open { group, began, passed }) = self.open.pop_if(|open| open.group.after == step + 1) {
            let took = shared.clock.now().saturating_sub(began);
            let mut recorder = shared.recorder.borrow_mut();
            recorder.add(group.duration, took as f64);
            recorder.add(group.passed, f64::from(u8::from(passed)));
        }
    }
}
