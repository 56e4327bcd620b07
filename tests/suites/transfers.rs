//! Rows below steps, transfers that are left, and sessions that last and settle: the example of the SDK against a
//! server that counts, and in virtual time.

use std::collections::BTreeMap;
use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use flate2::Compression;
use flate2::write::GzEncoder;
use stampede_tests::{Finished, RawRequest, RawServer, Report, Signal, guest, wait_for};

use crate::shooter;

/// A site with playlists. It counts the requests of each path.
struct Media {
    server: RawServer,
    counts: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Media {
    fn start() -> Self {
        let counts: Arc<Mutex<BTreeMap<String, u64>>> = Arc::default();
        let seen = Arc::clone(&counts);
        let server = RawServer::start(move |request| {
            let path = path(request);
            *seen.lock().unwrap_or_else(PoisonError::into_inner).entry(path.clone()).or_default() += 1;
            answer(&path, request.header("host"))
        });
        Self { server, counts }
    }

    fn count(&self, path: &str) -> u64 {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).get(path).copied().unwrap_or(0)
    }
}

fn path(request: &RawRequest) -> String {
    request.line.split(' ').nth(1).unwrap_or_default().to_owned()
}

/// Answers `/list/NAME,NAME…` with the URLs of these segments, and `/packed/…` with the same in gzip. `silent` never
/// answers, and `stalls` sends only a part.
fn answer(path: &str, host: &str) -> Vec<u8> {
    let reply =
        |length: usize, body: &str| format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes();
    let listed = |names: &str| names.split(',').map(|name| format!("http://{host}/{name}\n")).collect::<String>();
    if let Some(names) = path.strip_prefix("/packed/") {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(listed(names).as_bytes()).expect("memory can be written to");
        let packed = packed.finish().expect("memory can be written to");
        let head = format!("HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: {}\r\n\r\n", packed.len());
        return [head.into_bytes(), packed].concat();
    }
    match path.strip_prefix("/list/") {
        Some(names) => reply(listed(names).len(), &listed(names)),
        None if path == "/silent" => loop {
            thread::park();
        },
        None if path == "/stalls" => reply(1_000, "a part"),
        None => reply(100, &"x".repeat(100)),
    }
}

/// Returns a script whose users watch a playlist.
fn script(media: &Media, list: &str, seconds: u64, more: &str) -> String {
    format!(
        "plugins: {{player: {{source: '{}', allow: ['127.0.0.1']}}}}\nsteps: [{{name: Watch, action: watch, url: \
         '{}/list/{list}', seconds: {seconds}}}]\n{more}",
        guest("session").display(),
        media.server.base_url()
    )
}

fn report(run: &Finished) -> Report {
    let report = run.report();
    report.assert_consistent();
    report
}

#[test]
fn rows_below_a_step_count_what_the_server_counted() {
    let media = Media::start();
    let thresholds = "thresholds:
  http_reqs{step:Watch, what:playlist}: [count>19, count<21]
  http_reqs{what:segment}: count>39
  http_reqs{step:Watch}: count>59
  http_duration{what:segment, action:watch}: count>39
  http_failed{what:segment}: rate<0.01
";
    let run = shooter().script(&script(&media, "a,b", 0, thresholds)).args("--out rows.csv --out rows.series.csv");
    let run = run.args("--users 4 --iterations 5 --workers 2").report().finish().exits(0);
    let report = report(&run);
    let names: Vec<_> = report.rows().map(|row| row.name()).collect();
    assert_eq!(names, ["Watch", "Watch/playlist", "Watch/segment"], "a row without requests is not shown");
    let [watch, playlist, segment] = ["Watch", "Watch/playlist", "Watch/segment"].map(|name| report.row(name));
    assert_eq!((watch.total(), watch.tasks("passed"), segment.tasks("started")), (0, 20, 0));
    assert_eq!((playlist.total(), playlist.ok()), (media.count("/list/a,b"), 20));
    assert_eq!((segment.total(), segment.ok()), (media.count("/a") + media.count("/b"), 40));
    assert_eq!((segment.body_in(), segment.statuses()), (4_000, BTreeMap::from([(200, 40)])));
    assert_eq!(report.totals().total(), 60);
    let facts = ["/step", "/action", "/tags/what", "/by_design"].map(|pointer| segment.at(pointer).to_string());
    assert_eq!(facts, ["\"Watch\"", "\"watch\"", "\"segment\"", "false"]);
    for text in [&run.stdout, &run.read("rows.csv"), &run.read("rows.series.csv")] {
        assert!(text.contains("Watch/segment") && !text.contains("Watch/left"), "{text}");
    }
}

