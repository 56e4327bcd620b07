//! The seconds of a run, on their way to thresholds, sinks and page. A second is closed when every live node has
//! delivered it, or three seconds after its end. What comes later belongs to the next second that is closed, so that
//! no second is shown twice and the seconds add up to the run.

use std::collections::BTreeMap;

use crate::time::{SECOND, Time};

/// The wait for nodes after the end of a second.
const CLOSE_AFTER: Time = 3 * SECOND;

/// Counts of a node.
#[derive(Clone, Debug)]
pub struct WindowPart<C> {
    /// The segment of the node.
    pub segment: u32,
    /// The first second that is inside.
    pub second_from: u32,
    /// The second after the last one that is inside.
    pub second_end: u32,
    /// The counts.
    pub counts: C,
}

/// A closed second of a run.
#[derive(Clone, Debug)]
pub struct Window<C> {
    /// The second, from the start of the load. Seconds come in order; those without counts are left out if a later one
    /// is closed with them.
    pub second: u32,
    /// The counts, one part for each frame, in the order in which they came. Frames of earlier seconds that were late
    /// are among them.
    pub parts: Vec<WindowPart<C>>,
    /// The number of segments that have delivered everything up to the end of this second.
    pub reporting: u32,
    /// The number of all segments: reporting of these is the coverage of the second.
    pub segments: u32,
    /// `true` if every live node has delivered.
    pub is_complete: bool,
}

/// The deliveries at one moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deliveries<'a> {
    /// The second after the last one that each segment has delivered.
    pub(crate) delivered: &'a [u32],
    /// The least of the live nodes; the greatest number if none lives.
    pub(crate) awaited: u32,
    /// The second after the last one of the load. Later ones are closed only if they have counts.
    pub(crate) last: u32,
}

/// The seconds that are not closed.
#[derive(Clone, Debug)]
pub(crate) struct Windows<C> {
    open: BTreeMap<u32, Vec<WindowPart<C>>>,
    next: u32,
}

impl<C> Windows<C> {
    /// Creates the windows of a run from its first second on.
    pub(crate) const fn new() -> Self {
        Self { open: BTreeMap::new(), next: 0 }
    }

    /// Leaves out the seconds before this one: another coordinator has shown them.
    pub(crate) fn skip_to(&mut self, second: u32) {
        if self.next < second {
            self.next = second;
            let kept = self.open.split_off(&second);
            let early = std::mem::replace(&mut self.open, kept);
            let parts: Vec<_> = early.into_values().flatten().collect();
            if !parts.is_empty() {
                self.open.entry(second).or_default().splice(0..0, parts);
            }
        }
    }

    /// Adds counts to the last of their seconds, or to the next one that will be closed. `current` is the second that
    /// goes on at the moment; no counts are from later ones.
    pub(crate) fn add(&mut self, part: WindowPart<C>, current: u32) {
        let second = part.second_end.saturating_sub(1).min(current).max(self.next);
        self.open.entry(second).or_default().push(part);
    }

    /// Closes the next second, if it is over and complete or late. `age` is the time since the start of the load.
    pub(crate) fn close(&mut self, age: Time, deliveries: Deliveries<'_>) -> Option<Window<C>> {
        let over = u32::try_from(age / SECOND).unwrap_or(u32::MAX);
        let late = u32::try_from(age.saturating_sub(CLOSE_AFTER) / SECOND).unwrap_or(u32::MAX);
        // The second after the last one that can be closed.
        let end = deliveries.awaited.min(over).max(late);
        if end <= self.next {
            return None;
        }
        let first = self.open.keys().next().copied().unwrap_or(u32::MAX);
        let second = first.min(end - 1);
        (second == first || second < deliveries.last).then(|| self.give_out(second, deliveries))
    }

    /// Closes the next second with counts of a run that is over.
    pub(crate) fn close_remaining(&mut self, deliveries: Deliveries<'_>) -> Option<Window<C>> {
        let second = *self.open.keys().next()?;
        Some(self.give_out(second, deliveries))
    }

