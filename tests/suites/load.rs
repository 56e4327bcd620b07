//! Load models in the real program: the target's counts equal the schedule. The exact times are tested in virtual time,
//! in `host/src/run/worker/tests.rs`, and those of the pacers in `host/src/pace/`.

use stampede_tests::{Finished, Report, settled, site};

use crate::shooter;

/// Returns the iterations of a scenario, by its place in the report: due, completed, cut short, dropped.
#[track_caller]
fn iterations(report: &Report, scenario: usize) -> [u64; 4] {
    let of = |what| {
        let number = report.at(&format!("/scenarios/{scenario}/iterations/{what}"));
        number.as_u64().unwrap_or_else(|| panic!("scenario {scenario} has no {what}"))
    };
    let all = ["due", "completed", "cut_short", "dropped"].map(of);
    assert_eq!(all[0], all[1..].iter().sum::<u64>(), "due = completed + cut short + dropped");
    all
}

#[track_caller]
fn ran(script: &str, flags: &str, url: String, code: u8) -> (Finished, Report) {
    let run = shooter().script(script).args(flags).arg("--base-url").arg(url).report().finish().exits(code.into());
    let report = run.report();
    report.assert_consistent();
    (run, report)
}

#[test]
fn as_many_iterations_begin_as_the_rate_promises() {
    for (flags, due) in [
        ("--arrival-rate 250/s --duration 2s", 500),
        ("--stages 1s:200/s,1s:200/s,0s:0/s", 300),
        ("--arrival-rate 6000/m --stages 2s:100/s --workers 1", 200),
    ] {
        let site = site();
        let (run, report) = ran("- {name: Page, url: /bytes/10}\n", flags, site.base_url(), 0);
        report.assert_equals(&settled(&site.stats()));
        let [all, completed, cut_short, dropped] = iterations(&report, 0);
        assert_eq!((all, dropped), (due, 0), "{flags}\n{}", run.stdout);
        assert_eq!(report.totals().total(), completed + cut_short, "{flags}");
        assert!(run.stdout.contains("Iterations: "), "{}", run.stdout);
    }
}

#[test]
fn random_arrivals_are_those_of_their_seed() {
    let due = |seed: &str| {
        let site = site();
        let flags = format!("--arrival-rate 100/s --duration 1s --seed {seed}");
        let (_, report) =
            ran("{arrivals: poisson, steps: [{name: Page, url: /bytes/10}]}\n", &flags, site.base_url(), 0);
        report.assert_equals(&settled(&site.stats()));
        iterations(&report, 0)[0]
    };
    let all = ["1", "1", "2", "3", "4"].map(due);
    assert_eq!(all[0], all[1]);
    assert!(all.iter().any(|due| *due != 100), "{all:?}: not one differs from even arrivals");
}

#[test]
fn arrivals_without_a_free_user_are_dropped_counted_and_warned_of_once() {
    let site = site();
    let flags = "--arrival-rate 50/s --duration 2s --max-users 4 --workers 2";
    let (run, report) = ran("- {name: Slow, url: /delay/400}\n", flags, site.base_url(), 0);
    report.assert_equals(&settled(&site.stats()));
    let [due, completed, cut_short, dropped] = iterations(&report, 0);
    assert_eq!((due, report.totals().total()), (100, completed + cut_short));
    // Four users, each busy for 0.4 s, begin 20 iterations in 2 s if they are never late.
    assert!((80..=96).contains(&dropped), "{dropped}");
    assert_eq!(run.stderr.matches("are dropped").count(), 1, "{}", run.stderr);
    assert!(run.stderr.contains("all of its 4 users are busy") && run.stderr.contains("max_wait"), "{}", run.stderr);
}

#[test]
fn users_of_one_pool_walk_exactly_its_iterations_on_all_workers() {
    let site = site();
    let script = "{users: 7, shared_iterations: 1001, steps: [{name: Page, url: /bytes/10}]}\n";
    let (_, report) = ran(script, "--workers 3", site.base_url(), 0);
    assert_eq!(settled(&site.stats()).requests, 1001);
    assert_eq!(iterations(&report, 0), [1001, 1001, 0, 0]);
}

