//! The embedded site as a target.

use stampede_site::{RunningSite, Site, SiteCounts, SiteStats};

use crate::wait_for;

/// Starts the embedded site on a free port. One thread, so that it accepts connections in the order they came.
///
/// Its connections are open files of the test's process, whose soft limit may be as low as 256; it is raised.
pub fn site() -> RunningSite {
    // Where it cannot be raised, it may be high enough already.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    Site::spawn(([127, 0, 0, 1], 0).into(), 1).expect("the embedded site starts")
}

/// The site's counters once nothing is in flight any more.
pub fn settled(stats: &SiteStats) -> SiteCounts {
    wait_for("the site to have nothing in flight", || stats.snapshot().in_flight == 0);
    stats.snapshot()
}
