//! The actions that are built on HTTP: `page`, and `login` with its repetitions.

use std::collections::BTreeMap;

use stampede_tests::Act::{self, Again, Request, Reset, Send};
use stampede_tests::{Authority, FaultServer, Refusing, site};

use super::cell::Cell;
use super::http1;
use super::runner::{Protocol, of_any_connection, trusting, valid};
use crate::shooter;

/// Attempts of a user to sign in.
const ATTEMPTS: u64 = 4;
const USERS: u64 = 2;

#[test]
fn every_fault_of_a_pages_server_ends_as_the_table_says_and_both_sides_count_the_same() {
    let page = "HTTP/1.1 200 OK\r\ncontent-length: 21\r\n\r\n<p>nothing to load</p>";
    let own = vec![Cell::passes("as it should be", [Request, Send(page.into()), Again]).status(200).excess()];
    let table = [of_any_connection(&[Request]), http1::cut_short(), http1::malformed(), http1::endless(), own].concat();
    let protocol = Protocol {
        name: "pages",
        tls: false,
        alpn: &[],
        step: |server| format!("action: page, url: '{}/'", server.base_url()),
        files: &[],
    };
    protocol.run(&table);
    protocol.count(&table);
}

/// Signs in at a server with a fault, and returns what is wrong.
#[track_caller]
fn signs_in(name: &str, acts: &[Act], category: &'static str, tls: bool) {
    let (authority, site) = (Authority::default(), site());
    let config = if tls { valid(&authority, &["http/1.1"]) } else { None };
    let server = FaultServer::start(acts, config);
    let script = format!("login: {{url: '{}/in'}}\nsteps: [{{name: Page, url: /bytes/1}}]\n", server.base_url());
    let run = trusting(&authority).script(&script).args("--users 2 --iterations 2 --timeout 20s --base-url");
    let report = run.arg(site.base_url()).report().finish().exits(6).report();
    report.assert_consistent();
    let (login, received) = (report.row("login"), server.finish());
    assert_eq!(login.errors(), BTreeMap::from([(category, USERS * ATTEMPTS)]), "{name}");
    let requests = if acts.contains(&Request) { USERS * ATTEMPTS } else { 0 };
    assert_eq!(received.requests, requests, "{name}");
    assert_eq!((report.row("Page").total(), site.stats().snapshot().requests), (0, 0), "{name}");
    assert_eq!(report.at("/run/users_given_up"), USERS, "{name}");
}

#[test]
fn every_fault_of_a_sign_in_is_tried_again_and_then_ends_the_run() {
    let reply = |text: &str| [Request, Send(text.into())];
    let cells = [
        ("closed at once", vec![], "network"),
        ("closed after the request", vec![Request], "network"),
        ("reset after the request", vec![Request, Reset], "network"),
        ("closed in the body", reply("HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhello").into(), "protocol"),
        ("garbage", reply("\u{1}\u{2}\u{3}\r\n\r\n").into(), "protocol"),
        ("status 503", reply("HTTP/1.1 503 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").into(), "status"),
    ];
    std::thread::scope(|scope| {
        for (name, acts, category) in &cells {
            for tls in [false, true] {
                scope.spawn(move || signs_in(name, acts, category, tls));
            }
        }
    });
}

#[test]
fn a_sign_in_at_a_server_that_refuses_connections_ends_the_run() {
    let (refusing, site) = (Refusing::bind(), site());
    let script = format!("login: {{url: '{}/in'}}\nsteps: [{{name: Page, url: /bytes/1}}]\n", refusing.base_url());
    let run = shooter().script(&script).args("--users 2 --base-url").arg(site.base_url()).report().finish();
    assert!(matches!(run.code, Some(5 | 6)), "{:?}: {}", run.code, run.stderr);
    let report = run.report();
    assert_eq!(report.row("login").errors(), BTreeMap::from([("network", USERS * ATTEMPTS)]));
    assert_eq!(report.row("Page").total(), 0);
}
