//! TLS: certificates that are wrong in one way, and handshakes that end too early or never.

use std::collections::BTreeMap;

use rustls::version::{TLS12, TLS13};
use stampede_tests::Act::{Again, Any, Endless, Hold, Request, Reset, Send};
use stampede_tests::{Act, Authority, FaultServer, Identity, Report};

use super::cell::Cell;
use super::runner::{Protocol, Step, TASKS, trusting};

const FLAGS: &str = "--users 2 --iterations 2 --timeout 20s";

/// Identities that a client must not accept.
const WRONG: [Identity; 4] = [Identity::Expired, Identity::NotYetValid, Identity::OtherName, Identity::UnknownIssuer];

/// Returns the acts of a server that answers every request.
fn answers() -> Vec<Act> {
    vec![Request, Send(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello".into()), Again]
}

fn steps(servers: &[FaultServer], host: &str) -> String {
    let step = |(at, server): (usize, &FaultServer)| {
        format!("- {{name: Step {at}, url: 'https://{host}:{}/'}}\n", server.port())
    };
    servers.iter().enumerate().map(step).collect()
}

#[track_caller]
fn assert_rows(report: &Report, servers: Vec<FaultServer>, errors: &BTreeMap<&str, u64>, requests: u64) {
    report.assert_consistent();
    for (at, server) in servers.into_iter().enumerate() {
        let row = report.row(&format!("Step {at}"));
        assert_eq!((row.errors(), row.total()), (errors.clone(), TASKS), "server {at}: {row:?}");
        assert_eq!(server.finish().requests, requests, "server {at}");
    }
}

#[test]
fn a_certificate_that_is_wrong_in_any_way_fails_each_request_before_it_is_sent() {
    let authority = Authority::default();
    let start = |identity| FaultServer::start(&answers(), Some(authority.server(identity, &["http/1.1"])));
    let servers = Vec::from(WRONG.map(start));
    let run = trusting(&authority).script(&steps(&servers, "localhost")).args(FLAGS).report().finish().exits(5);
    let report = run.report();
    let said: Vec<_> = report.rows().map(|row| row.example("network").to_owned()).collect();
    assert!(said.iter().all(|text| text.starts_with("tls: ")), "{said:?}");
    assert_rows(&report, servers, &BTreeMap::from([("network", TASKS)]), 0);
}

#[test]
fn any_certificate_is_accepted_where_the_user_says_so() {
    let authority = Authority::default();
    let start = |identity| FaultServer::start(&answers(), Some(authority.server(identity, &["http/1.1"])));
    let servers = Vec::from(WRONG.map(start));
    let run = trusting(&authority).script(&steps(&servers, "localhost")).args(FLAGS).args("--insecure-tls");
    assert_rows(&run.report().finish().exits(0).report(), servers, &BTreeMap::new(), TASKS);
}

#[test]
fn a_right_certificate_is_accepted_by_name_and_by_address_in_both_versions_of_tls() {
    let authority = Authority::default();
    for host in ["localhost", "127.0.0.1"] {
        let of = |version| authority.server_of_versions(Identity::Valid, &["http/1.1"], &[version]);
        let start = |version| FaultServer::start(&answers(), Some(of(version)));
        let servers = Vec::from([&TLS12, &TLS13].map(start));
        let run = trusting(&authority).script(&steps(&servers, host)).args(FLAGS).report().finish().exits(0);
        assert_rows(&run.report(), servers, &BTreeMap::new(), TASKS);
    }
}

#[test]
fn no_server_is_trusted_without_an_authority() {
    let authority = Authority::default();
    let servers = vec![FaultServer::start(&answers(), Some(authority.server(Identity::Valid, &["http/1.1"])))];
    for (certificates, text) in [("missing.pem", ""), ("text.pem", "no certificate")] {
        let run = trusting(&authority).file("text.pem", text).env("SSL_CERT_FILE", certificates);
        let run = run.env("SSL_CERT_DIR", "missing").script(&steps(&servers, "localhost")).args(FLAGS);
        let report = run.report().finish().exits(5).report();
        assert_eq!(report.totals().errors(), BTreeMap::from([("network", TASKS)]), "{certificates}");
    }
}

/// With TLS 1.3 the server refuses after the client's part of the handshake, when a request may be on its way.
#[test]
fn a_server_that_asks_for_a_client_certificate_fails_each_request() {
    let authority = Authority::default();
    let identity = Identity::AsksForCertificate;
    for (version, codes) in [(&TLS12, &[5][..]), (&TLS13, &[5, 9])] {
        let config = authority.server_of_versions(identity, &["http/1.1"], &[version]);
        let servers = vec![FaultServer::start(&answers(), Some(config))];
        let run = trusting(&authority).script(&steps(&servers, "localhost")).args(FLAGS).report().finish();
        assert!(run.code.is_some_and(|code| codes.contains(&code)), "{version:?}: {:?}", run.code);
        assert_rows(&run.report(), servers, &BTreeMap::from([("network", TASKS)]), 0);
    }
}

#[test]
fn a_server_without_http2_fails_steps_that_want_it() {
    let authority = Authority::default();
    for protocols in [&[][..], &["http/1.1"]] {
        let server = FaultServer::start(&answers(), Some(authority.server(Identity::Valid, protocols)));
        let script = format!("- {{name: Step 0, url: 'https://localhost:{}/', http_version: 2}}\n", server.port());
        let run = trusting(&authority).script(&script).args(FLAGS).report().finish().exits(5);
        assert_rows(&run.report(), vec![server], &BTreeMap::from([("network", TASKS)]), 0);
    }
}

/// Peers that do not speak TLS, or only begin to.
fn handshakes() -> Vec<Cell> {
    let answers = |name, bytes: &[u8]| Cell::unreached(name, [Any, Send(bytes.into())]);
    // The beginning of a handshake message that is never complete, in a record of 16 KiB.
    let record = [b"\x16\x03\x03\x40\x00\x0b\xff\xff\xff".as_slice(), &[b'x'; 16_380]].concat();
    let more = [b"\x16\x03\x03\x40\x00".as_slice(), &[b'y'; 16_384]].concat();
    vec![
        answers("handshake garbage", &[0xf7; 300]),
        answers("handshake with a plain HTTP server", b"HTTP/1.1 400 Bad Request\r\n\r\n"),
        answers("closed in the handshake", b""),
        answers("closed in a message of the handshake", b"\x16\x03\x03\x00\x7a\x02\x00"),
        answers("alert handshake_failure", b"\x15\x03\x03\x00\x02\x02\x28"),
        answers("alert protocol_version of an old server", b"\x15\x03\x01\x00\x02\x02\x46"),
        answers(
            "server hello of TLS 1.1",
            &[b"\x16\x03\x02\x00\x2a\x02\x00\x00\x26\x03\x02".as_slice(), &[7; 32], b"\x00\x00\x2f\x00"].concat(),
        ),
        Cell::unreached("reset in the handshake", [Any, Reset]),
        Cell::unreached("a message of the handshake without an end", [Any, Send(record), Endless(more)]),
        Cell::times_out("stalls before the handshake", [Hold]).at_once(),
        Cell::times_out("stalls in the handshake", [Any, Send(b"\x16\x03\x03\x00\x7a\x02\x00".into()), Hold]).at_once(),
    ]
}

#[test]
fn every_handshake_that_fails_is_a_failure_of_the_network_and_sends_no_request() {
    let steps: [(&str, Step); 4] = [
        ("http over TLS", |server| format!("url: 'https://{}/'", server.address())),
        ("page over TLS", |server| format!("action: page, url: 'https://{}/'", server.address())),
        ("websocket over TLS", |server| format!("action: websocket, send: x, url: 'wss://{}/'", server.address())),
        ("tcp over TLS", |server| {
            format!("action: tcp, tls: true, send: x, expect: y, address: '{}'", server.address())
        }),
    ];
    for (name, step) in steps {
        Protocol { name, tls: false, alpn: &[], step, files: &[] }.run(&handshakes());
    }
}
