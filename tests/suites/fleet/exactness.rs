//! A fleet reports what the target has counted, to the request and to the byte, and what one process would send.

use std::collections::BTreeSet;

use stampede_tests::{RawServer, settled, site};

use super::Fleet;
use crate::shooter;

/// Replies of all lengths, good and bad statuses, and bodies in both directions.
const SCRIPT: &str = r#"
data: {codes: ["200", "204", "404", "503"]}
steps:
  - {name: Status, url: "/status/{{pick codes}}"}
  - {name: Bytes, url: "/bytes/{{randInt 0 5000}}"}
  - {name: Chunked, url: "/chunked/{{randInt 0 9000}}"}
  - {name: Echo, method: POST, url: /echo, body: "{{randString 40}}"}
"#;

#[test]
fn totals_statuses_and_bytes_of_eight_processes_are_the_targets() {
    let site = site();
    let load = "--users 40 --iterations 30 --fail-on never --graceful-stop 60s --seed 7 --base-url";
    let fleet = Fleet::start(8, |run| run.script(SCRIPT).args(load).arg(site.base_url()));
    let report = fleet.finish().exits(0).report();
    report.assert_equals(&settled(&site.stats()));
    report.assert_consistent();
    assert_eq!(report.totals().total(), 40 * 30 * 4);
    let alone = self::site();
    let one = shooter().script(SCRIPT).args(load).arg(alone.base_url()).report().finish().exits(0).report();
    assert_eq!(report.totals().statuses(), one.totals().statuses(), "the same users draw the same codes");
    assert_eq!(report.totals().body_in(), one.totals().body_in(), "and the same lengths");
    assert_eq!(report.at("/settings/segments/included"), &serde_json::json!([1, 2, 3, 4, 5, 6, 7, 8]));
}

#[test]
fn a_rate_of_the_whole_fleet_is_not_multiplied() {
    let site = site();
    let load = "--arrival-rate 100/s --duration 3s --max-users 60 --graceful-stop 60s --base-url";
    let fleet = Fleet::start(4, |run| run.script("- {name: Page, url: /bytes/100}\n").args(load).arg(site.base_url()));
    let report = fleet.finish().exits(0).report();
    report.assert_equals(&settled(&site.stats()));
    assert_eq!(report.totals().tasks("started"), 300, "each that is due, once");
}

#[test]
fn rows_that_are_given_once_and_user_numbers_do_not_overlap() {
    let target = RawServer::recording();
    let script =
        "data: {codes: {file: codes.txt, order: unique}}\nsteps: [{name: Get, url: \"/{{userId}}/{{next codes}}\"}]\n";
    let codes: String = (0..60).map(|number| format!("{number}\n")).collect();
    let load = "--users 12 --iterations 5 --base-url";
    let base = target.base_url();
    let fleet = Fleet::start(4, |run| run.file("codes.txt", codes).script(script).args(load).arg(base));
    fleet.finish().exits(0);
    let (mut users, mut rows) = (BTreeSet::new(), BTreeSet::new());
    for request in target.take() {
        let path = request.line.split(' ').nth(1).expect("a request line has a path").to_owned();
        let mut parts = path[1..].split('/').map(|part| part.parse::<u32>().expect("a number"));
        users.insert(parts.next().expect("a user"));
        assert!(rows.insert(parts.next().expect("a row")), "a row is given once");
    }
    assert_eq!((users.len(), rows.len()), (12, 60));
}

#[test]
fn a_threshold_is_judged_on_the_sum_of_all_machines() {
    let site = site();
    // Each machine stays below it, and together they do not.
    let script = "thresholds: {http_reqs: count<30}\nsteps: [{name: Page, url: /bytes/10}]\n";
    let load = "--users 4 --iterations 10 --base-url";
    let fleet = Fleet::start(4, |run| run.script(script).args(load).arg(site.base_url()));
    let leader = fleet.finish().exits(99);
    leader.report().assert_equals(&settled(&site.stats()));
}

#[test]
fn a_threshold_that_aborts_ends_all_machines() {
    let site = site();
    let script = "thresholds: {http_reqs: [{expr: count<20, abort: true}]}\nsteps: [{name: Page, url: /bytes/10}]\n";
    let load = "--users 4 --rps 20 --duration 1h --graceful-stop 60s --base-url";
    let fleet = Fleet::start(2, |run| run.script(script).args(load).arg(site.base_url()));
    let report = fleet.finish().exits(99).report();
    report.assert_equals(&settled(&site.stats()));
    assert_eq!(report.at("/run/ended"), "threshold");
}