#[test]
fn compressed_content_is_decoded_when_it_is_asked_for() {
    let media = Media::start();
    let script = script(&media, "a,b", 0, "").replace("/list/", "/packed/");
    let run = shooter().script(&script).args("--users 2 --iterations 3 --workers 1").report().finish().exits(0);
    let report = report(&run);
    assert_eq!(report.row("Watch/segment").total(), 12, "{}", run.stdout);
    assert_eq!((media.count("/a"), media.count("/b"), media.count("/packed/a,b")), (6, 6, 6));
}

/// Runs sessions that leave a segment of which nothing arrives.
fn left(media: &Media) -> Finished {
    let thresholds = "thresholds: {'http_duration': [count<9], 'http_duration{step:Watch}': count<9, \
                      'http_duration{what:left}': [min>990ms, count>3], 'http_failed': rate<0.01}\n";
    let run = shooter().script(&script(media, "silent,a", 0, thresholds));
    run.args("--users 4 --iterations 1 --workers 2").report().finish().exits(0)
}

#[test]
fn a_transfer_that_is_left_is_no_failure_and_its_time_is_in_no_total() {
    let media = Media::start();
    let run = left(&media);
    let report = report(&run);
    let row = report.row("Watch/left");
    assert_eq!((row.total(), row.ok(), media.count("/silent")), (4, 4, 4), "{}", run.stdout);
    assert_eq!((row.statuses(), row.at("/by_design").as_bool()), (BTreeMap::new(), Some(true)));
    assert!(row.number("/response_time_us/min") > 990_000, "the row has times of its own");
    let totals = report.totals();
    assert_eq!((totals.total(), totals.errors()), (12, BTreeMap::new()));
    for pointer in ["/response_time_us/count", "/service_time_us/count", "/by_outcome/ok/response_time_us/count"] {
        assert_eq!(totals.number(pointer), 8, "{pointer}");
    }
    assert_eq!(report.row("Watch").tasks("passed"), 4);
}

#[test]
fn reports_of_runs_with_other_rows_are_merged_and_compared() {
    let media = Media::start();
    let usual = shooter().script(&script(&media, "a,b", 0, "")).args("--users 4 --iterations 1").report().finish();
    let left = shooter().script(&script(&media, "silent,a", 0, "")).args("--users 4 --iterations 1").report().finish();
    let files = [&usual, &left].map(|run| run.path("report.json"));
    let merged = shooter().args("merge").arg(&files[0]).arg(&files[1]).args("--out sum.json").finish().exits(0);
    let sum = Report::parse(&merged.read("sum.json"));
    sum.assert_consistent();
    let counts = ["Watch", "Watch/playlist", "Watch/segment", "Watch/left"].map(|name| sum.row(name).total());
    assert_eq!((counts, sum.totals().total()), ([0, 8, 12, 4], 24));
    let compared = shooter().args("compare").arg(&files[0]).arg(&files[1]).finish();
    assert!(compared.stdout.contains("Watch/left"), "{}\n{}", compared.stdout, compared.stderr);
}

/// Checks that each of four sessions was counted, and what it had under way was left.
#[track_caller]
fn all_settled(run: &Finished, media: &Media) {
    let report = report(run);
    let watch = report.row("Watch");
    assert_eq!((watch.tasks("passed"), watch.tasks("cancelled")), (4, 0), "{}\n{}", run.stdout, run.stderr);
    let watched = report.at("/metrics").as_array().into_iter().flatten().find(|metric| metric["name"] == "watched");
    assert_eq!(watched.expect("the metric")["count"], 4);
    let left = report.row("Watch/left");
    assert_eq!((left.total(), left.ok(), left.body_in()), (media.count("/stalls"), 4, 4 * 6), "{}", run.stdout);
    assert_eq!(report.totals().errors(), BTreeMap::new());
}

#[test]
fn sessions_that_are_open_at_the_end_of_the_run_settle() {
    let media = Media::start();
    let run = shooter().script(&script(&media, "stalls", 600, "")).args("--users 4 --duration 2s --workers 2");
    all_settled(&run.report().finish().exits(0), &media);
}