const SCENARIOS: &str = "
users: 4
iterations: 5
setup:
  - {name: Seed, url: /echo?id=77, capture: {id: {regex: 'id=([0-9]+)'}}}
scenarios:
  browse: {weight: 3, env: {SIZE: '10'}, steps: [{name: Page, url: '/bytes/{{env SIZE}}'}]}
  buy: {weight: 1, env: {SIZE: '20'}, steps: [{name: Page, url: '/bytes/{{env SIZE}}'}, {name: Own, url: '/bytes/{{var id}}'}]}
  later: {start: 300ms, arrival_rate: 20/s, duration: 500ms, steps: [{name: Late, url: /bytes/30}]}
teardown:
  - {name: Tidy, url: '/bytes/{{var id}}'}
";

#[test]
fn scenarios_run_side_by_side_between_set_up_and_teardown() {
    let site = site();
    let (run, report) = ran(SCENARIOS, "--workers 2", site.base_url(), 0);
    report.assert_equals(&settled(&site.stats()));
    let rows: Vec<_> = report
        .rows()
        .map(|row| {
            (row.at("/scenario").as_str().unwrap_or("-").to_owned(), row.name().to_owned(), row.ok(), row.body_in())
        })
        .collect();
    let row = |scenario: &str, name: &str, ok: u64, each: u64| (scenario.to_owned(), name.to_owned(), ok, ok * each);
    assert_eq!(rows[0].2, 1, "the set-up is walked once");
    let expected = [
        row("browse", "Page", 15, 10),
        row("buy", "Page", 5, 20),
        row("buy", "Own", 5, 77),
        row("later", "Late", 10, 30),
        row("teardown", "Tidy", 1, 77),
    ];
    assert_eq!(rows[1..], expected);
    assert_eq!([0, 1, 2].map(|scenario| iterations(&report, scenario)), [[15, 15, 0, 0], [5, 5, 0, 0], [10, 10, 0, 0]]);
    for text in ["setup/Seed", "browse/Page", "buy/Own", "Iterations of later: 10 completed"] {
        assert!(run.stdout.contains(text), "{text}\n{}", run.stdout);
    }
}

#[test]
fn a_failed_set_up_skips_the_load_and_runs_the_teardown() {
    let site = site();
    let script = "setup: [{name: Seed, url: /status/500}]\nsteps: [{name: Page, url: /bytes/10}]\n\
                  teardown: [{name: Tidy, url: /bytes/20}]\n";
    let (run, report) = ran(script, "", site.base_url(), 8);
    assert_eq!(report.at("/run/ended"), "setup-failed");
    assert_eq!([("Seed", 1), ("Page", 0), ("Tidy", 1)].map(|(name, _)| report.row(name).total()), [1, 0, 1]);
    assert!(run.stderr.contains("the set-up failed"), "{}", run.stderr);
}

#[test]
fn the_warm_up_is_sent_and_counted_apart() {
    let site = site();
    let flags = "--arrival-rate 100/s --duration 2s --warm-up 500ms";
    let (run, report) = ran("- {name: Page, url: /bytes/10}\n", flags, site.base_url(), 0);
    let before = report.at("/run/warm_up_requests").as_u64().unwrap();
    assert_eq!((before, report.totals().total()), (50, 150), "by when they were due");
    assert_eq!(settled(&site.stats()).requests, 200);
    assert_eq!((iterations(&report, 0)[0], report.row("Page").tasks("passed")), (150, 150));
    assert!(run.stdout.contains("Warm-up: 50 requests"), "{}", run.stdout);
}

