//! Links of users, through the real binary. A link is never faster than its rate, however busy the machine is, so times
//! are bounded from below exactly. That it is not slower either is exact in virtual time, in the cases below and in the
//! unit tests; here the fastest of many requests has to show it.

use stampede_tests::{Report, Row, guest, settled, site};

use crate::shooter;

/// Runs a script, whose requests all succeed, against the site; `SITE` stands for its address.
#[track_caller]
fn linked(script: &str, flags: &str) -> Report {
    let site = site();
    let script = script.replace("SITE", &site.base_url());
    let run = shooter().script(&script).args(flags).report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    report.assert_equals(&settled(&site.stats()));
    report
}

/// Checks that the fastest request of a row took `micros`, and at most 2 % more: the histogram's own error is 0.1 %.
#[track_caller]
fn assert_takes(row: Row<'_>, pointer: &str, micros: u64) {
    let fastest = row.number(&format!("{pointer}/min"));
    assert!(fastest >= micros - micros / 1_000, "faster than the link: {fastest} µs, not {micros}");
    assert!(fastest <= micros + micros / 50, "slower than the link: {fastest} µs, not {micros}");
}

#[test]
fn a_download_is_as_fast_as_the_link() {
    for version in ["1.1", "2"] {
        let step = format!("{{name: Picture, url: SITE/bytes/100000, http_version: {version}}}");
        let script = format!("link: 800kbit/s\nsteps: [{step}]\n");
        let report = linked(&script, "--users 4 --iterations 2 --workers 2");
        let row = report.row("Picture");
        assert_eq!((row.ok(), row.body_in()), (8, 800_000));
        assert_takes(row, "/service_time_us", 1_000_000);
        // The first byte is the site's: the link has no part in it.
        assert!(row.number("/phases_us/first_byte/min") < 900_000, "HTTP/{version}");
    }
}

#[test]
fn parallel_steps_share_the_link_of_their_user() {
    let step = |name: &str| format!("{{name: {name}, url: SITE/bytes/50000}}");
    let script = format!("link: 800kbit/s\nsteps: [{{parallel: [{}, {}]}}]\n", step("One"), step("Other"));
    let report = linked(&script, "--users 4 --iterations 1 --workers 2");
    for row in ["One", "Other"].map(|name| report.row(name)) {
        // Half a second alone; both have passed after one, and neither more than its turn before that.
        assert!(row.number("/service_time_us/min") >= 950_000, "{}", row.name());
    }
    let last = ["One", "Other"].map(|name| report.row(name).number("/service_time_us/max"));
    assert!(last.into_iter().max() >= Some(999_000), "{last:?}");
}

#[test]
fn a_round_trip_passes_before_a_reply_and_two_on_a_new_connection() {
    let step = "{name: Ok, url: SITE/bytes/0}";
    for (connections, trips) in [("keep", 1), ("request", 2)] {
        let script = format!("link: {{down: 100Mbit/s, rtt: 250ms}}\nconnections: {connections}\nsteps: [{step}]\n");
        let report = linked(&script, "--users 2 --iterations 4 --workers 2");
        let row = report.row("Ok");
        let (fastest, slowest) = (row.number("/service_time_us/min"), row.number("/service_time_us/max"));
        assert!(fastest >= trips * 249_000 && slowest >= 499_000, "{connections}: {fastest} {slowest}");
        assert!(row.number("/phases_us/first_byte/min") < 250_000, "{connections}");
    }
}

#[test]
fn a_scenario_has_its_own_link_or_none() {
    let scenario = |name: &str, link: &str| {
        format!("  {name}: {{users: 2, iterations: 1, {link}steps: [{{name: Picture, url: SITE/bytes/40000}}]}}\n")
    };
    let scenarios = [("slow", ""), ("fast", "link: 3200kbit/s, "), ("none", "link: none, ")];
    let scenarios: String = scenarios.iter().map(|(name, link)| scenario(name, link)).collect();
    let report = linked(&format!("link: 320kbit/s\nscenarios:\n{scenarios}"), "");
    let fastest = |name: &str| {
        let row = report.rows().find(|row| row.at("/scenario").as_str() == Some(name));
        row.expect("a row of the scenario").number("/service_time_us/min")
    };
    assert!(fastest("slow") >= 999_000 && fastest("fast") >= 99_900, "{} {}", fastest("slow"), fastest("fast"));
    assert!(fastest("none") < 999_000);
}

#[test]
fn viewers_play_what_their_links_carry() {
    let site = site();
    let url = format!("{}/vod/m,ladder=mobile,segment=1s,length=8s/master.m3u8", site.base_url());
    let script = format!("link: 1Mbit/s\nsteps: [{{name: Watch, action: stream, url: '{url}', watch: 1m}}]\n");
    let flags = "--users 4 --iterations 1 --workers 2 --duration 1m";
    let run = shooter().script(&script).args(flags).report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    report.assert_equals(&settled(&site.stats()));
    assert_eq!((report.row("Watch").tasks("passed"), report.row("Watch/segment").ok()), (4, 32));
    let metric = |name: &str, what: &str| {
        let mut metrics = report.at("/metrics").as_array().into_iter().flatten();
        let found = metrics.find(|metric| metric["plugin"] == "stream" && metric["name"] == name);
        found.and_then(|metric| metric[what].as_f64()).unwrap_or_else(|| panic!("no {what} of {name}"))
    };
    // hls.js goes up to what takes 0.7 of the bandwidth: 400 kb/s of 200, 400 and 800.
    assert!(metric("bitrate", "max") <= 500.0, "{}", metric("bitrate", "max"));
    assert_eq!((metric("sessions", "sum"), metric("failed", "share")), (4.0, 0.0));
}

