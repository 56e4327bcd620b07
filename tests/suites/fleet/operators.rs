//! Requests to a run from anywhere.

use stampede_tests::{settled, site, wait_for};

use super::{Fleet, ask};

const SCRIPT: &str = "- {name: Page, url: /bytes/10}\n";

#[test]
fn a_run_is_watched_scaled_and_stopped_from_anywhere() {
    let site = site();
    let load = "--arrival-rate 40/s --duration 1h --max-users 40 --graceful-stop 60s --base-url";
    let fleet = Fleet::start(2, |run| run.script(SCRIPT).args(load).arg(site.base_url()));
    wait_for("the load", || site.stats().snapshot().requests >= 20);
    let status = ask(&fleet.server, "status");
    assert_eq!((&status["stage"], &status["running"], &status["segments"]), (&"started".into(), &2.into(), &2.into()));
    let at = ask(&fleet.server, "scale 0.5")["at_s"].as_f64().expect("an instant");
    assert!(at.fract() == 0.0, "all machines change in the same second: {at}");
    assert_eq!(ask(&fleet.server, "status")["scale"], 0.5);
    ask(&fleet.server, "pause");
    assert_eq!(ask(&fleet.server, "status")["paused"], true);
    ask(&fleet.server, "resume");
    ask(&fleet.server, "stop");
    let report = fleet.finish().exits(0).report();
    report.assert_equals(&settled(&site.stats()));
    assert_eq!(report.at("/run/ended"), "stopped");
    let changes: Vec<_> = report.at("/changes").as_array().into_iter().flatten().map(|it| it["what"].clone()).collect();
    assert_eq!(changes, ["scale", "pause", "resume", "stop"]);
}
