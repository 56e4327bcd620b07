//! The result of a run: what was planned and what became of it, segment by segment, and the verdict.

use serde::{Deserialize, Serialize};

use crate::counts::{FleetSchedule, PromisedStarts, Steering};
use crate::message::{EndCause, Refused, StopCause, StopOrder};
use crate::names::{NodeName, RunId};
use crate::plan::{FleetPlan, MILLION};
use crate::time::{MILLISECOND, Time};

/// The part that one node had in a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeShare {
    /// The node.
    pub node: NodeName,
    /// The instant, from the start of the load, at which it began.
    pub from: Time,
    /// The instant before which everything that was due is counted.
    pub until: Time,
    /// The promised starts among what was counted.
    pub starts: PromisedStarts,
    /// The greatest number of a frame that was counted.
    pub seq: u64,
    /// The reason for its end; `None` if its final counts did not come.
    pub end: Option<EndCause>,
    /// The first difference between its cumulative counts and the sum of its frames.
    pub difference: Option<String>,
    /// Requests that were open when it was lost, of which nothing is known.
    pub unknown: u64,
    /// The greatest error of its clock at the start, in nanoseconds.
    pub clock_bound: Time,
    /// Nanoseconds by which its clock drifted.
    pub drift: i64,
}

/// The promised starts of a segment or of a run: planned = fired + dropped + missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounting {
    /// The starts that the plan promises until the end of the load.
    pub planned: u64,
    /// The starts that were counted.
    pub starts: PromisedStarts,
    /// The starts of which nothing was counted: no node, a lost node, counts that did not arrive.
    pub missing: u64,
}

impl Accounting {
    /// Returns planned − (fired + dropped + missing), which is 0, unless nodes learned late of a change of the load.
    pub fn deviation(&self) -> i128 {
        i128::from(self.planned) - i128::from(self.starts.due()) - i128::from(self.missing)
    }

    fn add(&mut self, other: &Self) {
        self.planned = self.planned.saturating_add(other.planned);
        self.missing = self.missing.saturating_add(other.missing);
        self.starts.add(other.starts);
    }
}

/// The result of a segment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentReport {
    /// The segment, from 0.
    pub segment: u32,
    /// Its starts.
    pub accounting: Accounting,
    /// The nodes that carried it out, in order of time.
    pub shares: Vec<NodeShare>,
    /// `true` if a node was lost or left, and no other took its place until the end.
    pub is_lost: bool,
    /// `true` if two nodes carried out the same stretch, and both were counted.
    pub has_overlap: bool,
}

/// The part of a run that its numbers are about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Milliseconds of all segments that were counted.
    pub covered_ms: u64,
    /// Milliseconds of all segments until the end of the load.
    pub planned_ms: u64,
    /// Promised starts that were counted.
    pub starts: u64,
    /// Promised starts of the plan.
    pub planned_starts: u64,
}

impl Coverage {
    /// Returns the coverage in millionths, of time or of starts, whichever is less; never rounded up.
    pub fn millionths(&self) -> u32 {
        let part = |part: u64, whole: u64| match whole {
            0 => u128::from(MILLION),
            whole => (u128::from(part.min(whole)) * u128::from(MILLION)) / u128::from(whole),
        };
        let least = part(self.covered_ms, self.planned_ms).min(part(self.starts, self.planned_starts));
        u32::try_from(least).unwrap_or(MILLION)
    }
}

/// A node that was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedNode {
    /// The node.
    pub node: NodeName,
    /// The reason.
    pub reason: Refused,
}

/// The result of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetReport {
    /// The run.
    pub run: RunId,
    /// `true` if the load began.
    pub has_started: bool,
    /// The end of the load, from its start.
    pub end: Time,
    /// The order by which it ended before its time.
    pub stop: Option<StopOrder>,
    /// The segments.
    pub segments: Vec<SegmentReport>,
    /// The starts of all segments.
    pub accounting: Accounting,
    /// The part that the numbers are about.
    pub coverage: Coverage,
    /// The part that must be covered, in millionths.
    pub required_coverage: u32,
    /// The segments without a node at the start, or before there was one.
    pub absent: Vec<u32>,
    /// The lost segments.
    pub lost: Vec<u32>,
    /// `true` if the policy lets the run go on without the lost ones.
    pub is_loss_tolerated: bool,
    /// The nodes that were refused.
    pub refused: Vec<RefusedNode>,
    /// `true` if the load was scaled or paused.
    pub is_steered: bool,
    /// `true` if another coordinator had begun the run.
    pub is_resumed: bool,
}

