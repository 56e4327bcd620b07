//! The wait for the machines: who is missing and who is refused is named, and there is no load.

use serde_json::json;
use stampede_tests::{NatsServer, Signal, site, wait_for};

use super::{RUN, lead, node};

const SCRIPT: &str = "- {name: Page, url: /bytes/10}\n";

#[test]
fn machines_that_do_not_come_are_named() {
    let (site, server) = (site(), NatsServer::start());
    let leader = lead(&server, 3, |run| {
        run.script(SCRIPT).args("--users 3 --iterations 1 --wait 4s --base-url").arg(site.base_url())
    });
    let only = node(&server, "--segment 2/3");
    let leader = leader.finish().exits(11);
    assert!(leader.stderr.contains("no machine has segments 1, 3"), "{}", leader.stderr);
    assert_eq!(site.stats().snapshot().requests, 0, "there is no load");
    let only = only.finish().exits(0);
    assert!(only.stderr.contains("called off before its load began"), "{}", only.stderr);
}

#[test]
fn machines_of_another_version_or_with_other_files_are_refused_by_name() {
    let (site, server) = (site(), NatsServer::start());
    let leader = lead(&server, 1, |run| {
        run.script(SCRIPT).args("--users 1 --iterations 1 --wait 1h --base-url").arg(site.base_url())
    });
    let mut client = server.client(&format!("stampede.{RUN}.ctl"));
    let term = client.next_message()["Pulse"]["term"].clone();
    for (name, version, digest, expected) in [
        ("old", "0.0.1", "", "old, for segment 1, is refused: it has version 0.0.1"),
        ("other", env!("CARGO_PKG_VERSION"), "abc", "other, for segment 1, is refused: it has loaded another script"),
    ] {
        let ready = json!({"Ready": {
            "sender": {"node": name, "segment": 0, "epoch": 1},
            "version": version, "digest": digest, "clock_bound": 1, "term": term,
        }});
        client.publish(&format!("stampede.{RUN}.rdy.{name}"), &ready);
        wait_for("the refusal", || leader.complained().contains(expected));
    }
    leader.signal(Signal::Interrupt);
    leader.finish().exits(130);
    assert_eq!(site.stats().snapshot().requests, 0, "there is no load");
}

#[test]
fn a_machine_waits_for_its_run_and_says_what_is_missing() {
    let server = NatsServer::start();
    let alone = node(&server, "--wait 1s").finish().exits(11);
    assert!(alone.stderr.contains("it found no run, no free segment or no start in time"), "{}", alone.stderr);
}

#[test]
fn machines_without_a_segment_of_their_own_claim_one_each() {
    let (site, server) = (site(), NatsServer::start());
    let nodes: Vec<_> = (0..3).map(|_| node(&server, "")).collect();
    let leader =
        lead(&server, 3, |run| run.script(SCRIPT).args("--users 3 --iterations 4 --base-url").arg(site.base_url()));
    let report = leader.finish().exits(0).report();
    assert_eq!((report.totals().total(), site.stats().snapshot().requests), (12, 12));
    nodes.into_iter().for_each(|node| {
        node.finish().exits(0);
    });
}