#[test]
fn check_describes_the_links_and_warns_of_viewers_without() {
    let trace = "s,kbit/s\n0,4000\n10,0\n12,500\n20,end\n";
    let script = "base_url: http://127.0.0.1:9
scenarios:
  phones:
    users: 2
    duration: 5m
    link: {choose: [{weight: 5, down: 25Mbit/s, rtt: 20ms}, {weight: 3, down: 1500kbit/s}, {weight: 2, trace: lte.csv, rtt: 70ms}]}
    steps: [{name: Watch, action: stream, url: /a.m3u8, watch: 5m}]
  crowd:
    arrival_rate: 10/s
    duration: 1m
    max_users: 300
    steps: [{name: Match, action: stream, url: /b.m3u8, watch: 2m, timeout: 1m}]
";
    let run = shooter().args("check").script(script).file("lte.csv", trace).finish().exits(0);
    let links = "Each user has a link of its own; times of replies include it.
  50 % of the users: 25Mbit/s, a round trip of 20ms
  30 % of the users: 1.5Mbit/s
  20 % of the users: `lte.csv` (2.2Mbit/s on average, again and again every 20s), a round trip of 70ms
";
    assert!(run.stdout.contains(links), "{}", run.stdout);
    assert_eq!(run.stdout.matches("a link of its own").count(), 1, "{}", run.stdout);
    let warnings = "warning: the viewers of `crowd/Match` have no `link`: every viewer of a fast network plays the highest quality
warning: the viewers of `crowd/Match` watch for up to 2m, and the load ends after 1m: their sessions are cut, and count as they are
warning: the timeout of `crowd/Match`, 1m, ends sessions of up to 2m
warning: up to 600 viewers of `crowd/Match` would watch at once, and `max_users` is 300: later ones are dropped
";
    assert_eq!(run.stderr, warnings);
}

/// Runs cases with the component of an example or a guest, in virtual time.
#[track_caller]
fn rehearsed(plugin: &str, cases: &str) {
    shooter().file("cases.yml", cases).args("plugin test").arg(guest(plugin)).finish().exits(0);
}

#[test]
fn content_takes_its_time_in_virtual_time() {
    rehearsed(
        "prints",
        "- name: ten kilobytes at a kilobyte a second
  link: 8kbit/s
  steps: [{name: Page, action: http, url: http://site/}]
  target: [{reply: {body: {bytes: 10000}}}]
  expect: {outcome: passed, takes: 10s}
- name: a round trip for the connection and one for each reply
  link: {down: 8kbit/s, rtt: 200ms}
  times: 3
  steps: [{name: Page, action: http, url: http://site/}]
  target: [{reply: {body: {bytes: 100}}}, {reply: {body: {bytes: 100}}}, {reply: {body: {bytes: 100}}}]
  expect: {outcome: passed, takes: 1100ms}
- name: a site that is slower than the link
  link: {down: 80kbit/s, rtt: 200ms}
  steps: [{name: Page, action: http, url: http://site/}]
  target: [{reply: {body: {bytes: 2000}, after: 1s, over: 4s}}]
  expect: {outcome: passed, takes: 5410ms}
",
    );
}

#[test]
fn sockets_receive_over_the_link() {
    rehearsed(
        "prints",
        "- name: an answer comes a round trip after what it answers
  link: {down: 8kbit/s, rtt: 500ms}
  steps: [{name: Get, action: tcp, address: 'site:6379', send: GET, expect: {bytes: 1000}}]
  target: [{receives: GET, sends: {bytes: 1000}}]
  expect: {outcome: passed, takes: 2s}
- name: on a connection that is kept without the handshake
  link: {down: 8kbit/s, rtt: 500ms}
  steps: [{name: Get, action: tcp, address: 'site:6379', send: GET, expect: {bytes: 10}, keep_open: true}]
  times: 3
  target:
    - {receives: GET, sends: {bytes: 10}}
    - {receives: GET, sends: {bytes: 10}}
    - {receives: GET, sends: {bytes: 10}}
  expect: {outcome: passed, takes: 2030ms}
",
    );
}

#[test]
fn a_session_has_a_link_in_virtual_time() {
    // The playlist has 13 bytes. Its connection is new, that of the segment is not.
    let segment = "x".repeat(1_000);
    rehearsed(
        "session",
        &format!(
            "- name: at a thousand bytes a second
  link: {{down: 8kbit/s, rtt: 500ms}}
  steps: [{{name: Watch, action: watch, url: 'http://site/live', seconds: 0}}]
  target: [{{reply: {{body: 'http://site/a'}}}}, {{reply: {{body: '{segment}'}}}}]
  expect: {{outcome: passed, takes: 2513ms}}
- name: a head that is on the link for longer than the viewer waits
  link: {{down: 8kbit/s, rtt: 1200ms}}
  steps: [{{name: Watch, action: watch, url: 'http://site/live', seconds: 0}}]
  target: [{{reply: {{body: 'http://site/a'}}}}, {{reply: {{body: '{segment}'}}}}]
  expect: {{outcome: passed, takes: 3413ms}}
"
        ),
    );
}

#[test]
fn progress_is_what_has_passed_over_the_link() {
    // Pieces of 16,384 bytes have passed after 410 and 819 ms, the rest after a second. The first one begins with the
    // head, which has 40 bytes: the looks see nothing, 16,344 bytes and 32,728.
    rehearsed(
        "watches_progress",
        "- name: a piece at a time
  link: 320kbit/s
  steps: [{name: Watch, action: misbehave, url: 'http://site/file', every_ms: 300}]
  target: [{reply: {body: {bytes: 40000}}}]
  expect: {outcome: passed, takes: 1s, metrics: {seen: 49072}}
",
    );
}