/// The verdict of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FleetVerdict {
    /// Everything that was to be covered is, and all thresholds hold.
    Passed,
    /// It failed.
    Failed(RunFailure),
    /// The numbers do not allow a verdict.
    Inconclusive(Doubt),
}

/// Reasons why a run failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RunFailure {
    /// The load never began.
    NotStarted,
    /// More nodes were lost than the policy allows.
    Loss,
    /// A threshold failed.
    Threshold,
}

/// Reasons why the numbers do not allow a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Doubt {
    /// They are about too little of the run.
    Coverage,
    /// The sum of a node's frames is not what the node counted.
    Difference,
    /// Planned starts are not those that were fired, dropped or missing.
    Accounting,
}

impl FleetReport {
    /// Returns `true` if the starts of a segment are not those of the plan. In a run that was scaled or paused they may
    /// differ, since nodes can learn late of a change.
    fn is_doubtful(&self, segment: &SegmentReport) -> bool {
        segment.has_overlap || !self.is_steered && segment.accounting.deviation() != 0
    }

    /// Returns the verdict, given that of the thresholds.
    pub fn verdict(&self, thresholds_hold: bool) -> FleetVerdict {
        let is_lost = self.stop.is_some_and(|stop| stop.cause == StopCause::Loss) || !self.is_loss_tolerated;
        let mut shares = self.segments.iter().flat_map(|segment| &segment.shares);
        if !self.has_started {
            FleetVerdict::Failed(RunFailure::NotStarted)
        } else if is_lost {
            FleetVerdict::Failed(RunFailure::Loss)
        } else if shares.any(|share| share.difference.is_some()) {
            FleetVerdict::Inconclusive(Doubt::Difference)
        } else if self.segments.iter().any(|segment| self.is_doubtful(segment)) {
            FleetVerdict::Inconclusive(Doubt::Accounting)
        } else if self.coverage.millionths() < self.required_coverage {
            FleetVerdict::Inconclusive(Doubt::Coverage)
        } else if !thresholds_hold {
            FleetVerdict::Failed(RunFailure::Threshold)
        } else {
            FleetVerdict::Passed
        }
    }
}

/// The plan, as far as accounts are settled by it.
pub(crate) struct Account<'a, S> {
    pub(crate) plan: &'a FleetPlan,
    pub(crate) schedule: &'a S,
    pub(crate) steering: &'a [Steering],
    /// The end of the load.
    pub(crate) end: Time,
}

impl<S: FleetSchedule> Account<'_, S> {
    /// Settles a segment: what no share covers is missing.
    pub(crate) fn segment(&self, segment: u32, mut shares: Vec<NodeShare>) -> SegmentReport {
        shares.sort_by_key(|share| (share.from, share.until));
        let due = |from: Time, to: Time| match from < to {
            true => self.schedule.due(segment, from, to, self.steering),
            false => 0,
        };
        let last = shares.iter().map(|share| share.until).max().unwrap_or(0);
        // A node that learned late of the end has gone on for longer.
        let end = self.end.max(last).min(self.plan.length().max(self.end));
        let mut accounting = Accounting { planned: due(0, end), ..Accounting::default() };
        let (mut covered, mut has_overlap) = (0, false);
        for share in &shares {
            has_overlap |= share.from < covered && share.from < share.until;
            accounting.missing += due(covered, share.from.min(end));
            accounting.starts.add(share.starts);
            covered = covered.max(share.until);
        }
        accounting.missing += due(covered, end);
        let is_early = |share: &NodeShare| share.end != Some(EndCause::Stopped) && share.until < self.end;
        let is_lost = shares.last().is_some_and(is_early);
        SegmentReport { segment, accounting, shares, is_lost, has_overlap }
    }

    /// Adds the segments up.
    pub(crate) fn total(&self, segments: &[SegmentReport]) -> Accounting {
        segments.iter().fold(Accounting::default(), |mut sum, segment| {
            sum.add(&segment.accounting);
            sum
        })
    }

    /// Returns the part of the run that the shares cover.
    pub(crate) fn coverage(&self, segments: &[SegmentReport]) -> Coverage {
        let shares = segments.iter().flat_map(|segment| &segment.shares);
        let length = |share: &NodeShare| share.until.min(self.end).saturating_sub(share.from) / MILLISECOND;
        let total = self.total(segments);
        Coverage {
            covered_ms: shares.map(length).sum(),
            planned_ms: self.end / MILLISECOND * u64::from(self.plan.segments),
            starts: total.planned.saturating_sub(total.missing),
            planned_starts: total.planned,
        }
    }
}
