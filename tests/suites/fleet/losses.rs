//! Machines that die: the run ends or goes on as it was told, names them, and does not pass by what it did not see.

use serde_json::json;
use stampede_tests::{Signal, settled, site, wait_for};

use super::{Fleet, lead};

const SCRIPT: &str = "- {name: Page, url: /bytes/10}\n";

#[test]
fn a_machine_that_is_killed_ends_the_run_and_is_named() {
    let site = site();
    let load = "--users 3 --rps 20 --duration 1h --base-url";
    let mut fleet = Fleet::start(3, |run| run.script(SCRIPT).args(load).arg(site.base_url()));
    wait_for("the load", || site.stats().snapshot().requests >= 60);
    // It is killed as by `kill -9`.
    drop(fleet.nodes.remove(1));
    let leader = fleet.finish().exits(10);
    assert!(leader.stderr.contains("segment 2 is lost"), "{}", leader.stderr);
    assert!(leader.stderr.contains("not conclusive: segment 2 of 3 lost"), "{}", leader.stderr);
    let report = leader.report();
    assert_eq!(report.at("/run/verdict"), "inconclusive");
    assert_eq!(report.at("/settings/segments/included"), &json!([1, 3]));
    assert!(report.totals().total() <= settled(&site.stats()).requests, "nothing is counted twice");
}

#[test]
fn a_run_that_tolerates_losses_goes_on() {
    let site = site();
    let load = "--users 4 --rps 10 --duration 12s --tolerate-loss 50% --base-url";
    let mut fleet = Fleet::start(4, |run| run.script(SCRIPT).args(load).arg(site.base_url()));
    wait_for("the load", || site.stats().snapshot().requests >= 40);
    drop(fleet.nodes.remove(3));
    let leader = fleet.finish().exits(0);
    assert!(leader.stderr.contains("segment 4 is lost"), "{}", leader.stderr);
    assert_eq!(leader.report().at("/run/ended"), "duration");
}

#[test]
fn a_leader_that_is_killed_is_started_again_and_misses_nothing() {
    let site = site();
    let load = "--users 4 --rps 10 --duration 12s --seed 7 --graceful-stop 60s --base-url";
    let base = site.base_url();
    let fleet = Fleet::start(2, |run| run.script(SCRIPT).args(load).arg(&base));
    wait_for("the load", || site.stats().snapshot().requests >= 40);
    drop(fleet.leader);
    let leader = lead(&fleet.server, 2, |run| run.script(SCRIPT).args(load).arg(&base)).finish().exits(0);
    assert!(leader.stderr.contains("has begun before, and is carried on"), "{}", leader.stderr);
    leader.report().assert_equals(&settled(&site.stats()));
    fleet.nodes.into_iter().for_each(|node| {
        node.finish().exits(0);
    });
}

#[test]
fn a_person_who_interrupts_the_leader_ends_all_machines() {
    let site = site();
    let load = "--users 4 --rps 20 --duration 1h --graceful-stop 60s --base-url";
    let fleet = Fleet::start(2, |run| run.script(SCRIPT).args(load).arg(site.base_url()));
    wait_for("the load", || site.stats().snapshot().requests >= 40);
    fleet.leader.signal(Signal::Interrupt);
    let report = fleet.finish().exits(130).report();
    report.assert_equals(&settled(&site.stats()));
}