#[test]
fn a_cap_on_all_users_holds_whatever_their_number() {
    let site = site();
    let flags = "--users 50 --duration 1s --rps-total 100 --workers 2";
    let (_, report) = ran("- {name: Page, url: /bytes/10}\n", flags, site.base_url(), 0);
    report.assert_equals(&settled(&site.stats()));
    let sent = report.totals().total();
    assert!((1..=100).contains(&sent), "{sent}");
}

#[test]
fn flags_try_a_script_out_with_another_load() {
    let site = site();
    let script = "{stages: [10m:500], arrival_rate: 5/s, steps: [{name: Page, url: /bytes/10}]}\n";
    let (_, report) = ran(script, "--users 2 --iterations 3", site.base_url(), 0);
    assert_eq!((report.totals().total(), report.at("/scenarios/0/model").as_str()), (6, Some("constant")));
    let rejected = "{scenarios: {a: {users: 1}}, steps: [{name: Page, url: /bytes/10}]}\n";
    let run = shooter().script(rejected).args("--users 5 --base-url").arg(site.base_url()).finish().exits(2);
    assert!(run.stderr.contains("`--users` has no effect"), "{}", run.stderr);
}

#[test]
fn rates_are_over_the_planned_duration_and_what_comes_later_is_shown_apart() {
    // Three arrivals, at 0, 1 and 2 seconds; the run lasts all four.
    let site = site();
    let flags = "--arrival-rate 0.75/s --duration 4s --threshold http_reqs:rate<=0.75 --threshold http_reqs:rate>=0.75";
    let (run, report) = ran("- {name: Page, url: /bytes/10}\n", flags, site.base_url(), 0);
    assert_eq!(report.totals().total(), 3);
    assert_eq!(report.at("/totals/requests/rps"), &serde_json::json!(0.75), "{}", run.stdout);
    assert_eq!(report.at("/run/load_us"), &serde_json::json!(4_000_000));
    assert_eq!(report.at("/run/ended"), "duration");
    // A straggler that comes half a second after the end changes no rate.
    let flags = "--users 1 --duration 1s --graceful-stop 60s";
    let (run, report) = ran("- {name: Page, url: /delay/1500}\n", flags, site.base_url(), 0);
    assert_eq!(report.at("/totals/requests/rps"), &serde_json::json!(1.0), "{}", run.stdout);
    assert!(run.stdout.contains(" 1 s and ") && run.stdout.contains(" until the last reply, 1 rps,"), "{}", run.stdout);
}

#[test]
fn without_a_planned_duration_rates_are_over_the_time_to_the_last_reply() {
    let site = site();
    let (_, report) = ran("- {name: Page, url: /delay/200}\n", "--iterations 3", site.base_url(), 0);
    assert_eq!(report.at("/run/load_us"), report.at("/run/elapsed_us"));
}

#[test]
fn dropped_iterations_are_dropped_tasks_of_their_first_step() {
    let site = site();
    let script = "
arrival_rate: 100/s
duration: 1s
max_users: 2
steps:
  - {name: Slow, url: /delay/300}
  - {name: After, url: /bytes/1}
";
    let (run, report) = ran(script, "--out report.csv --fail-on any-error", site.base_url(), 0);
    let [due, completed, cut_short, dropped] = iterations(&report, 0);
    assert!(due == 100 && dropped > 0, "{}", run.stdout);
    let row = report.row("Slow");
    assert_eq!(row.tasks("dropped"), dropped);
    // An iteration may be cut short before its first task begins.
    assert!(row.tasks("started") <= due && row.tasks("passed") >= completed, "{}", run.stdout);
    assert!(row.tasks("started") - dropped <= completed + cut_short, "{}", run.stdout);
    assert_eq!((report.row("After").tasks("dropped"), report.totals().tasks("dropped")), (0, dropped));
    let csv = run.read("report.csv");
    let cells = |line: usize| csv.lines().nth(line).expect("a line").split(',').collect::<Vec<_>>();
    let column = cells(0).iter().position(|title| *title == "dropped").expect("a column");
    assert_eq!(cells(1)[column], dropped.to_string());
}
