//! The end of a run: by its iterations, its duration or a signal, gracefully or at once, and always with a report.

use std::collections::BTreeMap;

use stampede_tests::{RawServer, Signal, settled, site, wait_for};

use crate::shooter;

const DELAYED: &str = "- {name: Delayed, url: /delay/300}\n";
const ENDLESS: &str = "- {name: Endless, url: /endless, timeout: 1h}\n";

#[test]
#[cfg(unix)]
fn a_graceful_stop_lets_requests_in_flight_finish_and_counts_them_as_good() {
    let site = site();
    let running = shooter()
        .script(DELAYED)
        .args("--users 3 --duration 1h --graceful-stop 60s --base-url")
        .arg(site.base_url())
        .report()
        .spawn();
    wait_for("three requests in flight", || site.stats().snapshot().in_flight == 3);
    running.signal(Signal::Interrupt);
    let report = running.finish().exits(130).report();
    report.assert_equals(&settled(&site.stats()));
    report.assert_consistent();
    assert_eq!((report.totals().ok() % 3, report.totals().err()), (0, 0));
    assert!(report.totals().ok() >= 3);
}

#[test]
#[cfg(unix)]
fn without_a_graceful_stop_an_endless_request_is_cancelled_and_the_report_still_comes() {
    let site = site();
    let running = shooter()
        .script(ENDLESS)
        .args("--users 2 --duration 1h --graceful-stop 0s --base-url")
        .arg(site.base_url())
        .report()
        .spawn();
    wait_for("two endless replies", || site.stats().snapshot().in_flight == 2);
    running.signal(Signal::Interrupt);
    let run = running.finish().exits(130);
    let report = run.report();
    report.assert_consistent();
    let row = report.row("Endless");
    assert_eq!((row.total(), row.tasks("cancelled")), (2, 2));
    assert_eq!(row.errors(), BTreeMap::from([("cancelled", 2)]));
    assert_eq!(row.statuses(), BTreeMap::from([(200, 2)]));
    assert!(run.stdout.contains("Endless"), "{}", run.stdout);
}

#[test]
fn at_the_end_of_the_duration_an_endless_request_is_unfinished_after_the_graceful_stop() {
    let site = site();
    let run = shooter()
        .script(ENDLESS)
        .args("--duration 1s --graceful-stop 100ms --base-url")
        .arg(site.base_url())
        .report()
        .finish()
        .exits(9);
    assert_eq!(run.report().row("Endless").errors(), BTreeMap::from([("unfinished", 1)]));
    assert_eq!(run.report().row("Endless").tasks("failed"), 1);
    assert_eq!(run.report().at("/run/ended"), "duration");
}

#[test]
#[cfg(unix)]
fn a_second_ctrl_c_stops_at_once_and_still_prints() {
    let site = site();
    let mut running = shooter()
        .script(ENDLESS)
        .args("--duration 1h --graceful-stop 1h --base-url")
        .arg(site.base_url())
        .report()
        .spawn();
    wait_for("an endless reply", || site.stats().snapshot().in_flight == 1);
    // Two signals that arrive together count as one. The signal is repeated until the run ends, which the first alone
    // achieves only after an hour.
    wait_for("the end", || {
        let ended = running.has_ended();
        if !ended {
            running.signal(Signal::Interrupt);
        }
        ended
    });
    let run = running.finish().exits(130);
    assert_eq!(run.report().row("Endless").errors(), BTreeMap::from([("cancelled", 1)]));
    assert!(run.stdout.contains("Totals: 1 request, 0 % success"), "{}", run.stdout);
}

#[test]
fn the_duration_ends_a_run() {
    let site = site();
    let run = shooter()
        .script("- {name: Page, url: /bytes/100}\n")
        .args("--users 5 --duration 1s --graceful-stop 60s --rps 50 --base-url")
        .arg(site.base_url())
        .report()
        .finish()
        .exits(0);
    let report = run.report();
    report.assert_equals(&settled(&site.stats()));
    assert_eq!(report.at("/run/ended"), "duration");
    assert!(report.at("/run/elapsed_us").as_u64().is_some_and(|elapsed| elapsed >= 1_000_000));
    assert!(report.totals().ok() >= 5);
}

#[test]
fn every_user_walks_exactly_its_iterations() {
    let target = RawServer::recording();
    shooter()
        .script("- {name: One, url: '/one/{{userId}}/{{iteration}}'}\n- {name: Two, url: '/two/{{userId}}/{{iteration}}'}\n")
        .args("--users 7 --iterations 3 --duration 1h --base-url")
        .arg(target.base_url())
        .finish()
        .exits(0);
    let mut seen: Vec<_> = target.take().into_iter().map(|request| request.line).collect();
    seen.sort();
    let mut expected: Vec<_> = ["one", "two"]
        .iter()
        .flat_map(|step| (0..7).map(move |user| (step, user)))
        .flat_map(|(step, user)| (0..3).map(move |iteration| format!("GET /{step}/{user}/{iteration} HTTP/1.1")))
        .collect();
    expected.sort();
    assert_eq!(seen, expected);
}
