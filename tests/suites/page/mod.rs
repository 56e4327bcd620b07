//! The page that shows a run, live and saved, in a real browser.

mod served;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use stampede_tests::{Browser, Finished, Report, Running, Signal, site, wait_for};

use crate::{TARGET_TMP, shooter};

/// Texts before the link of a page.
const LINK: &str = "page of the run: ";

const SCRIPT: &str = "
pace: 50ms
thresholds:
  http_reqs: count>1
  http_failed: rate<1%
steps:
  - {name: Page, url: /bytes/100}
  - {name: Missing, url: /status/404}
";

fn tools() -> PathBuf {
    Path::new(TARGET_TMP).join("../tools")
}

fn page_sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("page")
}

/// Waits for the link of a run's page.
fn link(running: &Running) -> String {
    let mut link = None;
    wait_for("the link of the page", || {
        let text = running.complained();
        let line = text.lines().find_map(|line| line.strip_prefix(LINK)).map(str::to_owned);
        link = line.filter(|line| text.contains(&format!("{line}\n")));
        link.is_some()
    });
    link.expect("it was waited for")
}

/// Writes the number as the page does: in groups of three digits.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(|group| String::from_utf8_lossy(group)).collect();
    groups.join(" ")
}

/// Compares the numbers of a page with those of the run's report and its table.
#[track_caller]
fn assert_shows(page: &Value, report: &Report, table: &str) {
    let totals = report.totals();
    assert_eq!(page["tiles"]["total"], grouped(totals.total()), "{page}");
    let state = page["state"].as_str().expect("a text");
    assert!(state.starts_with("Stopped") || state.starts_with("Finished") || state == "Interrupted", "{state}");
    for row in report.rows() {
        let (shown, name) = (&page["rows"][row.name()], row.name());
        assert_eq!(shown["total"], grouped(row.total()), "{name}");
        assert_eq!(shown["err"], grouped(row.number("/requests/err")), "{name}");
        // The table in the terminal has the same text, but for the space before the unit.
        let line = table.lines().find(|line| line.starts_with(name)).expect("a row of the table");
        for percentile in ["p50", "p99"] {
            let text = shown[percentile].as_str().expect("a text").replace(' ', "");
            assert!(line.split_whitespace().any(|cell| cell == text), "{name} {percentile}: `{text}` in `{line}`");
        }
    }
    let verdicts: Vec<_> = report.at("/thresholds").as_array().into_iter().flatten().collect();
    let shown = page["thresholds"].as_array().expect("a list");
    assert_eq!(shown.len(), verdicts.len());
    for (shown, verdict) in shown.iter().zip(verdicts) {
        let word = if verdict["passed"] == true { "✓ held" } else { "✗ did not hold" };
        assert_eq!(shown[1], word, "{shown}");
    }
    assert_eq!(page["blank"], 0, "every canvas is drawn on");
    assert_eq!(page["complaints"], Value::Array(Vec::new()));
}

/// Runs a script until it ends, with its page saved as `report.html`.
fn saved(script: &str, arguments: &str) -> Finished {
    let site = site();
    let run = shooter().script(script).args(arguments).arg("--base-url").arg(site.base_url());
    run.report().args("--out report.html").finish()
}

fn look_at(run: &Finished, command: &str) -> Value {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("report.html");
    std::fs::write(&file, run.read("report.html")).expect("writable");
    Browser::start(&tools(), command, &[file]).line()
}

