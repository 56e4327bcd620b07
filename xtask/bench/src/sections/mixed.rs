//! A long run of everything at once: its report should equal the target's counts, and its memory should stay flat.

use anyhow::{Context, Result};
use serde_json::Value;

use crate::figures::{Bound, Spread, format_count};
use crate::findings::{Findings, Table};
use crate::process::Run;
use crate::rounds::STAMPEDE;
use crate::setup::{Setup, number};
use crate::site::{Counts, Site};

/// The number of rows of the data set.
const ROWS: usize = 1_000_000;

/// The scenarios, in the order of the report.
const SCENARIOS: [&str; 3] = ["browse", "search", "buy"];

/// Measures ten minutes, or one in a quick run.
pub(crate) fn measure(setup: &Setup) -> Result<Findings> {
    let seconds = setup.either(60, 600);
    let site = Site::start(setup)?;
    setup.write("people.csv", people())?;
    let script = setup.write("mixed.yml", script(seconds))?;
    let (run, report) =
        setup.report(setup.load_runner(&script, None).args(["--workers", "2", "--base-url", &site.url()]))?;
    let served = site.settled()?;
    let reported = Counts::of_report(&report).context("the report has no requests")?;
    let mut findings = Findings::new(format!(
        "{STAMPEDE} runs three scenarios side by side for {seconds} s with two workers, against the embedded site in \
         another process: users who come and go and think, arrivals at a rate that goes up and down, and users under a \
         cap. The latter two draw rows of a shuffled file of {} rows. They share the cores.",
        format_count(ROWS as f64)
    ));
    findings.table(scenarios(&report));
    findings.table(counts(&reported, &served));
    let differ =
        [reported.requests != served.requests, reported.statuses != served.statuses, reported.bytes != served.bytes];
    let differ = differ.into_iter().map(|differs| f64::from(u8::from(differs))).sum();
    findings.compare("kinds of count that differ from the site's", Spread::of([differ]), Bound::AtMost(0.0));
    let failed = number(&report, "/totals/requests/err");
    findings.compare("requests that failed", failed.and_then(|failed| Spread::of([failed])), Bound::AtMost(0.0));
    let late = number(&report, "/generator/start_delay_us/p99");
    findings.compare("start delay p99, ms", late.and_then(|late| Spread::of([late / 1e3])), Bound::AtMost(10.0));
    memory(&mut findings, &run, seconds);
    Ok(findings)
}

/// Compares the memory at the end with that after a tenth of the run, when all users have begun once.
fn memory(findings: &mut Findings, run: &Run, seconds: usize) {
    let (early, late) = (run.memory.get(seconds / 10 - 1).copied(), run.memory.last().copied());
    let growth = early.zip(late).map(|(early, late)| (late / early - 1.0) * 100.0);
    let what = format!("memory at the end against that after {} s, % more", seconds / 10);
    findings.compare(what, growth.and_then(|growth| Spread::of([growth])), Bound::AtMost(2.0));
    let tenths = (1..=10).filter_map(|tenth| run.memory.get(tenth * seconds / 10 - 1));
    let tenths: Vec<String> = tenths.map(|kib| format!("{:.1}", kib / 1024.0)).collect();
    findings.note(format!(
        "Memory after each tenth of the run, MiB: {}; {:.1} at most.",
        tenths.join(", "),
        run.peak / 1024.0
    ));
}

/// Returns a row for each person, some 50 bytes long: the file is too large to be kept in memory.
fn people() -> String {
    let rows = (0..ROWS).map(|row| format!("{row:07},person-{row:07},{:020}\n", row * 7_919));
    std::iter::once("id,name,token\n".to_owned()).chain(rows).collect()
}

/// Returns the script. Its stages are shares of the run's length.
fn script(seconds: usize) -> String {
    let stages = |stages: &[(usize, &str)]| {
        let stage = |(percent, target): &(usize, &str)| format!("{}ms:{target}", seconds * 10 * percent);
        stages.iter().map(stage).collect::<Vec<_>>().join(", ")
    };
    let users = [(5, "200"), (20, "200"), (10, "100"), (10, "100"), (10, "200"), (40, "200"), (5, "0")];
    let rates = [(5, "200/s"), (45, "200/s"), (20, "50/s"), (25, "200/s"), (5, "0/s")];
    format!(
        "data: {{people: {{file: people.csv, order: shuffle}}}}
scenarios:
  browse:
    stages: [{}]
    think: {{uniform: [100ms, 300ms]}}
    steps:
      - {{name: Catalog, url: '/api/v1/catalog?page={{{{randInt 1 20}}}}'}}
      - {{name: Missing, url: /status/404, expect_status: 404}}
  search:
    arrival_rate: 20/s
    stages: [{}]
    steps:
      - {{name: Search, url: '/echo?name={{{{next people.name}}}}'}}
  buy:
    users: 50
    rps: 10
    duration: {seconds}s
    steps:
      - name: Buy
        method: POST
        url: /echo
        json_body: '{{\"id\": \"{{{{next people.id}}}}\", \"token\": \"{{{{next people.token}}}}\"}}'
",
        stages(&users),
        stages(&rates),
    )
}

fn scenarios(report: &Value) -> Table {
    let mut table = Table::new(&["scenario", "iterations due", "completed", "cut short", "dropped"]);
    for (at, name) in SCENARIOS.into_iter().enumerate() {
        let count = |key| {
            let count = number(report, &format!("/scenarios/{at}/iterations/{key}"));
            count.map_or_else(|| "–".into(), format_count)
        };
        table.row([name.to_owned(), count("due"), count("completed"), count("cut_short"), count("dropped")]);
    }
    table
}

fn counts(reported: &Counts, served: &Counts) -> Table {
    let mut table = Table::new(&["counted by", "requests", "statuses", "bytes of content"]);
    for (by, counts) in [(STAMPEDE, reported), ("the site", served)] {
        let statuses = counts.statuses.iter().map(|(status, count)| format!("{status} × {count}"));
        let statuses = statuses.collect::<Vec<_>>().join(", ");
        table.row([by.to_owned(), format_count(counts.requests as f64), statuses, format_count(counts.bytes as f64)]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stages_fill_the_run() {
        let script = script(60);
        assert!(script.contains("stages: [3000ms:200, 12000ms:200, 6000ms:100,"), "{script}");
        assert!(script.contains("'/echo?name={{next people.name}}'"), "{script}");
        assert!(script.contains(r#"json_body: '{"id": "{{next people.id}}""#), "{script}");
    }

    #[test]
    fn each_scenario_has_its_own_iterations() {
        let report = serde_json::json!({"scenarios": [
            {"iterations": {"due": 1, "completed": 1, "cut_short": 0, "dropped": 0}},
            {"iterations": {"due": 2, "completed": 1, "cut_short": 1, "dropped": 0}},
            {"iterations": {"due": 3, "completed": 1, "cut_short": 1, "dropped": 1}},
        ]});
        let table = scenarios(&report).markdown();
        let rows: Vec<Vec<&str>> = table.lines().skip(2).map(|row| row.split_whitespace().collect()).collect();
        let expected = ["| browse | 1 | 1 | 0 | 0 |", "| search | 2 | 1 | 1 | 0 |", "| buy | 3 | 1 | 1 | 1 |"];
        assert_eq!(rows, expected.map(|row| row.split_whitespace().collect::<Vec<_>>()));
    }
}
