//! The starts that a plan promises, as a pure function: coordinator and nodes compute the same numbers from it.

use stampede_fleet::{FleetSchedule, PromisedStarts, Steering, Time};
use stampede_time::{Nanos, nanos};

use crate::load_model::{ArrivalRule, IterationRule};
use crate::metrics::interval::Interval;
use crate::plan::{Plan, Scenario};
use crate::segment::{Deal, Segment};

/// The scenarios of a plan whose iterations begin at promised times.
#[derive(Clone, Debug)]
pub(super) struct PlanSchedule {
    segments: u32,
    scenarios: Vec<OpenScenario>,
    /// `true` if all scenarios of the plan are such.
    is_open: bool,
}

/// A scenario of an open model.
#[derive(Clone, Debug)]
struct OpenScenario {
    /// Its index in the plan.
    index: usize,
    start: Nanos,
    first_user: u32,
    rule: ArrivalRule,
}

impl PlanSchedule {
    /// Returns the schedule of a plan that is divided into this many segments.
    pub(super) fn new(plan: &Plan, segments: u32) -> Self {
        let open = |(index, scenario): (usize, &Scenario)| match scenario.workload.rule() {
            IterationRule::Arrivals(rule) => Some(OpenScenario {
                index,
                start: nanos(scenario.workload.start),
                first_user: scenario.first_user,
                rule: rule.clone(),
            }),
            IterationRule::SelfPaced(_) => None,
        };
        let scenarios: Vec<_> = plan.scenarios.iter().enumerate().filter_map(open).collect();
        Self { segments, is_open: scenarios.len() == plan.scenarios.len(), scenarios }
    }

    /// Returns `true` if all iterations begin at promised times.
    pub(super) const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Returns the promised starts among the iterations that an interval counts.
    pub(super) fn counted(&self, interval: &Interval) -> PromisedStarts {
        let mut starts = PromisedStarts::default();
        for iterations in self.scenarios.iter().filter_map(|open| interval.iterations.get(open.index)) {
            starts.fired += iterations.completed + iterations.cut_short;
            starts.dropped += iterations.dropped;
        }
        starts
    }
}

impl FleetSchedule for PlanSchedule {
    fn due(&self, segment: u32, from: Time, to: Time, steering: &[Steering]) -> u64 {
        let Some(segment) = Segment::new(segment.saturating_add(1), self.segments) else { return 0 };
        let of_scenario = |open: &OpenScenario| {
            let own = segment.users().counted_from(open.first_user);
            let deal = Deal::new(open.rule.max_users, own);
            let before = |at: Time| deal.count_below(open.rule.process.count_below(open.area_until(at, steering)));
            before(to).saturating_sub(before(from))
        };
        if from < to { self.scenarios.iter().map(of_scenario).sum() } else { 0 }
    }
}

impl OpenScenario {
    /// Returns the area under the rate from the start of the run until an instant, as changes have scaled it.
    fn area_until(&self, at: Time, steering: &[Steering]) -> f64 {
        let planned = |at: Time| self.rule.rate.area_until(at.saturating_sub(self.start));
        let (mut area, mut last, mut scale) = (0.0, 0, 1.0);
        for change in steering.iter().take_while(|change| change.at < at) {
            area += scale * (planned(change.at) - planned(last));
            last = change.at.max(last);
            scale = if change.is_paused { 0.0 } else { f64::from(change.scale_permille) / 1_000.0 };
        }
        area + scale * (planned(at) - planned(last))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stampede_fleet::SECOND;

    use super::*;
    use crate::pace::{ArrivalProcess, LoadProfile};

    fn schedule(process: ArrivalProcess, segments: u32) -> PlanSchedule {
        let rate = LoadProfile::constant(10.0, Duration::from_secs(6));
        let rule = ArrivalRule { rate, process, max_users: 7, max_wait: Duration::ZERO };
        let scenarios = vec![OpenScenario { index: 0, start: SECOND, first_user: 3, rule }];
        PlanSchedule { segments, scenarios, is_open: true }
    }

    #[test]
    fn the_segments_are_due_what_the_run_is_due() {
        for process in [ArrivalProcess::Even, ArrivalProcess::Poisson(5)] {
            let whole = schedule(process, 1);
            for (from, to) in [(0, SECOND), (SECOND, 2 * SECOND), (0, 7 * SECOND), (3 * SECOND, u64::MAX)] {
                let all = whole.due(0, from, to, &[]);
                let parts: u64 = (0..3).map(|segment| schedule(process, 3).due(segment, from, to, &[])).sum();
                assert_eq!(all, parts, "{process:?} {from} {to}");
            }
        }
        assert_eq!(schedule(ArrivalProcess::Even, 1).due(0, 0, 7 * SECOND, &[]), 60);
        assert_eq!(schedule(ArrivalProcess::Even, 3).due(9, 0, 7 * SECOND, &[]), 0, "there is no such segment");
    }

    #[test]
    fn changes_count_from_their_instant_on() {
        let change =
            |at: u64, scale_permille, is_paused| Steering { number: 1, at: at * SECOND, scale_permille, is_paused };
        let changes = [change(2, 2_000, false), change(3, 2_000, true), change(5, 500, false)];
        // 10 in the first second, 20 in the next, none for two, then 5 in each of two.
        assert_eq!(schedule(ArrivalProcess::Even, 1).due(0, 0, 9 * SECOND, &changes), 40);
        assert_eq!(schedule(ArrivalProcess::Even, 1).due(0, 3 * SECOND, 5 * SECOND, &changes), 0);
    }
}
