//! Reports after their runs: merged, compared, judged by a baseline.

use stampede_tests::{Report, Run, site};

use crate::shooter;

const SCRIPT: &str = "steps:\n  - {name: Get, url: /api/v1/catalog}\n";

/// Returns the report of a run against the embedded site.
fn report(arguments: &str) -> String {
    let run = shooter().arg("demo").script(SCRIPT).report().args(arguments).finish().exits(0);
    run.read("report.json")
}

fn with(files: &[(&str, &str)]) -> Run {
    files.iter().fold(shooter(), |run, (name, text)| run.file(name, text))
}

#[test]
fn merged_reports_are_the_sum_of_their_parts() {
    let (a, b) = (report("--users 3 --iterations 7"), report("--users 2 --iterations 5"));
    let files = [("a.json", a.as_str()), ("b.json", &b)];
    let run = with(&files).args("merge a.json b.json --out sum.json").finish().exits(0);
    let sum = Report::parse(&run.read("sum.json"));
    assert_eq!(sum.totals().number("/requests/total"), 31);
    assert_eq!(sum.row("Get").number("/response_time_us/count"), 31);
    assert_eq!(*sum.at("/settings/users"), 5);
    assert!(run.stdout.contains("Totals: 31 requests"), "{}", run.stdout);
    let other = with(&files).args("merge b.json a.json --out sum.json").finish().exits(0);
    let again = other.read("sum.json");
    assert_eq!(again, run.read("sum.json"));
}

#[test]
fn files_for_people_and_other_tools_say_what_the_report_says() {
    let script = "steps:\n  - {name: Good | one, url: /bytes/9}\n  - {name: Bad, url: /status/404}\n";
    let site = site();
    let run = shooter().script(script).report().args("--users 2 --iterations 10 --percentiles 50,97.5 --base-url");
    let run = run.arg(site.base_url()).args("--out sum.md --out run.series.csv --out run.hgrm --out run.csv");
    let run = run.finish().exits(0);
    let report = run.report();
    let (good, totals) = (report.row("Good | one"), report.totals());
    let times =
        |row: stampede_tests::Row<'_>, at: usize| row.number(&format!("/response_time_us/percentiles/{at}/value"));

    let titles: Vec<&str> = run.stdout.lines().next().unwrap_or_default().split_whitespace().collect();
    assert_eq!(titles, ["Action", "OK", "ERR", "p50", "p97.5", "rps"], "{}", run.stdout);
    let summary = run.read("sum.md");
    assert!(summary.starts_with("## Done: `script.yml`\n\n40 requests in "), "{summary}");
    assert!(summary.contains("\n| `Good \\| one` |  20 |   0 |"), "{summary}");

    let series = run.read("run.series.csv");
    let cells: Vec<Vec<&str>> = series.lines().map(|line| line.split(',').collect()).collect();
    assert_eq!(&cells[0][11..], ["response_p50_us", "response_p97_5_us", "response_max_us"]);
    let sum = |column: usize| cells[1..].iter().map(|row| row[column].parse::<u64>().expect("a count")).sum::<u64>();
    assert_eq!((sum(6), sum(7), sum(10)), (20, 20, totals.number("/bytes/in")));

    let table = run.read("run.csv");
    let mut rows = table.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = rows.next().expect("a header");
    let column = header.iter().position(|name| *name == "response_p97_5_us").expect("a column");
    assert_eq!(rows.next().expect("a row")[column], times(good, 1).to_string());

    let percentiles = run.read("run.hgrm");
    let lines: Vec<&str> = percentiles.lines().collect();
    assert_eq!(lines[0], "       Value     Percentile TotalCount 1/(1-Percentile)");
    let max = totals.number("/response_time_us/max");
    let last = lines.iter().rfind(|line| line.contains(" 1.000000000000 ")).expect("the last value");
    assert_eq!(
        last.split_whitespace().collect::<Vec<_>>(),
        [&format!("{:.3}", max as f64 / 1e3), "1.000000000000", "40"]
    );
    assert!(percentiles.contains(&format!("#[Max     = {:>12.3}, Total count    =           40]", max as f64 / 1e3)));
}

#[test]
fn percentiles_of_a_sum_are_those_that_its_parts_agree_on() {
    let report = |percentiles: &str| {
        let run = shooter().arg("demo").script(SCRIPT).report().args("--iterations 3 --percentiles").arg(percentiles);
        run.finish().exits(0).read("report.json")
    };
    let (a, b, c) = (report("50,95"), report("50,95"), report("99.99"));
    let files = [("a.json", a.as_str()), ("b.json", &b), ("c.json", &c)];
    let asked = |arguments: &str| {
        let run = with(&files).args(arguments).args("--out sum.json").finish().exits(0);
        Report::parse(&run.read("sum.json")).at("/settings/percentiles").to_string()
    };
    assert_eq!(asked("merge a.json b.json"), "[50.0,95.0]");
    assert_eq!(asked("merge a.json c.json"), "[]");
    assert_eq!(asked("merge a.json c.json --percentiles 75"), "[75.0]");
}

