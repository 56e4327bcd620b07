//! A long run of everything at once: whether its report is what the target counted, and its memory flat.

use super::super::contest::OURS;
use super::super::figures::{Bound, Spread, whole};
use super::super::lab::Lab;
use super::super::process::Run;
use super::super::report::number;
use super::super::site::{Counts, Site};
use super::super::table::{Findings, Table};
use crate::step::Failure;

/// Rows of the data set.
const ROWS: usize = 1_000_000;

/// The scenarios, in the order of the report.
const SCENARIOS: [&str; 3] = ["browse", "search", "buy"];

/// Ten minutes, or one.
pub fn measure(lab: &Lab) -> Result<Findings, Failure> {
    let seconds = lab.either(60, 600);
    let site = Site::start(lab)?;
    lab.write("people.csv", &people())?;
    let script = lab.write("mixed.yml", script(seconds).as_bytes())?;
    let (run, report) = lab.report(lab.ours(&script, None).args(["--workers", "2", "--base-url", &site.url()]))?;
    let served = site.settled()?;
    let reported = Counts::of_report(&report).ok_or_else(|| Failure("the report says nothing of requests".into()))?;
    let mut findings = Findings::new(format!(
        "{OURS} runs three scenarios side by side for {seconds} s with two workers, against the embedded site in another \
         process: users who come and go and think, arrivals at a rate that goes up and down, and users under a cap. The \
         latter two draw rows of a shuffled file of {} rows. They share the cores.",
        whole(ROWS as f64)
    ));
    findings.table(scenarios(&report));
    findings.table(counts(&reported, &served));
    let differ =
        [reported.requests != served.requests, reported.statuses != served.statuses, reported.bytes != served.bytes];
    let differ = differ.into_iter().map(|differs| f64::from(u8::from(differs))).sum();
    findings.hold("kinds of count that differ from the site's", Spread::of([differ]), Bound::AtMost(0.0));
    let failed = number(&report, &["totals", "requests", "err"]);
    findings.hold("requests that failed", failed.and_then(|failed| Spread::of([failed])), Bound::AtMost(0.0));
    let late = number(&report, &["generator", "start_delay_us", "p99"]);
    findings.hold("start delay p99, ms", late.and_then(|late| Spread::of([late / 1e3])), Bound::AtMost(10.0));
    memory(&mut findings, &run, seconds);
    Ok(findings)
}

/// Memory at the end against that after a tenth of the run, when all users have come once.
fn memory(findings: &mut Findings, run: &Run, seconds: usize) {
    let (early, late) = (run.memory.get(seconds / 10 - 1).copied(), run.memory.last().copied());
    let growth = early.zip(late).map(|(early, late)| (late / early - 1.0) * 100.0);
    let what = format!("memory at the end against that after {} s, % more", seconds / 10);
    findings.hold(what, growth.and_then(|growth| Spread::of([growth])), Bound::AtMost(2.0));
    let tenths = (1..=10).filter_map(|tenth| run.memory.get(tenth * seconds / 10 - 1));
    let tenths: Vec<String> = tenths.map(|kib| format!("{:.1}", kib / 1024.0)).collect();
    findings.note(format!(
        "Memory after each tenth of the run, MiB: {}; {:.1} at most.",
        tenths.join(", "),
        run.peak / 1024.0
    ));
}

/// One row for each person, some 50 bytes long: too large a file to be kept in memory.
fn people() -> Vec<u8> {
    let rows = (0..ROWS).map(|row| format!("{row:07},person-{row:07},{:020}\n", row * 7_919));
    std::iter::once("id,name,token\n".to_owned()).chain(rows).collect::<String>().into_bytes()
}

/// The script, with stages that are parts of the run.
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
      - {{name: Buy, method: POST, url: /echo, json_body: '{{\"id\": \"{{{{next people.id}}}}\", \"token\": \"{{{{next people.token}}}}\"}}'}}
",
        stages(&users),
        stages(&rates),
    )
}

fn scenarios(report: &str) -> Table {
    let mut table = Table::new(&["scenario", "iterations due", "completed", "cut short", "dropped"]);
    let mut path = vec!["scenarios"];
    for name in SCENARIOS {
        path.push("iterations");
        let count = |key| {
            let found = number(report, &[&path[..], &[key]].concat());
            found.map_or_else(|| "–".into(), whole)
        };
        table.row([name.to_owned(), count("due"), count("completed"), count("cut_short"), count("dropped")]);
    }
    table
}

fn counts(reported: &Counts, served: &Counts) -> Table {
    let mut table = Table::new(&["counted by", "requests", "statuses", "bytes of content"]);
    for (by, counts) in [(OURS, reported), ("the site", served)] {
        let statuses = counts.statuses.replace('"', "").replace(',', ", ").replace(':', " × ");
        table.row([by.to_owned(), whole(counts.requests as f64), statuses, whole(counts.bytes as f64)]);
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
    fn each_scenario_s_iterations_are_its_own() {
        let report = r#"{"scenarios":[{"iterations":{"due":1,"completed":1,"cut_short":0,"dropped":0}},
            {"iterations":{"due":2,"completed":1,"cut_short":1,"dropped":0}},
            {"iterations":{"due":3,"completed":1,"cut_short":1,"dropped":1}}]}"#;
        let table = scenarios(report).markdown();
        let rows: Vec<Vec<&str>> = table.lines().skip(2).map(|row| row.split_whitespace().collect()).collect();
        let expected = ["| browse | 1 | 1 | 0 | 0 |", "| search | 2 | 1 | 1 | 0 |", "| buy | 3 | 1 | 1 | 1 |"];
        assert_eq!(rows, expected.map(|row| row.split_whitespace().collect::<Vec<_>>()));
    }
}
