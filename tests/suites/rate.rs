//! The cap on each user's rate, as the target sees it. The exact start times are tested in virtual time, in
//! `host/src/pace/limiter.rs`; here the real program gives the same numbers.

use stampede_tests::{settled, site};

use crate::shooter;

/// Users × rps × duration.
const PROMISED: u64 = 20 * 5 * 2;

/// Tolerance in microseconds: the last turn of the last user is due 10 ms before the end, and a later start misses it.
const SLACK: u64 = 10_000;

#[test]
fn users_start_exactly_what_their_rate_allows() {
    let site = site();
    let run = shooter()
        .script("- {name: Page, url: /bytes/100}\n")
        .args("--users 20 --rps 5 --duration 2s --graceful-stop 60s --base-url")
        .arg(site.base_url())
        .report()
        .finish()
        .exits(0);
    let (report, counted) = (run.report(), settled(&site.stats()));
    report.assert_equals(&counted);
    assert!(counted.requests <= PROMISED, "{} requests are more than the rate allows", counted.requests);
    // On a busy machine a turn may come too late for the end of the run. The report shows it, as the delay of starts, a
    // late loop, or replies that took longer than the interval between two turns.
    let late = ["/generator/start_delay_us/max", "/totals/response_time_us/max"];
    let late = late.map(|pointer| report.at(pointer).as_u64().expect("a number")).into_iter();
    let lags = report.at("/generator/workers").as_array().expect("a list").iter();
    let lags = lags.map(|worker| worker["loop_lag_max_us"].as_u64().expect("a number"));
    if late.chain(lags).max().is_some_and(|late| late < SLACK / 2) {
        assert!(counted.requests.abs_diff(PROMISED) * 100 <= PROMISED, "{} requests", counted.requests);
    }
}
