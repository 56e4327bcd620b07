//! The embedded site as a target.

use stampede_site::{RunningSite, Site, SiteCounts, SiteStats};

use crate::wait_for;

/// Starts the embedded site on a free port. It has one thread, so that it accepts connections in the order in which
/// they were made.
///
/// Its connections are open files of the test's process, whose soft limit may be as low as 256; the limit is raised.
pub fn site() -> RunningSite {
    // A limit that cannot be raised may be high enough already.
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    Site::spawn(([127, 0, 0, 1], 0).into(), 1).expect("the embedded site starts")
}

/// Waits until no request is in flight, and returns the site's counters.
pub fn settled(stats: &SiteStats) -> SiteCounts {
    wait_for("the site to have nothing in flight", || stats.snapshot().in_flight == 0);
    stats.snapshot()
}
