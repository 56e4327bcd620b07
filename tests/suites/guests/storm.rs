//! A plugin that traps once in a hundred tasks, over a hundred thousand tasks. No sample is lost, the report gives the
//! cost of the traps, and under `isolation: user` a trap costs only its own task.

use stampede_tests::{Finished, guest, site};

use crate::shooter;

/// One task for each of fifty users and each iteration.
fn storm(plugin: &str, isolation: &str, iterations: u64) -> Finished {
    let script = format!(
        "plugins: {{storm: {{source: '{}', isolation: {isolation}}}}}
steps: [{{name: Storm, action: misbehave}}]
",
        guest(plugin).display()
    );
    let flags = format!("--users 50 --iterations {iterations} --workers 2 --fail-on never");
    shooter().script(&script).args(&flags).report().finish().exits(0)
}

#[test]
fn trap_storm() {
    let run = storm("trap_storm", "worker", 2_000);
    let report = run.report();
    report.assert_consistent();
    let row = report.row("Storm");
    assert_eq!(row.tasks("started"), 100_000);
    assert_eq!(row.tasks("passed") + row.tasks("failed"), 100_000);
    let (traps, collateral) = report.traps("storm");
    assert_eq!(row.tasks("failed"), traps + collateral, "every failed task was in an instance that trapped");
    // A user whose fiftieth task fails with another user's trap does not trap itself.
    assert!(traps <= 1_000 && traps + collateral >= 1_000, "{traps} traps, {collateral} others");
    assert!(run.stdout.contains("With `isolation: user`"), "{}", run.stdout);
    let log = &run.stderr;
    assert_eq!(log.matches("ERROR").count(), 1, "{log}");
    for line in
        ["plugin=\"storm\"", "action=\"misbehave\"", "step=\"Storm\"", "as it was made to", "panic_fmt", "#resume"]
    {
        assert!(log.contains(line), "{line} is not in the log:\n{log}");
    }
}

#[test]
fn trap_storm_with_an_instance_for_each_user() {
    let run = storm("trap_storm", "user", 2_000);
    let report = run.report();
    report.assert_consistent();
    let row = report.row("Storm");
    assert_eq!((row.tasks("passed"), row.tasks("failed")), (99_000, 1_000), "{}", run.stdout);
    assert_eq!(report.traps("storm"), (1_000, 0));
    assert!(!run.stdout.contains("With `isolation: user`"), "{}", run.stdout);
}

/// Ten times the tasks and traps need no more memory.
#[test]
fn a_storm_leaves_no_memory_behind() {
    for isolation in ["worker", "user"] {
        let (short, long) = (storm("trap_storm", isolation, 200), storm("trap_storm", isolation, 2_000));
        let most = short.peak_kib + (8 << 10);
        assert!(long.peak_kib <= most, "{isolation}: {} KiB, then {} KiB", short.peak_kib, long.peak_kib);
    }
}

/// Nineteen users keep their rate of one request a second beside one on the same worker whose action computes forever:
/// the host ends it each time, and it waits before it tries again.
#[test]
fn one_bad_user() {
    let site = site();
    let script = format!(
        "base_url: {}
plugins: {{guest: '{}'}}
steps: [{{name: Good, url: /api/v1/catalog}}, {{name: Bad, action: misbehave}}]
",
        site.base_url(),
        guest("one_bad_user").display()
    );
    let flags = "--users 20 --rps 1 --duration 5s --workers 1";
    let run = shooter().script(&script).args(flags).report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    let good = report.row("Good").ok();
    // Five requests each; the last of a user may be due while the bad one computes at the very end.
    assert!((19 * 4..=100).contains(&good), "{good} requests\n{}", run.stdout);
    assert_eq!(report.row("Good").err(), 0);
    assert!(report.row("Bad").tasks("failed") >= 1 && report.traps("guest").0 >= 1, "{}", run.stdout);
}

#[test]
fn reads_anothers_reply() {
    let site = site();
    let script = format!(
        "base_url: {}
plugins: {{guest: {{source: '{}', allow: [127.0.0.1]}}}}
steps: [{{name: Bad, action: misbehave}}]
",
        site.base_url(),
        guest("reads_anothers_reply").display()
    );
    let run = shooter()
        .script(&script)
        .args("--users 2 --iterations 1 --workers 1 --fail-on never")
        .report()
        .finish()
        .exits(0);
    let report = run.report();
    let bad = report.row("Bad");
    assert_eq!(bad.tasks("failed"), 2, "the thief, and the user whose instance is gone with it");
    let example = bad.example("plugin");
    assert!(example.contains("operation 0 is not a completed exchange"), "{example}");
}