#[cfg(unix)]
#[test]
fn sessions_that_an_interrupt_ends_settle() {
    let media = Media::start();
    let run = shooter().script(&script(&media, "stalls", 600, "")).args("--users 4 --duration 1h --workers 2");
    let run = run.report().spawn();
    wait_for("all sessions to load a segment", || media.count("/stalls") == 4);
    run.signal(Signal::Interrupt);
    let run = run.finish();
    let report = report(&run);
    assert_eq!(report.row("Watch").tasks("passed"), 4, "{}\n{}", run.stdout, run.stderr);
    let watched = report.at("/metrics").as_array().into_iter().flatten().find(|metric| metric["name"] == "watched");
    assert_eq!(watched.expect("the metric")["count"], 4);
}

/// Runs cases of the example in virtual time.
#[track_caller]
fn rehearsed(cases: &str) {
    shooter().file("cases.yml", cases).args("plugin test").arg(guest("session")).finish().exits(0);
}

#[test]
fn a_session_outlives_the_timeout_of_other_steps() {
    let body = "x".repeat(1_000);
    rehearsed(&format!(
        "- name: a segment of 70 seconds
  steps: [{{name: Watch, action: watch, url: 'http://site/live', seconds: 70}}]
  target:
    - reply: {{body: 'http://site/a'}}
    - reply: {{body: '{body}', over: 70s}}
  expect: {{outcome: passed, takes: 70s, metrics: {{watched: 70s}}}}
- name: no longer than its time and that timeout
  steps: [{{name: Watch, action: watch, url: 'http://site/live', seconds: 5}}]
  target:
    - reply: {{body: 'http://site/a'}}
    - reply: {{body: '{body}', over: 70s}}
  expect: {{failure: timeout, detail: not done within 35s, takes: 35s}}
- name: a timeout of its own
  steps: [{{name: Watch, action: watch, url: 'http://site/live', seconds: 5, timeout: 9s}}]
  target:
    - reply: {{body: 'http://site/a'}}
    - reply: {{body: '{body}', over: 70s}}
  expect: {{failure: timeout, detail: not done within 9s, takes: 9s}}
"
    ));
}

#[test]
fn a_session_settles_at_the_end_of_its_users_time_in_virtual_time() {
    let body = "x".repeat(1_000);
    rehearsed(&format!(
        "- name: a segment is under way
  steps: [{{name: Watch, action: watch, url: 'http://site/live', seconds: 600}}]
  ends_after: 10s
  target:
    - reply: {{body: 'http://site/a'}}
    - reply: {{body: '{body}', over: 60s}}
  expect: {{outcome: passed, takes: 10s, metrics: {{watched: 10s}}}}
- name: it waits for the next reload
  steps: [{{name: Watch, action: watch, url: 'http://site/live', seconds: 600}}]
  ends_after: 3s
  target:
    - reply: {{body: 'http://site/a'}}
    - reply: {{body: '{body}'}}
    - reply: {{body: 'http://site/a'}}
  expect: {{outcome: passed, takes: 3s, metrics: {{watched: 3s, unchanged: 1}}}}
"
    ));
}

#[test]
fn the_requests_of_a_session_take_no_turns() {
    rehearsed(
        "- name: three requests at once under a low limit
  rps: 0.1
  steps: [{name: Watch, action: watch, url: 'http://site/live', seconds: 0}]
  target:
    - reply: {body: \"http://site/a\\nhttp://site/b\"}
    - reply: {}
    - reply: {}
  expect: {outcome: passed, takes: 0s}
",
    );
}

#[test]
fn a_limit_on_all_users_cannot_be_kept_beside_sessions() {
    let media = Media::start();
    let script = script(&media, "a", 60, "rps_total: 50\n");
    let said = shooter().args("check").script(&script).finish().exits(3).stderr;
    for text in [
        "error[script::rps-total]: `rps_total` cannot be kept: the requests of the step `Watch` take no turns",
        "--> script.yml:3:12",
    ] {
        assert!(said.contains(text), "{said}");
    }
    let script = script.replace("rps_total: 50\n", "");
    let said = shooter().args("check --rps-total 50").script(&script).finish().exits(2).stderr;
    assert!(said.contains("error[usage::rps-total]: "), "{said}");
    let said = shooter().args("check").script(&script).finish().exits(0).stdout;
    assert!(said.contains("Watch (action `watch`, within 1m 30s)"), "{said}");
}

#[test]
fn connections_that_a_step_declares_are_in_what_a_script_needs() {
    let script = "base_url: http://127.0.0.1:9\nusers: 10\nduration: 1s\nsteps: [{name: Home, action: page, url: /, at_once: 4}]\n";
    let said = shooter().args("check").script(script).finish().exits(0).stdout;
    assert!(said.contains("up to 40 connections"), "{said}");
}
