//! The plan of a run of a fleet: the data that all its machines agree on before it starts. The script itself, its
//! plugins and its data files are objects beside it, named by their digests.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::names::RunId;
use crate::time::{MILLISECOND, SECOND, Time};

/// The greatest number of segments.
pub const MAX_SEGMENTS: u32 = 1_000;

/// The longest plan, in bytes.
pub const MAX_PLAN: usize = 900 << 10;

/// The form of plans that this version writes and reads.
const FORMAT: u32 = 1;

/// Millionths that make a whole.
pub const MILLION: u32 = 1_000_000;

/// The plan of a run of a fleet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FleetPlan {
    /// The form of this data, 1.
    pub format: u32,
    /// The name of the run.
    pub run: RunId,
    /// The number of segments, 1 to 1,000. Each is a stride of one global schedule, and carried out by one node.
    pub segments: u32,
    /// The version of the program. A node of another version is refused.
    pub version: String,
    /// The digest of script, plugins and data, as the nodes compute it from what they have loaded.
    pub digest: String,
    /// The objects that a node fetches.
    pub objects: Vec<PlanObject>,
    /// `true` if iterations begin at promised times and no iteration needs another one's user: another node can take a
    /// lost segment over.
    pub is_open: bool,
    /// The consequence of a lost node.
    pub loss: LossPolicy,
    /// The answer to nodes that come after the start.
    pub late: LatePolicy,
    /// The wait for nodes before the start.
    pub barrier: BarrierRule,
    /// The demands on clocks.
    pub clock: ClockRule,
    /// The length of the load, in milliseconds.
    pub length_ms: u64,
    /// The time after the load in which open requests may end, in milliseconds. After that a node ends by itself: the
    /// hard end.
    pub grace_ms: u64,
    /// The time without a sign of a coordinator after which a node stops, in milliseconds.
    pub orphan_after_ms: u64,
    /// The part of the run, in millionths, that may be missing from a verdict.
    pub coverage_tolerance_ppm: u32,
}

/// An object that a node fetches, checks and loads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanObject {
    /// The place that it has in the plan, such as `script` or the path of a data file.
    pub name: String,
    /// SHA-256 in hexadecimal digits, which is also its name in the store.
    pub sha256: String,
    /// Its length in bytes.
    pub bytes: u64,
}

/// The consequence of a lost node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LossPolicy {
    /// The run stops, and has failed.
    #[default]
    Fail,
    /// The run goes on while at most this part of the segments, in millionths, is lost.
    Tolerate(u32),
    /// The run goes on, and another node may take the segment over from the current second. For open models alone.
    Respawn,
}

/// The answer to a node that comes for a free segment after the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LatePolicy {
    /// It is refused, with the reason, and ends.
    #[default]
    Refuse,
    /// It begins in the current second. For open models alone.
    Join,
}

/// The wait for nodes before the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BarrierRule {
    /// The longest wait, in milliseconds.
    pub timeout_ms: u64,
    /// The number of nodes with which the run starts after that wait.
    pub quorum: u32,
}

/// The demands on clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClockRule {
    /// The greatest uncertainty of a node's clock relative to the coordinator's, in microseconds.
    pub bound_us: u64,
    /// `true` if a node above it is refused, as in one local network; otherwise there is a warning.
    pub is_strict: bool,
}

/// A fault of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError(String);

impl FleetPlan {
    /// Returns a plan with the customary rules: every node has to come within five minutes, none may be lost, and
    /// clocks must agree within 5 ms.
    pub fn new(run: RunId, segments: u32, length_ms: u64) -> Self {
        Self {
            format: FORMAT,
            run,
            segments,
            version: String::new(),
            digest: String::new(),
            objects: Vec::new(),
            is_open: false,
            loss: LossPolicy::Fail,
            late: LatePolicy::Refuse,
            barrier: BarrierRule { timeout_ms: 300_000, quorum: segments },
            clock: ClockRule { bound_us: 5_000, is_strict: true },
            length_ms,
            grace_ms: 30_000,
            orphan_after_ms: 30_000,
            coverage_tolerance_ppm: 0,
        }
    }

    /// Returns all faults of the plan.
    pub fn faults(&self) -> Vec<PlanError> {
        const DAYS: u64 = 30 * 24 * 3_600_000;
        let mut faults = Vec::new();
        let mut require = |holds: bool, text: String| {
            if !holds {
                faults.push(PlanError(text));
            }
        };
        require(self.format == FORMAT, format!("the plan has form {}, and this version reads {FORMAT}", self.format));
        let segments = self.segments;
        require((1..=MAX_SEGMENTS).contains(&segments), format!("{segments} segments, expected 1 to {MAX_SEGMENTS}"));
        let quorum = self.barrier.quorum;
        require((1..=segments).contains(&quorum), format!("a quorum of {quorum} of {segments} segments"));
        let respawns = self.loss == LossPolicy::Respawn || self.late == LatePolicy::Join;
        let text = "only runs of open models let nodes respawn or join late".to_owned();
        require(self.is_open || !respawns, text);
        let parts = [self.coverage_tolerance_ppm, if let LossPolicy::Tolerate(part) = self.loss { part } else { 0 }];
        require(parts.iter().all(|part| *part < MILLION), "a tolerance of everything".into());
        let times = [self.length_ms, self.grace_ms, self.orphan_after_ms, self.barrier.timeout_ms];
        require(times.iter().all(|time| *time <= DAYS), "a time of more than 30 days".into());
        require(self.length_ms > 0, "a run without a length".into());
        require(self.orphan_after_ms >= 10_000, "`orphan_after_ms` is less than 10 seconds".into());
        faults
    }

