//! The report equals the target's counts, to the request and to the byte, however the run ends.

use stampede_tests::{Report, Run, Signal, settled, site, wait_for};

use crate::shooter;

/// Replies of all lengths, good and bad statuses, bodies in both directions, and a new connection for each user.
const SCRIPT: &str = r#"
data: {codes: ["200", "204", "404", "503"]}
steps:
  - name: Catalog
    url: /api/v1/catalog?page={{randInt 1 20}}
  - name: Status
    url: /status/{{pick codes}}
  - name: Bytes
    url: /bytes/{{randInt 0 5000}}
  - name: Chunked
    url: /chunked/{{randInt 0 9000}}
  - name: Echo
    method: POST
    url: /echo
    body: "{{randString 40}}"
"#;

const USERS: u64 = 500;
const REPETITIONS: usize = 5;

/// Requests that the target counts before a run is ended from outside; a few for each user.
const SEEN: u64 = 3 * USERS;

/// Returns a call in which requests that are in flight at the end have all the time they need, on any machine.
fn run(base: &str) -> Run {
    shooter().script(SCRIPT).args("--users 500 --graceful-stop 60s --base-url").arg(base).report()
}

#[track_caller]
fn assert_sound(report: &Report) {
    report.assert_consistent();
    let totals = report.totals();
    assert_eq!(totals.tasks("cancelled") + totals.tasks("dropped"), 0, "everything had the time to finish");
    assert!(totals.err() > 0 && totals.errors().keys().all(|category| *category == "status"), "{:?}", totals.errors());
}

#[cfg(unix)]
fn ended_by(signal: Signal) {
    for _ in 0..REPETITIONS {
        let site = site();
        let running = run(&site.base_url()).args("--duration 1h").spawn();
        wait_for("the first requests", || site.stats().snapshot().requests >= SEEN);
        running.signal(signal);
        let report = running.finish().exits(130).report();
        report.assert_equals(&settled(&site.stats()));
        assert_sound(&report);
        assert!(report.totals().total() >= SEEN);
        assert_eq!(report.at("/run/ended"), "interrupted");
    }
}

#[test]
fn totals_equal_the_sites_counters_when_500_users_have_walked_their_iterations() {
    for _ in 0..REPETITIONS {
        let site = site();
        let report = run(&site.base_url()).args("--iterations 2").finish().exits(0).report();
        report.assert_equals(&settled(&site.stats()));
        assert_sound(&report);
        assert_eq!(report.totals().total(), USERS * 2 * 5);
        assert_eq!(report.at("/run/ended"), "iterations");
    }
}

#[test]
#[cfg(unix)]
fn totals_equal_the_sites_counters_when_ctrl_c_ends_500_users() {
    ended_by(Signal::Interrupt);
}

#[test]
#[cfg(unix)]
fn totals_equal_the_sites_counters_when_sigterm_ends_500_users() {
    ended_by(Signal::Terminate);
}
