//! Requests that the graceful stop does not let finish: they are failures, and they count in every percentile.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use serde_json::{Value, json};
use stampede_tests::{RawServer, Report, Silent};

use crate::shooter;

/// A target that answers a number of requests and none of the later ones.
struct FallsSilent {
    server: RawServer,
    received: Arc<AtomicU64>,
}

impl FallsSilent {
    fn after(answered: u64) -> Self {
        let received = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&received);
        let server = RawServer::start(move |_| {
            if count.fetch_add(1, Ordering::SeqCst) >= answered {
                loop {
                    thread::park();
                }
            }
            b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok".to_vec()
        });
        Self { server, received }
    }

    fn received(&self) -> u64 {
        self.received.load(Ordering::SeqCst)
    }
}

/// Returns, for each threshold of a report in order, its expression, whether it held, and whether its value is a lower
/// bound.
fn verdicts(report: &Report) -> Vec<(&str, bool, bool)> {
    let thresholds = report.at("/thresholds").as_array().expect("a list").iter();
    let flag = |value: &Value| value.as_bool().expect("a truth value");
    thresholds
        .map(|one| (one["expression"].as_str().expect("a text"), flag(&one["passed"]), flag(&one["at_least"])))
        .collect()
}

#[test]
fn a_target_that_accepts_and_never_answers_fails_the_run() {
    for (action, step, fail_on) in [
        ("http", "{name: Page, url: /, timeout: 1h}", "all-failed"),
        ("http", "{name: Page, url: /, timeout: 1h}", "any-error"),
        ("page", "{name: Page, action: page, url: /, timeout: 1h}", "all-failed"),
        ("sse", "{name: Page, action: sse, url: /, for: 1h, timeout: 2h}", "all-failed"),
        ("websocket", "{name: Page, action: websocket, url: WS, timeout: 1h}", "all-failed"),
        ("tcp", "{name: Page, action: tcp, address: 'TCP', send: hello, expect: x, timeout: 1h}", "all-failed"),
    ] {
        let target = Silent::bind();
        let url = target.base_url();
        let address = url.strip_prefix("http://").expect("a plain address");
        let run = shooter()
            .script(&format!("- {step}\n").replace("WS", &format!("'ws://{address}'")).replace("TCP", address))
            .args("--users 3 --duration 1s --graceful-stop 100ms --fail-on")
            .arg(fail_on)
            .args("--base-url")
            .arg(target.base_url())
            .report()
            .finish()
            .exits(9);
        let report = run.report();
        let row = report.row("Page");
        assert_eq!(row.errors(), BTreeMap::from([("unfinished", 3)]), "{action}: {}", run.stdout);
        assert_eq!((row.tasks("failed"), row.tasks("cancelled")), (3, 0), "{action}");
        let said = "not done by the end of the graceful stop: waiting for the ";
        assert!(row.example("unfinished").starts_with(said), "{action}: {}", row.example("unfinished"));
        report.assert_consistent();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_target_that_drops_who_asks_for_a_connection_was_never_reached() {
    let target = stampede_tests::Dropping::bind();
    let run = shooter()
        .script("- {name: Page, url: /, timeout: 1h}\n")
        .args("--users 3 --duration 1s --graceful-stop 100ms --base-url")
        .arg(target.base_url())
        .report()
        .finish()
        .exits(5);
    let report = run.report();
    let row = report.row("Page");
    assert_eq!(row.errors(), BTreeMap::from([("unfinished", 3)]), "{}", run.stdout);
    assert_eq!(row.example("unfinished"), "not done by the end of the graceful stop: connecting");
}

#[test]
fn a_reply_that_stops_in_the_middle_fails_the_run() {
    let target = RawServer::start(|_| b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nten bytes.".to_vec());
    let run = shooter()
        .script("- {name: Page, url: /, timeout: 1h}\n")
        .args("--duration 1s --graceful-stop 100ms --base-url")
        .arg(target.base_url())
        .report()
        .finish()
        .exits(9);
    let report = run.report();
    assert_eq!(report.row("Page").errors(), BTreeMap::from([("unfinished", 1)]));
    assert_eq!(report.row("Page").statuses(), BTreeMap::from([(200, 1)]));
}

#[test]
fn a_target_that_falls_silent_in_mid_run_raises_every_percentile_that_its_silence_concerns() {
    let target = FallsSilent::after(100);
    let script = "
arrival_rate: 100/s
duration: 2s
max_users: 200
graceful_stop: 300ms
thresholds:
  http_duration: [p(10)<1h, p(99)<1h, max<1h, avg<1h, p(99)>100ms, max<1h for 1s]
  http_failed: [rate<1%, rate<1% for 1s]
steps: [{name: Page, url: /, timeout: 1h}]
";
    let run = shooter().script(script).args("--base-url").arg(target.server.base_url()).report().finish().exits(99);
    let report = run.report();
    let row = report.row("Page");
    let unanswered = target.received() - 100;
    assert!(unanswered > 50, "{unanswered} unanswered");
    assert_eq!((row.ok(), row.errors()), (100, BTreeMap::from([("unfinished", unanswered)])));
    assert_eq!(
        verdicts(&report),
        [
            ("p(10)<1h", true, false),
            ("p(99)<1h", false, true),
            ("max<1h", false, true),
            ("avg<1h", false, true),
            ("p(99)>100ms", true, true),
            ("max<1h for 1s", false, true),
            ("rate<1%", false, false),
            ("rate<1% for 1s", false, false),
        ],
        "{}",
        run.stdout
    );
    let times = row.at("/response_time_us");
    assert_eq!((&times["count"], &times["cut_off"]), (&json!(100), &json!(unanswered)));
    let bounds: Vec<_> = times["at_least"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(["p99", "p99_9", "max", "mean"].iter().all(|name| bounds.contains(name)), "{bounds:?}");
    // The first of them waited a second and the graceful stop.
    assert!(times["p99"].as_u64().is_some_and(|micros| micros >= 1_000_000), "{times}");
    assert!(run.stdout.contains("Cut off: "), "{}", run.stdout);
    assert!(run.stdout.contains('≥'), "{}", run.stdout);
    report.assert_consistent();
}

#[test]
#[cfg(unix)]
fn what_a_person_cuts_off_is_no_failure_of_the_target() {
    let target = FallsSilent::after(1);
    let running = shooter()
        .script("- {name: Page, url: /, timeout: 1h}\n")
        .args("--duration 1h --graceful-stop 100ms --fail-on any-error --threshold http_failed:rate<1% --base-url")
        .arg(target.server.base_url())
        .report()
        .spawn();
    stampede_tests::wait_for("a request without an answer", || target.received() == 2);
    running.signal(stampede_tests::Signal::Interrupt);
    let run = running.finish().exits(130);
    let report = run.report();
    assert_eq!(report.row("Page").errors(), BTreeMap::from([("cancelled", 1)]));
    assert_eq!(verdicts(&report), [("rate<1%", true, false)]);
    assert_eq!(report.row("Page").at("/response_time_us/cut_off"), &json!(1), "its time is a lower bound all the same");
}

#[test]
fn merged_reports_count_what_both_cut_off() {
    let target = FallsSilent::after(20);
    let report = |name: &str| {
        let run = shooter()
            .script("- {name: Page, url: /, timeout: 1h}\n")
            .args("--users 4 --rps 50 --duration 2s --graceful-stop 100ms --base-url")
            .arg(target.server.base_url())
            .report()
            .finish();
        (name.to_owned(), run.read("report.json"))
    };
    let [(a, first), (b, second)] = [report("a.json"), report("b.json")];
    let run = shooter().file(&a, &first).file(&b, &second).args("merge a.json b.json --out sum.json").finish();
    let sum = Report::parse(&run.read("sum.json"));
    assert_eq!(sum.row("Page").at("/response_time_us/cut_off"), &json!(8), "{}", run.stdout);
    assert_eq!(sum.row("Page").errors(), BTreeMap::from([("unfinished", 8)]));
}