    fn give_out(&mut self, second: u32, deliveries: Deliveries<'_>) -> Window<C> {
        self.next = second + 1;
        let reporting = deliveries.delivered.iter().filter(|end| **end > second).count();
        Window {
            second,
            parts: self.open.remove(&second).unwrap_or_default(),
            reporting: u32::try_from(reporting).unwrap_or(u32::MAX),
            segments: u32::try_from(deliveries.delivered.len()).unwrap_or(u32::MAX),
            is_complete: deliveries.awaited > second,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(segment: u32, second: u32) -> WindowPart<u32> {
        WindowPart { segment, second_from: second, second_end: second + 1, counts: second }
    }

    /// Returns the number, the counts and the completeness of each second that is closed.
    fn closed(windows: &mut Windows<u32>, age: Time, delivered: &[u32]) -> Vec<(u32, Vec<u32>, bool)> {
        let awaited = delivered.iter().copied().min().unwrap_or(u32::MAX);
        let deliveries = Deliveries { delivered, awaited, last: 4_000 };
        let all = std::iter::from_fn(|| windows.close(age, deliveries));
        all.map(|it| (it.second, it.parts.iter().map(|part| part.counts).collect(), it.is_complete)).collect()
    }

    #[test]
    fn a_second_is_closed_when_all_have_delivered_it_and_it_is_over() {
        let mut windows = Windows::new();
        windows.add(part(0, 0), 1);
        assert_eq!(closed(&mut windows, SECOND, &[1, 0]), []);
        windows.add(part(1, 0), 1);
        assert_eq!(closed(&mut windows, SECOND - 1, &[1, 1]), []);
        assert_eq!(closed(&mut windows, SECOND, &[1, 1]), [(0, vec![0, 0], true)]);
    }

    #[test]
    fn a_late_node_is_waited_for_three_seconds_and_counts_later() {
        let mut windows = Windows::new();
        windows.add(part(0, 0), 1);
        assert_eq!(closed(&mut windows, 4 * SECOND - 1, &[4, 0]), []);
        assert_eq!(closed(&mut windows, 4 * SECOND, &[4, 0]), [(0, vec![0], false)]);
        windows.add(part(1, 0), 4);
        windows.add(part(1, 1), 4);
        assert_eq!(closed(&mut windows, 4 * SECOND, &[4, 2]), [(1, vec![0, 1], true)]);
    }

    #[test]
    fn of_seconds_without_counts_the_last_is_closed() {
        let mut windows = Windows::new();
        windows.add(part(0, 7), 8);
        let all = closed(&mut windows, 3_600 * SECOND, &[8]);
        assert_eq!(all, [(7, vec![7], true), (3_596, vec![], false)]);
    }

    #[test]
    fn seconds_after_the_load_are_closed_only_with_counts() {
        let mut windows = Windows::new();
        let close = |windows: &mut Windows<u32>| {
            let deliveries = Deliveries { delivered: &[9], awaited: u32::MAX, last: 2 };
            std::iter::from_fn(|| windows.close(9 * SECOND, deliveries)).map(|it| it.second).collect::<Vec<_>>()
        };
        assert_eq!(close(&mut windows), [] as [u32; 0]);
        windows.add(part(0, 1), 9);
        windows.add(part(0, 5), 9);
        assert_eq!(close(&mut windows), [1, 5]);
    }

    #[test]
    fn counts_from_the_future_belong_to_the_current_second() {
        let mut windows = Windows::new();
        windows.add(part(0, u32::MAX - 1), 2);
        assert_eq!(windows.open.keys().copied().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn seconds_that_are_skipped_keep_their_counts() {
        let mut windows = Windows::new();
        windows.add(part(0, 0), 9);
        windows.add(part(0, 5), 9);
        windows.skip_to(5);
        let deliveries = Deliveries { delivered: &[9], awaited: 9, last: 9 };
        let window = windows.close_remaining(deliveries).expect("it has counts");
        assert_eq!((window.second, window.parts.len(), window.reporting), (5, 2, 1));
        assert!(windows.close_remaining(deliveries).is_none());
    }
}
