//! Changes to a run in progress, through its socket and by keys.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::{Value, json};
use stampede_tests::{Run, Running, settled, site, wait_for};

use crate::{BINARY, TARGET_TMP, shooter};

const PAGE: &str = "- {name: Page, url: /bytes/10}\n";

/// A connection to a run's socket.
struct Client(BufReader<UnixStream>);

impl Client {
    /// Connects as soon as the run listens.
    fn of(running: &Running) -> Self {
        let socket = running.path("run.sock");
        let mut stream = None;
        wait_for("the run to listen", || {
            stream = UnixStream::connect(&socket).ok();
            stream.is_some()
        });
        Self(BufReader::new(stream.expect("the run listens")))
    }

    fn send(&mut self, text: &str) {
        self.0.get_mut().write_all(text.as_bytes()).expect("the run reads");
    }

    fn answer(&mut self) -> Value {
        let mut line = String::new();
        self.0.read_line(&mut line).expect("the run answers");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("`{line}`: {error}"))
    }

    fn ask(&mut self, line: &str) -> Value {
        self.send(&format!("{line}\n"));
        self.answer()
    }
}

#[test]
fn a_run_is_paused_goes_on_and_is_stopped() {
    for load in ["--users 4 --rps 50 --duration 1h", "--arrival-rate 200/s --duration 1h"] {
        let site = site();
        let stats = site.stats();
        let running = shooter()
            .script(PAGE)
            .args(load)
            .args("--workers 2 --control run.sock --base-url")
            .arg(site.base_url())
            .report()
            .spawn();
        let mut client = Client::of(&running);
        let mode = running.path("run.sock").metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{load}");
        wait_for("requests", || stats.snapshot().requests > 0);
        assert_eq!(client.ask(r#"{"pause": true}"#)["paused"], true, "{load}");
        // At 200 requests a second, a run that is not paused is never idle for a second.
        let mut rest = (0, 0);
        wait_for("a second without requests", || {
            let (now, requests) =
                (client.ask(r#"{"status": true}"#)["elapsed_us"].as_u64().unwrap(), stats.snapshot().requests);
            if rest.1 != requests {
                rest = (now, requests);
            }
            now - rest.0 >= 1_000_000
        });
        assert_eq!(client.ask(r#"{"pause": false}"#)["paused"], false, "{load}");
        wait_for("more requests", || stats.snapshot().requests > rest.1);
        assert_eq!(client.ask(r#"{"scale": 0.5}"#)["scenarios"], json!([{"name": null, "scale": 0.5}]), "{load}");
        assert_eq!(client.ask(r#"{"stop": true}"#)["ending"], true, "{load}");
        let socket = running.path("run.sock");
        let run = running.finish().exits(0);
        assert!(!socket.exists(), "{load}");
        let report = run.report();
        report.assert_equals(&settled(&stats));
        report.assert_consistent();
        assert_eq!(report.at("/run/ended"), "stopped", "{load}");
        let changes = report.at("/changes").as_array().unwrap();
        let what: Vec<_> = changes.iter().map(|change| change["what"].as_str().unwrap()).collect();
        assert_eq!(what, ["pause", "resume", "scale", "stop"], "{load}");
        assert_eq!(changes[2]["scale"], 0.5, "{load}");
        assert!(run.stdout.contains("Changed while it ran: pause at "), "{}", run.stdout);
    }
}

#[test]
fn spare_users_begin_when_the_load_is_raised() {
    let site = site();
    let running = shooter()
        .script(PAGE)
        .args("--users 2 --max-users 6 --rps 20 --duration 1h --workers 2 --control run.sock --base-url")
        .arg(site.base_url())
        .report()
        .spawn();
    let mut client = Client::of(&running);
    let mut users = |wanted: u64| {
        wait_for("that number of users", || client.ask(r#"{"status": true}"#)["users"] == wanted);
    };
    users(2);
    let mut other = Client::of(&running);
    other.ask(r#"{"scale": 3}"#);
    users(6);
    other.ask(r#"{"scale": 9}"#);
    other.ask(r#"{"scale": 0.5}"#);
    users(1);
    other.ask(r#"{"stop": true}"#);
    let report = running.finish().exits(0).report();
    report.assert_equals(&settled(&site.stats()));
    report.assert_consistent();
}

#[test]
fn wrong_lines_lose_nothing_and_clients_that_hang_delay_no_other() {
    let site = site();
    let running = shooter()
        .script(PAGE)
        .args("--users 2 --rps 20 --duration 1h --control run.sock --base-url")
        .arg(site.base_url())
        .report()
        .spawn();
    let (mut never_ends, mut never_reads, mut client) =
        (Client::of(&running), Client::of(&running), Client::of(&running));
    never_ends.send(r#"{"status":"#);
    // More than both buffers hold; the rest is not written.
    let stream = never_reads.0.get_mut();
    stream.set_nonblocking(true).unwrap();
    while stream.write(&b"{\"status\": true}\n".repeat(64)).is_ok() {}
    for (line, error) in [
        ("stop", "expected value"),
        (r#"{"scale": 11}"#, "a scale is from 0 to 10"),
        (r#"{"scale": 1, "scenario": "buy"}"#, "there is no scenario `buy`"),
        (r#"{"pause": true, "stop": true}"#, "one of `scale`, `pause`, `stop: true` and `status: true` is needed"),
    ] {
        assert_eq!(client.ask(line), json!({ "error": error }), "{line}");
    }
    let mut long = Client::of(&running);
    long.send(&"x".repeat(4096));
    assert_eq!(long.answer(), json!({"error": "a line has 4096 bytes at most"}));
    assert_eq!(client.ask(r#"{"stop": true}"#)["ending"], true);
    let report = running.finish().exits(0).report();
    report.assert_equals(&settled(&site.stats()));
    assert_eq!(report.at("/changes").as_array().unwrap().len(), 1, "only the stop changed anything");
}

#[test]
fn the_command_sends_requests_and_prints_the_status() {
    let site = site();
    let script = "{scenarios: {browse: {users: 2}, buy: {users: 2}}, duration: 1h, rps: 20, steps: [{name: Page, url: /bytes/10}]}\n";
    let running = shooter().script(script).args("--control run.sock --base-url").arg(site.base_url()).report().spawn();
    drop(Client::of(&running));
    let socket = running.path("run.sock");
    let control = |what: &str| shooter().arg("control").arg(&socket).args(what).finish();
    let answered = control("scale 0.5 --scenario buy").exits(0).stdout;
    let status: Value = serde_json::from_str(&answered).unwrap();
    let expected = json!([{"name": "browse", "scale": 1.0}, {"name": "buy", "scale": 0.5}]);
    assert_eq!(status["scenarios"], expected);
    assert!(control("pause").exits(0).stdout.contains(r#""paused":true"#));
    assert!(control("resume").exits(0).stdout.contains(r#""paused":false"#));
    assert!(control("status").exits(0).stdout.contains(r#""ending":false"#));
    assert!(control("scale 1 --scenario sell").exits(2).stderr.contains("there is no scenario `sell`"));
    assert!(control("scale much").exits(2).stderr.contains("invalid value"));
    let taken = shooter().script(PAGE).arg("--control").arg(&socket).arg("--base-url").arg(site.base_url()).finish();
    let taken = taken.exits(2).stderr;
    assert!(taken.contains("it exists already") && taken.contains("another run may be using it"), "{taken}");
    control("stop").exits(0);
    let report = running.finish().exits(0).report();
    assert_eq!(report.at("/changes/0/scenario"), "buy");
    let gone = control("status").exits(2).stderr;
    assert!(gone.contains("cannot reach a run at") && gone.contains("--control PATH"), "{gone}");
}

/// Runs in a terminal of its own, which `script` of util-linux makes. Keys that are typed before the run listens wait
/// for it.
#[test]
#[cfg(target_os = "linux")]
fn keys_change_the_load_and_the_terminal_is_restored() {
    let Some(script) = ["/usr/bin/script", "/bin/script"].into_iter().find(|path| Path::new(path).exists()) else {
        eprintln!("left out: there is no `script` here");
        return;
    };
    let site = site();
    let command = format!(
        "before=$(stty -g); {BINARY} --script script.yml --users 2 --rps 20 --duration 1h --verbose --out report.json \
         --base-url {}; echo exit $?; test \"$before\" = \"$(stty -g)\" && echo as before",
        site.base_url()
    );
    let run = Run::new(script, TARGET_TMP)
        .file("script.yml", PAGE)
        .env("SHELL", "/bin/sh")
        .arg("-qec")
        .arg(command)
        .arg("/dev/null")
        .stdin("++-pp q")
        .finish();
    assert!(run.stdout.contains("exit 0") && run.stdout.contains("as before"), "{}", run.stdout);
    let report: Value = serde_json::from_str(&run.read("report.json")).unwrap();
    let changes = report["changes"].as_array().unwrap().iter();
    let listed: Vec<_> = changes.map(|change| (change["what"].as_str().unwrap(), change["scale"].as_f64())).collect();
    let scaled = |scale| ("scale", Some(scale));
    let expected =
        [scaled(1.1), scaled(1.2), scaled(1.1), ("pause", None), ("resume", None), ("pause", None), ("stop", None)];
    assert_eq!(listed, expected, "{}", run.stdout);
}