#[test]
fn a_tab_follows_a_run_comes_back_after_a_lost_connection_and_ends_with_the_report() {
    let site = site();
    let run = shooter().script(SCRIPT).args("--users 3 --duration 1h --page --out report.html --base-url");
    let running = run.arg(site.base_url()).report().spawn();
    let mut tab = Browser::start(&tools(), "live", &[link(&running)]);
    let during = tab.line();
    let before = during["before"].as_u64().expect("a number");
    let resumed: Vec<u64> = during["resumed"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    assert!(resumed.iter().any(|last| *last >= before), "{during}");
    assert_eq!(during["during"]["state"], "Running");
    let words: Vec<_> = (0..2).map(|at| during["during"]["thresholds"][at][1].as_str().expect("a text")).collect();
    assert_eq!(words, ["✓ holds", "✗ does not hold"], "{during}");
    let charts = &during["during"]["charts"];
    assert!(charts["open"].as_str().is_some_and(|text| text.ends_with(", last 3")), "a connection a user: {charts}");
    for chart in ["memory", "files"] {
        let text = charts[chart].as_str().expect("a text");
        assert!(text.contains(", last ") && !text.contains("no values"), "{text}");
    }
    running.signal(Signal::Interrupt);
    // The tab is still open.
    let run = running.finish();
    let end = tab.line();
    let report = Report::parse(&run.read("report.json"));
    assert_shows(&end, &report, &run.stdout);
    // The saved page is what the tab showed.
    let file = look_at(&run, "saved");
    for part in ["state", "tiles", "rows", "thresholds", "last"] {
        assert_eq!(file[part], end[part], "{part}");
    }
}

#[test]
fn a_saved_page_asks_for_nothing_and_shows_the_numbers_of_the_report() {
    let run = saved(SCRIPT, "--users 3 --duration 3s");
    let page = look_at(&run, "saved");
    assert_shows(&page, &Report::parse(&run.read("report.json")), &run.stdout);
    let requests = page["requests"].as_array().expect("a list");
    assert_eq!(requests.len(), 1, "the file itself alone: {requests:?}");
}

#[test]
fn names_from_a_script_are_text_and_nothing_else() {
    let long = "x".repeat(4_000);
    let names = ["</script><img src=x onerror=alert(1)>", "<!--<script>", "\u{202e}evil", "a & b \"c\" 'd'", &long];
    let steps: String = names
        .iter()
        .map(|name| format!("  - {{name: {}, url: /status/500}}\n", serde_json::to_string(name).expect("JSON")))
        .collect();
    let run = saved(&format!("steps:\n{steps}"), "--users 1 --iterations 3");
    let page = look_at(&run, "saved");
    assert_eq!((&page["dialogs"], &page["images"]), (&0.into(), &0.into()), "{page}");
    let rows = page["rows"].as_object().expect("an object");
    assert_eq!(rows.len(), names.len() + 1, "{:?}", rows.keys());
    assert!(names.iter().all(|name| rows.contains_key(*name)), "{:?}", rows.keys());
    assert_eq!(page["complaints"], Value::Array(Vec::new()));
}

/// Slow failures between quick successes in one action, and an action that always fails.
const TWO_OUTCOMES: &str = "
apdex: 10s
data: {paths: [/bytes/100, /delay/300]}
steps:
  - {name: Mixed, url: '{{next paths}}', expect_body: {regex: .}}
  - {name: Missing, url: /delay/300, expect_status: 404}
";

/// Reads a time as the page writes it, in microseconds.
fn micros(text: &str) -> f64 {
    let (number, unit) = text.split_once(' ').unwrap_or((text, ""));
    let factor = match unit {
        "µs" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        _ => panic!("`{text}` is not a time"),
    };
    number.parse::<f64>().expect("a number") * factor
}

#[test]
fn the_times_of_a_page_are_those_of_all_requests_or_of_successful_ones() {
    let run = saved(TWO_OUTCOMES, "--users 1 --iterations 10");
    let page = look_at(&run, "outcomes");
    let report = Report::parse(&run.read("report.json"));
    assert_eq!(page["complaints"], Value::Array(Vec::new()));
    assert_eq!(page["again"], page["all"], "the switch goes back");
    // The exact numbers of the report, in the form of the page: two or three digits.
    let shows = |state: &str, row: &str, name: &str, expected: &Value| {
        let shown = page[state]["rows"][row][name].as_str().expect("a text");
        match expected.as_f64() {
            Some(expected) => {
                assert!((micros(shown) / expected - 1.0).abs() < 0.05, "{row} {name}: {shown}, {expected}")
            }
            None => assert_eq!(shown, "–", "{row} {name}"),
        }
    };
    for row in ["Mixed", "Missing"] {
        for name in ["p50", "p95", "p99", "max"] {
            let of_all = report.row(row).at(&format!("/response_time_us/{name}")).clone();
            shows("all", row, name, &of_all);
            let pointer = format!("/by_outcome/ok/response_time_us/{name}");
            shows("ok", row, name, if row == "Missing" { &Value::Null } else { report.row(row).at(&pointer) });
        }
    }
    let totals = report.totals();
    let (of_all, of_ok) =
        (totals.number("/response_time_us/p99"), totals.number("/by_outcome/ok/response_time_us/p99"));
    assert!(of_all >= 300_000 && of_ok < of_all, "{of_all} {of_ok}");
    // The chart over time, the heat map and the plot have the times of seconds, within 3.2 %.
    let plot = |state: &str| page[state]["plot"].as_str().expect("a text").to_owned();
    let p99 = |state: &str| {
        let text = plot(state);
        let after = text.split_once("p99 ").expect("a percentile").1;
        micros(after.split(',').next().expect("a time"))
    };
    for (state, expected) in [("all", of_all), ("ok", of_ok)] {
        assert!((p99(state) / expected as f64 - 1.0).abs() < 0.05, "{}, {expected}", plot(state));
    }
    assert!(plot("ok").contains("all actions, OK only: "), "{}", plot("ok"));
    let longest = |state: &str| {
        let rows = page[state]["time"].as_array().expect("a list").iter().skip(1);
        let last = rows.filter_map(|row| row.as_array()?.last()?.as_str().filter(|text| *text != "–").map(micros));
        last.fold(0.0, f64::max)
    };
    assert!(longest("all") >= 300_000.0 && longest("ok") < of_all as f64, "{page}");
    let counted = |state: &str| -> u64 {
        let rows = page[state]["heat"].as_array().expect("a list").iter().skip(1);
        let cells = rows.flat_map(|row| row.as_array().expect("a list").iter().skip(1));
        cells.map(|cell| cell.as_str().expect("a text").replace(' ', "").parse::<u64>().expect("a count")).sum()
    };
    assert_eq!((counted("all"), counted("ok")), (20, 5));
    // The score is in the table once the run is over.
    assert_eq!(page["all"]["rows"]["Mixed"]["apdex"], "0.50");
    assert_eq!(page["all"]["rows"]["Missing"]["apdex"], "0.00", "failures frustrate");
}

#[test]
fn axe_finds_nothing_in_either_theme_and_at_the_width_of_a_phone() {
    let run = saved(SCRIPT, "--users 3 --duration 3s");
    assert_eq!(look_at(&run, "axe")["found"], Value::Array(Vec::new()));
}

#[test]
fn a_reader_zooms_sorts_filters_and_compares() {
    let run = saved(SCRIPT, "--users 3 --duration 3s");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [page, report] = ["report.html", "report.json"].map(|name| {
        let file = folder.path().join(name);
        std::fs::write(&file, run.read(name)).expect("writable");
        file
    });
    for other in [&page, &report] {
        let used = Browser::start(&tools(), "use", &[&page, other]).line();
        assert_eq!((&used["upwards"], &used["downwards"]), (&"Missing".into(), &"Page".into()));
        assert_eq!(used["filtered"], 1);
        assert!(used["chosen"].as_str().expect("a text").starts_with("Charts show Page alone."), "{used}");
        assert!(used["cell"].as_str().expect("a text").contains(" to "), "{used}");
        assert_eq!(used["zoomed"], 0, "no stretch is chosen while the page is zoomed");
        assert!(used["compared"].as_str().expect("a text").contains("(0 %)"), "{used}");
        assert_eq!((&used["theme"], &used["complaints"]), (&"dark".into(), &Value::Array(Vec::new())));
    }
}

#[test]
fn a_page_of_two_reports_says_what_compare_says() {
    let base = saved(SCRIPT, "--users 1 --duration 2s").read("report.json");
    let new = saved(SCRIPT, "--users 3 --duration 2s").read("report.json");
    let run = shooter().file("base.json", &base).file("new.json", &new);
    let run = run.args("compare base.json new.json --out report.html").finish();
    let page = look_at(&run, "saved");
    let mut lines = run.stdout.lines();
    let columns =
        |line: &str| line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned).collect();
    assert_eq!(
        columns(lines.next().expect("a header")),
        ["Action", "base", "new", "change (99 %)"].map(str::to_owned).to_vec()
    );
    let said: Vec<Vec<String>> = lines.by_ref().take(10).map(columns).collect();
    let shown = page["compared"].as_array().expect("rows").iter().map(|row| {
        let cells = row.as_array().into_iter().flatten().filter_map(Value::as_str);
        cells.filter(|cell| !cell.is_empty()).map(str::to_owned).collect()
    });
    assert_eq!(shown.collect::<Vec<Vec<String>>>(), said);
    assert_eq!(lines.next(), page["summary"].as_str());
    let plot = page["charts"]["percentile-plot"].as_str().expect("a text");
    assert!(plot.contains("; compared run: p50 "), "the curves of both runs: {plot}");
    assert_eq!((&page["blank"], &page["complaints"]), (&0.into(), &Value::Array(Vec::new())));
    let run = shooter().file("a.json", &base).args("compare a.json a.json --out x.json").finish().exits(2);
    assert!(
        run.stderr.contains("error[usage::output-format]: cannot write a comparison as `x.json`"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_buttons_of_a_page_change_the_run_and_stop_it_if_that_was_allowed() {
    let site = site();
    let run = shooter().script(SCRIPT).args("--users 10 --duration 1h --page --page-control --base-url");
    let running = run.arg(site.base_url()).report().spawn();
    let used = Browser::start(&tools(), "control", &[link(&running)]).line();
    assert_eq!((&used["state"], &used["hidden"]), (&"Stopped – failed".into(), &true.into()), "{used}");
    assert_eq!(used["complaints"], Value::Array(Vec::new()));
    let report = Report::parse(&running.finish().read("report.json"));
    let changes = report.at("/changes").as_array().into_iter().flatten();
    let changes: Vec<_> = changes.map(|change| change["what"].as_str().expect("a word")).collect();
    assert_eq!(changes, ["scale", "pause", "resume", "stop"]);
}

/// Runs a script of the page's package.
fn npm(arguments: &[&str]) {
    let sources = page_sources();
    assert!(
        sources.join("node_modules").is_dir(),
        "packages of the page are missing: `cargo xtask tools` installs them"
    );
    let output = Command::new("npm").arg("run").arg("--silent").args(arguments).current_dir(sources).output();
    let output = output.expect("npm starts");
    let [out, err] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text).into_owned());
    assert!(output.status.success(), "npm run {arguments:?}\n{out}{err}");
}

#[test]
fn the_sources_of_the_page_pass_their_own_tests_and_their_types() {
    npm(&["check"]);
    npm(&["test"]);
}

#[test]
fn ten_thousand_actions_over_six_hours_are_drawn_as_far_as_they_are_in_sight() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let [template, tool, page] = ["page.html", "made_run.mjs", "large.html"].map(|name| folder.path().join(name));
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    npm(&["build-to", "--", &text(&template)]);
    npm(&["made-run", "--", &format!("--outfile={}", text(&tool))]);
    let made = Command::new("node").arg(&tool).args([&template, &page]).args(["10000", "21600"]).status();
    assert!(made.expect("node starts").success());
    let seen = Browser::start(&tools(), "large", &[&page]).line();
    println!("10,000 actions over 6 h: drawn after {} ms, with a heap of {} bytes", seen["ms"], seen["heap"]);
    assert_eq!(seen["rows"], 10_002, "with the head and the totals");
    assert!(seen["drawn"].as_u64().is_some_and(|drawn| drawn < 60), "{seen}");
    assert!(seen["heap"].as_u64().is_some_and(|heap| heap < 400_000_000), "{seen}");
    assert_eq!(seen["complaints"], Value::Array(Vec::new()));
}
