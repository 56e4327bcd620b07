//! `--samples`: the lines of the file are the requests that the report and the target counted.

use std::collections::BTreeMap;
use std::io::Read;

use serde_json::{Value, json};
use stampede_tests::{Finished, Report, site};

use crate::shooter;

const SCRIPT: &str = "
warm_up: 100ms
data: {paths: [/bytes/100, /delay/5]}
scenarios:
  shop:
    users: 3
    duration: 700ms
    steps:
      - {name: Mixed, url: '{{next paths}}', expect_body: {regex: .}, think: 2ms}
      - {name: 'With, comma', url: /bytes/7}
";

/// The lines of a file, by the form that its name says.
fn records(name: &str, bytes: &[u8]) -> Vec<BTreeMap<String, Value>> {
    let text = match name.strip_suffix(".zst") {
        None => String::from_utf8(bytes.to_vec()).expect("UTF-8"),
        Some(_) => unpacked(bytes),
    };
    if name.contains(".ndjson") {
        return text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    }
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().expect("a header").clone();
    let value = |cell: &str| match (cell, cell.parse::<f64>()) {
        ("", _) => Value::Null,
        (_, Ok(number)) => json!(number),
        (text, _) => json!(text),
    };
    let record = |record: csv::StringRecord| {
        header.iter().map(str::to_owned).zip(record.iter().map(value)).collect::<BTreeMap<_, _>>()
    };
    reader.records().map(|line| record(line.expect("valid CSV"))).collect()
}

fn unpacked(mut packed: &[u8]) -> String {
    let mut text = String::new();
    while !packed.is_empty() {
        let mut decoder = ruzstd::decoding::StreamingDecoder::new(&mut packed).expect("a frame");
        decoder.read_to_string(&mut text).expect("valid");
    }
    text
}

fn number(record: &BTreeMap<String, Value>, field: &str) -> f64 {
    record[field].as_f64().unwrap_or_else(|| panic!("no number `{field}` in {record:?}"))
}

fn written(run: &Finished, name: &str) -> Vec<BTreeMap<String, Value>> {
    records(name, &std::fs::read(run.path(name)).expect("it was written"))
}

#[test]
fn every_request_is_a_line_in_each_form() {
    for name in ["a.ndjson", "a.csv", "a.ndjson.zst", "a.csv.zst"] {
        let site = site();
        let run = shooter().script(SCRIPT).report().args("--samples").arg(name).arg("--base-url").arg(site.base_url());
        let run = run.finish().exits(0);
        let (report, lines) = (run.report(), written(&run, name));
        let warm_up = report.at("/run/warm_up_requests").as_u64().expect("a count");
        let served = site.stats().snapshot().requests;
        assert_eq!((report.totals().total(), served), (lines.len() as u64, lines.len() as u64 + warm_up), "{name}");
        assert_eq!(*report.at("/samples"), json!({"share": 1.0, "taken": lines.len(), "lost": 0}));
        for row in report.rows() {
            let own: Vec<_> = lines.iter().filter(|line| line["step"] == row.name()).collect();
            let failed = own.iter().filter(|line| line["outcome"] == "failed").count() as u64;
            assert_eq!((own.len() as u64, failed), (row.total(), row.number("/requests/err")), "{name} {}", row.name());
            assert!(
                own.iter()
                    .all(|line| line["scenario"] == "shop" && line["failure"].is_null() == (line["outcome"] == "ok"))
            );
            // The report's mean is that of bins of 0.1 %.
            for time in ["response_time_us", "service_time_us"] {
                let sum: f64 = own.iter().map(|line| number(line, time)).sum();
                let mean = row.at(&format!("/{time}/mean")).as_f64().expect("a mean");
                assert!((sum / own.len() as f64 / mean - 1.0).abs() < 0.005, "{name} {}: {sum}, {mean}", row.name());
            }
            let bytes: f64 = own.iter().map(|line| number(line, "bytes_in")).sum();
            assert_eq!(bytes as u64, row.number("/bytes/in"), "{name}");
        }
        let users: std::collections::BTreeSet<u64> = lines.iter().map(|line| number(line, "user") as u64).collect();
        assert_eq!(users.len(), 3, "{users:?}");
        let started = humantime::parse_rfc3339(report.at("/run/started_at").as_str().expect("a time")).expect("a time");
        let started = started.duration_since(std::time::UNIX_EPOCH).expect("after 1970").as_micros() as f64;
        for line in &lines {
            let (intended, start) = (number(line, "intended_at_us"), number(line, "started_at_us"));
            // The report's start is in milliseconds; a number of CSV has 53 bits here.
            assert!(intended >= started + 99_000.0 && start >= intended && start < started + 60e6, "{line:?}");
            assert!(number(line, "response_time_us") >= number(line, "service_time_us"), "{line:?}");
        }
    }
}

