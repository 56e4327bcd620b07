//! The `tcp` action, against nginx: an HTTP server is a good peer for bytes, and its log shows what arrived.

use stampede_tests::{Logged, Nginx, RawServer, Refusing, site};

use super::ran;
use crate::shooter;

const FLAGS: &str = "--users 4 --iterations 5 --workers 2";
/// Runs of each step.
const TASKS: u64 = 20;

fn address(base: &str) -> &str {
    base.split_once("://").map_or(base, |(_, address)| address)
}

#[test]
fn bytes_go_to_a_foreign_server_and_come_back() {
    let nginx = Nginx::start("location / { return 200 'it works'; }");
    let script = format!(
        r#"
steps:
  - name: Kept
    action: tcp
    address: {address}
    send: "GET /kept?{{{{userId}}}} HTTP/1.1\r\nhost: a\r\n\r\n"
    expect: {{line: 200 OK}}
    keep_open: true
  - name: Rest
    action: tcp
    address: {address}
    expect: it works
    keep_open: true
  - name: Hex
    action: tcp
    address: {address}
    send: {{hex: 474554202f68657820485454502f312e310d0a686f73743a20610d0a0d0a}}
    expect: {{regex: '(?s)^HTTP/1.1 200 .*works$'}}
  - name: Base64
    action: tcp
    address: {address}
    send: {{base64: "R0VUIC9iYXNlNjQgSFRUUC8xLjANCg0K"}}
    expect: {{bytes: 15}}
"#,
        address = address(&nginx.base_url())
    );
    let (run, report) = ran(&script, FLAGS);
    for name in ["Kept", "Rest", "Hex", "Base64"] {
        assert_eq!(
            (report.row(name).ok(), report.row(name).err()),
            (TASKS, 0),
            "{name}\n{}\n{}",
            run.stdout,
            run.stderr
        );
    }
    let log = nginx.log(3 * TASKS);
    assert_eq!(Logged::statuses(&log), [(200, 3 * TASKS)].into());
    for path in ["/kept?0 ", "/kept?3 ", "/hex ", "/base64 "] {
        let expected = if path.starts_with("/kept") { TASKS / 4 } else { TASKS };
        assert_eq!(log.iter().filter(|line| line.request.contains(path)).count() as u64, expected, "{path}");
    }
}

#[test]
fn steps_over_tls_have_the_same_results() {
    let nginx = Nginx::start_tls("location / { return 200 'it works'; }");
    let script = format!(
        r#"steps: [{{name: Tls, action: tcp, address: "{}", tls: true, send: "GET / HTTP/1.0\r\n\r\n", expect: it works}}]"#,
        address(&nginx.base_url())
    );
    let (run, report) = ran(&script, &format!("{FLAGS} --insecure-tls"));
    assert_eq!((report.row("Tls").ok(), report.row("Tls").err()), (TASKS, 0), "{}", run.stdout);
    assert_eq!(nginx.log(TASKS).len() as u64, TASKS);
    let plain = site();
    let script =
        format!("steps: [{{name: Not, action: tcp, address: '{}', tls: true, send: a}}]", address(&plain.base_url()));
    let run = shooter().script(&script).args(FLAGS).report().finish().exits(5);
    assert_eq!(run.report().row("Not").errors(), [("network", TASKS)].into());
}

#[test]
fn every_end_but_the_right_one_has_its_category() {
    let (ending, talking, refusing) =
        (RawServer::start(|_| Vec::new()), RawServer::start(|_| b"-ERR what?\r\n".to_vec()), Refusing::bind());
    let step = |name: &str, base: &str, more: &str| {
        format!("  - {{name: {name}, action: tcp, address: '{}', send: \"A\\r\\n\\r\\n\", {more}}}\n", address(base))
    };
    let script = [
        "steps:\n".to_owned(),
        step("Refused", &refusing.base_url(), ""),
        step("Ended", &ending.base_url(), "expect: ok"),
        step("Other", &talking.base_url(), "expect: {line: +OK}"),
        step("Long", &talking.base_url(), "expect: +OK, most: 5"),
        step("Late", &talking.base_url(), "expect: +OK, timeout: 100ms"),
        "  - {name: Elsewhere, action: tcp, address: '{{var none}}127.0.0.1:1'}\n".to_owned(),
        "  - {name: Set, action: set, variables: {none: ''}}\n".to_owned(),
    ]
    .concat();
    let (run, report) = ran(&script, FLAGS);
    for (name, category, example) in [
        ("Refused", "network", "refused"),
        ("Ended", "network", "expected `ok`, got nothing before the connection ended"),
        ("Other", "check", "expected a line with `+OK`, got `-ERR what?\\r\\n`"),
        ("Long", "protocol", "expected `+OK` within 5 bytes"),
        ("Late", "timeout", "not done within 100ms: waiting for the peer, after "),
        (
            "Elsewhere",
            "network",
            "a connection to `127.0.0.1:1`, which is not granted; add `allow: [\"127.0.0.1:1\"]` to the plugin's entry",
        ),
    ] {
        let row = report.row(name);
        assert_eq!(row.errors(), [(category, TASKS)].into(), "{name}\n{}", run.stdout);
        assert!(row.example(category).contains(example), "{name}: {}", row.example(category));
    }
}