    /// Reads a plan and checks it.
    ///
    /// # Errors
    /// The bytes are not a plan, are more than 900 KiB, or the plan has [faults](Self::faults).
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, PlanError> {
        if bytes.len() > MAX_PLAN {
            return Err(PlanError(format!("a plan of {} bytes, expected {MAX_PLAN} at most", bytes.len())));
        }
        let plan: Self = serde_json::from_slice(bytes).map_err(|error| PlanError(format!("not a plan: {error}")))?;
        match plan.faults().into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(plan),
        }
    }

    /// Writes the plan.
    pub fn to_bytes(&self) -> Vec<u8> {
        // Names and numbers can always be written.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Returns the length of the load.
    pub fn length(&self) -> Time {
        self.length_ms.saturating_mul(MILLISECOND)
    }

    /// Returns the time from the start of the load at which nodes end by themselves.
    pub fn hard_end(&self) -> Time {
        self.length().saturating_add(self.grace_ms.saturating_mul(MILLISECOND))
    }

    /// Returns the time without a sign of a coordinator after which a node stops.
    pub(crate) fn orphan_after(&self) -> Time {
        self.orphan_after_ms.saturating_mul(MILLISECOND)
    }

    /// Returns the longest wait for nodes.
    pub(crate) fn barrier_timeout(&self) -> Time {
        self.barrier.timeout_ms.saturating_mul(MILLISECOND)
    }

    /// Returns `true` if the policy lets a run go on with this many lost segments.
    pub(crate) fn tolerates(&self, lost: u32) -> bool {
        match self.loss {
            LossPolicy::Fail => lost == 0,
            LossPolicy::Tolerate(part) => {
                u64::from(lost) * u64::from(MILLION) <= u64::from(part) * u64::from(self.segments)
            }
            LossPolicy::Respawn => true,
        }
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PlanError {}

/// The time for which a lease is valid after its last renewal.
pub const LEASE_LAPSE: Time = 5 * SECOND;

/// The time between two renewals of a lease.
pub const LEASE_RENEWAL: Time = SECOND + SECOND / 2;

/// The longest wait of a node for acknowledgements after its load.
pub(crate) const FLUSH: Time = 10 * SECOND;

/// The longest time that a node takes to store its final counts.
pub(crate) const STORE: Time = 60 * SECOND;

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> FleetPlan {
        FleetPlan::new(RunId::new("match").unwrap(), 40, 60_000)
    }

    #[test]
    fn a_plan_is_read_as_it_was_written() {
        let mut plan = plan();
        (plan.is_open, plan.loss, plan.late) = (true, LossPolicy::Tolerate(10_000), LatePolicy::Join);
        plan.objects.push(PlanObject { name: "script".into(), sha256: "ab".repeat(32), bytes: 5 });
        assert_eq!(FleetPlan::from_bytes(&plan.to_bytes()), Ok(plan));
    }

    #[test]
    fn all_faults_are_found() {
        let mut wrong = plan();
        (wrong.format, wrong.segments, wrong.length_ms, wrong.orphan_after_ms) = (2, 1_001, 0, 1);
        (wrong.barrier.quorum, wrong.loss, wrong.coverage_tolerance_ppm) = (0, LossPolicy::Respawn, MILLION);
        wrong.grace_ms = u64::MAX;
        let texts: Vec<_> = wrong.faults().iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "the plan has form 2, and this version reads 1",
                "1001 segments, expected 1 to 1000",
                "a quorum of 0 of 1001 segments",
                "only runs of open models let nodes respawn or join late",
                "a tolerance of everything",
                "a time of more than 30 days",
                "a run without a length",
                "`orphan_after_ms` is less than 10 seconds",
            ]
        );
        assert!(FleetPlan::from_bytes(&wrong.to_bytes()).is_err());
        assert_eq!(plan().faults(), []);
    }

    #[test]
    fn what_is_not_a_plan_is_an_error() {
        let mut unknown: serde_json::Value = serde_json::from_slice(&plan().to_bytes()).unwrap();
        unknown["late_joiners"] = "x".into();
        for bytes in [&b"{}"[..], b"", b"\xff", unknown.to_string().as_bytes(), &vec![b' '; MAX_PLAN + 1]] {
            assert!(FleetPlan::from_bytes(bytes).is_err());
        }
    }

    #[test]
    fn the_tolerance_counts_segments() {
        let mut plan = plan();
        assert!(plan.tolerates(0) && !plan.tolerates(1));
        plan.loss = LossPolicy::Tolerate(50_000);
        assert!(plan.tolerates(2) && !plan.tolerates(3), "5 % of 40");
    }
}