#[test]
fn a_share_is_taken_by_count() {
    let site = site();
    let script = "- {name: Page, url: /bytes/1}\n";
    let run =
        shooter().script(script).report().args("--users 1 --iterations 1000 --samples a.ndjson --sample-share 2%");
    let run = run.arg("--base-url").arg(site.base_url()).finish().exits(0);
    assert_eq!(written(&run, "a.ndjson").len(), 20);
    assert_eq!(*run.report().at("/samples"), json!({"share": 0.02, "taken": 20, "lost": 0}));
    assert_eq!(run.report().totals().total(), 1_000);
}

#[test]
fn the_requests_of_a_seed_are_the_same_with_samples_and_without() {
    let script = "- {name: Page, url: '/echo?{{randInt 1 1000000000}}', method: POST, body: '{{uuid}}'}\n";
    let sent = |flags: &str| {
        let site = site();
        let run = shooter().script(script).report().args("--users 1 --iterations 30 --seed 7 --base-url");
        let run = run.arg(site.base_url()).args(flags).finish().exits(0);
        (run.report().totals().number("/bytes/out"), run.report().totals().number("/bytes/body_in"))
    };
    assert_eq!(sent("--samples a.csv --sample-share 50%"), sent(""));
}

#[test]
#[cfg(target_os = "linux")]
fn a_writer_that_cannot_keep_up_loses_samples_says_so_and_delays_nothing() {
    use std::io::Write;

    /// More than the queue of 32 buffers and the pipe hold.
    const REQUESTS: u64 = 40_000;
    /// The line after the last sample.
    const END: &[u8] = b"\nend\n";

    let folder = tempfile::tempdir().expect("a temporary folder");
    let pipe = folder.path().join("samples.ndjson");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status().expect("mkfifo starts");
    assert!(made.success());
    // Open for both, so that opening waits for nothing; nothing is read until the run has sent everything.
    let mut both = std::fs::OpenOptions::new().read(true).write(true).open(&pipe).expect("a pipe");
    let mut reader = both.try_clone().expect("another handle");
    let site = site();
    let run = shooter().script("- {name: Page, url: /bytes/1}\n").report().args("--users 20 --workers 1 --iterations");
    let run = run.arg((REQUESTS / 20).to_string()).arg("--samples").arg(&pipe).arg("--base-url").arg(site.base_url());
    let running = run.spawn();
    stampede_tests::wait_for("all requests", || site.stats().snapshot().requests == REQUESTS);
    let reading = std::thread::spawn(move || {
        let (mut bytes, mut piece) = (Vec::new(), [0; 65_536]);
        while !bytes.ends_with(END) {
            let count = reader.read(&mut piece).expect("it is readable");
            bytes.extend_from_slice(&piece[..count]);
        }
        bytes
    });
    let run = running.finish().exits(0);
    both.write_all(END).expect("it is read");
    let bytes = reading.join().expect("it was read");
    let lines = bytes.iter().filter(|byte| **byte == b'\n').count() as u64 - 2;
    let report = Report::parse(&run.read("report.json"));
    let lost = report.at("/samples/lost").as_u64().expect("a count");
    assert_eq!((report.totals().total(), lines + lost), (REQUESTS, REQUESTS));
    assert!(lost > 0, "{lines} lines");
    assert!(run.stderr.contains(&format!("{lost} of {REQUESTS} samples are not in it")), "{}", run.stderr);
}

#[test]
fn a_file_that_cannot_be_written_is_found_before_the_run() {
    for command in ["", "check "] {
        for (name, said) in [
            ("a.json", "`a.json` does not say in which form to write samples"),
            ("missing/a.csv", "cannot write `missing/a.csv`: no such file or directory"),
        ] {
            let script = "- {name: Page, url: 'http://127.0.0.1:9/'}\n";
            let run = shooter().args(command).script(script).args("--samples").arg(name).finish().exits(2);
            assert!(run.stderr.contains(&format!("error[usage::samples]: {said}")), "{command}{name}: {}", run.stderr);
        }
    }
    let run = shooter().args("check").script("- {name: Page, url: 'http://127.0.0.1:9/'}\n").args("--samples a.csv");
    let run = run.finish().exits(0);
    assert!(!run.path("a.csv").exists(), "`check` leaves nothing behind");
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_fails_in_mid_run_is_named_and_the_report_is_shown() {
    let site = site();
    let script = "- {name: Page, url: /bytes/1}\n";
    let folder = tempfile::tempdir().expect("a temporary folder");
    let full = folder.path().join("full.csv");
    std::os::unix::fs::symlink("/dev/full", &full).expect("links work here");
    let run = shooter().script(script).args("--iterations 5 --samples").arg(&full).arg("--base-url");
    let run = run.arg(site.base_url()).finish().exits(1);
    assert!(run.stdout.contains("Totals: 5 requests"), "{}", run.stdout);
    assert!(
        run.stderr.contains("error[report::write]: cannot write `") && run.stderr.contains("full.csv"),
        "{}",
        run.stderr
    );
}
