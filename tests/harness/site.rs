//! The embedded site as a target.

use stampede_shooter::demo::{RunningSite, Site, Snapshot, Stats};

use crate::wait_for;

/// Starts the embedded site on a free port. One thread, so that it accepts connections in the order they came.
pub fn site() -> RunningSite {
    Site::spawn(([127, 0, 0, 1], 0).into(), 1).expect("the embedded site starts")
}

/// The site's counters once nothing is in flight any more.
pub fn settled(stats: &Stats) -> Snapshot {
    wait_for("the site to have nothing in flight", || stats.snapshot().in_flight == 0);
    stats.snapshot()
}
