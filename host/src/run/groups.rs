//! Times the groups of one walk: from the beginning of a group's first step to the end of its last, whatever lies between
//! them. One that the end of the run cuts off is not counted.

use crate::plan::flow::Group;
use crate::plugin::session::Shared;

use super::clock::Nanos;

/// The groups of one walk that have begun and not ended, the inner ones last.
#[derive(Default)]
pub struct Groups(Vec<Open>);

struct Open {
    group: Group,
    began: Nanos,
    passed: bool,
}

impl Groups {
    /// A group begins.
    pub fn begin(&mut self, group: Group, now: Nanos) {
        self.0.push(Open { group, began: now, passed: true });
    }

    /// A step in all of them has ended.
    pub fn step(&mut self, passed: bool) {
        self.0.iter_mut().for_each(|open| open.passed &= passed);
    }

    /// The one that began last has ended.
    pub fn end(&mut self, shared: &Shared) {
        let Some(Open { group, began, passed }) = self.0.pop() else { return };
        let took = shared.clock.now().saturating_sub(began);
        let mut recorder = shared.recorder.borrow_mut();
        if recorder.counts(began) {
            recorder.add(group.duration, took as f64);
            recorder.add(group.passed, f64::from(u8::from(passed)));
        }
    }
}