#[test]
fn a_run_is_not_worse_than_itself_but_a_slower_one_is() {
    let base = report("--users 2 --iterations 300");
    let run = with(&[("base.json", &base)]).args("compare base.json base.json --tolerance 0%").finish().exits(0);
    assert!(run.stdout.contains("Nothing is worse than in `base.json`"), "{}", run.stdout);
    // Every request of the new run failed, which no machine is fast enough to hide.
    let failing = "steps:\n  - {name: Get, url: /api/v1/catalog, expect_status: 404}\n";
    let run = shooter().arg("demo").script(failing).file("base.json", &base);
    let run = run.args("--users 2 --iterations 300 --baseline base.json").finish().exits(99);
    assert!(run.stdout.contains("WORSE"), "{}", run.stdout);
}

#[test]
fn a_sum_with_a_failed_threshold_fails_and_is_not_added_to_itself() {
    let [a, b] = [("http_reqs:count>=3", 99), ("http_reqs:count>=3", 0)].map(|(threshold, code)| {
        let site = site();
        let script = "steps:\n  - {name: Get, url: /bytes/1}\n";
        let iterations = if code == 0 { "5" } else { "2" };
        let run = shooter().script(script).args("--threshold").arg(threshold).args("--iterations").arg(iterations);
        run.arg("--base-url").arg(site.base_url()).report().finish().exits(code).read("report.json")
    });
    let files = [("a.json", a.as_str()), ("b.json", b.as_str())];
    let run = with(&files).args("merge a.json b.json --out sum.json").finish().exits(99);
    assert!(run.stderr.contains("error: a threshold failed"), "{}", run.stderr);
    let sum = run.read("sum.json");
    assert_eq!(Report::parse(&sum).totals().total(), 7);
    let files = [files[0], files[1], ("sum.json", sum.as_str())];
    let run = with(&files).args("merge a.json b.json sum.json --out sum.json").finish().exits(99);
    assert!(run.stderr.starts_with("note: `sum.json` is an earlier sum of these reports"), "{}", run.stderr);
    assert_eq!(Report::parse(&run.read("sum.json")).totals().total(), 7);
    let run = with(&files).args("merge a.json sum.json --out other.json").finish().exits(2);
    assert!(run.stderr.contains("`a.json` and `sum.json` hold the same run"), "{}", run.stderr);
}

#[test]
fn reports_with_other_thresholds_are_compared_but_not_added() {
    let site = site();
    let [a, b] = ["count>=1", "count>=2"].map(|condition| {
        let script = format!("thresholds: {{http_reqs: {condition}}}\nsteps:\n  - {{name: Get, url: /bytes/1}}\n");
        let run = shooter().script(&script).args("--iterations 5 --base-url").arg(site.base_url());
        run.report().finish().exits(0).read("report.json")
    });
    let files = [("a.json", a.as_str()), ("b.json", b.as_str())];
    with(&files).args("compare a.json b.json").finish().exits(0);
    let run = with(&files).args("merge a.json b.json").finish().exits(2);
    assert!(run.stderr.contains("have different checks or thresholds"), "{}", run.stderr);
}

#[test]
fn reports_that_cannot_be_merged_or_compared_are_rejected_in_one_line() {
    let good = report("--iterations 1");
    let files = [
        ("good.json", good.clone()),
        ("newer.json", good.replace("stampede-report/1", "stampede-report/2")),
        ("other.json", good.replace("\"Get\"", "\"Put\"")),
        ("foreign.json", "{\"metrics\": {}}".to_owned()),
        ("broken.json", good[..good.len() / 2].to_owned()),
    ];
    for (name, said) in [
        ("newer.json", "error[usage::report]: `newer.json` is a report in the format `stampede-report/2`"),
        ("other.json", "row 1 of `good.json` is `Get` (action `http`), of `other.json` `Put` (action `http`)"),
        ("foreign.json", "error[usage::report]: `foreign.json` is not a report of stampede-shooter"),
        ("broken.json", "error[usage::report]: `broken.json` is not valid JSON (line 1, column "),
        ("missing.json", "error[usage::report]: cannot read the report `missing.json`: no such file or directory"),
    ] {
        for command in ["compare", "merge"] {
            let files: Vec<_> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
            let run = with(&files).arg(command).arg("good.json").arg(name).finish().exits(2);
            assert!(run.stderr.contains(said), "{command} {name}: {}", run.stderr);
        }
    }
    let run = shooter().script("steps:\n  - {name: Else, url: /}\n").file("good.json", &good);
    let run = run.args("--base-url http://127.0.0.1:1 --baseline good.json").finish().exits(2);
    assert!(run.stderr.contains("the baseline `good.json` has other actions than the script"), "{}", run.stderr);
}
