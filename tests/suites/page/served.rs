//! The answers of the endpoint of the page, and the requests that it refuses.

use std::io::{Read, Write};
use std::net::TcpStream;

use stampede_tests::{Running, Signal, site};

use super::{link, npm, page_sources};
use crate::shooter;

/// Sends a request and returns the whole answer.
fn ask(address: &str, head: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.write_all(format!("{head}\r\nconnection: close\r\n\r\n").as_bytes()).expect("it reads");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Starts a run with a page, and returns it with the address and the path of the page.
fn serve() -> (Running, String, String) {
    serve_with("--page")
}

fn serve_with(flags: &str) -> (Running, String, String) {
    let site = site();
    let run = shooter().script("pace: 10ms\nsteps:\n  - {name: Page, url: /bytes/1}\n");
    let running = run.args("--duration 1h").args(flags).arg("--base-url").arg(site.base_url()).spawn();
    let link = link(&running);
    let (address, path) = link.strip_prefix("http://").and_then(|link| link.split_once('/')).expect("a link");
    (running, address.to_owned(), format!("/{path}"))
}

#[test]
fn the_page_is_served_by_its_token_to_this_host_alone_and_only_read() {
    let (running, address, path) = serve();
    let status = |head: &str| ask(&address, head)[..12].to_owned();
    let wrong = format!("/{}/", "0".repeat(32));
    for (case, head, expected) in [
        ("the page", format!("GET {path} HTTP/1.1\r\nhost: {address}"), "HTTP/1.1 200"),
        ("no token", format!("GET / HTTP/1.1\r\nhost: {address}"), "HTTP/1.1 404"),
        ("a wrong token", format!("GET {wrong} HTTP/1.1\r\nhost: {address}"), "HTTP/1.1 404"),
        ("events without a token", format!("GET /events HTTP/1.1\r\nhost: {address}"), "HTTP/1.1 404"),
        ("a name that points here", format!("GET {path} HTTP/1.1\r\nhost: evil.example"), "HTTP/1.1 403"),
        ("no host", format!("GET {path} HTTP/1.0"), "HTTP/1.1 403"),
        ("a change", format!("POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 0"), "HTTP/1.1 405"),
        ("something else", format!("GET {path}other HTTP/1.1\r\nhost: {address}"), "HTTP/1.1 404"),
    ] {
        let answer = status(&head);
        // An answer to HTTP/1.0 says so.
        assert_eq!(answer.replace("HTTP/1.0", "HTTP/1.1"), expected, "{case}");
    }
    running.signal(Signal::Interrupt);
    running.finish();
}

#[test]
fn only_the_page_itself_may_change_the_run() {
    let (running, address, path) = serve_with("--page --page-control");
    let post = |headers: &str| {
        let body = r#"{"stop": true}"#;
        let head = format!("POST {path}control HTTP/1.1\r\nhost: {address}\r\n{headers}content-length: {}", body.len());
        ask(&address, &format!("{head}\r\nconnection: close\r\n\r\n{body}"))
    };
    let own = format!("origin: http://{address}\r\n");
    for (case, headers) in [
        ("no origin", "content-type: application/json\r\n".to_owned()),
        ("another site", "origin: http://evil.example\r\ncontent-type: application/json\r\n".to_owned()),
        ("the type of a form", format!("{own}content-type: text/plain\r\n")),
    ] {
        assert!(post(&headers).starts_with("HTTP/1.1 403"), "{case}");
    }
    let answer = ask(&address, &format!("GET {path}control HTTP/1.1\r\nhost: {address}"));
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    assert!(post(&format!("{own}content-type: application/json\r\n")).starts_with("HTTP/1.1 200"));
    // It was stopped by this request alone.
    assert!(running.finish().stdout.contains("Totals"));
}

#[test]
fn the_page_may_load_nothing_and_is_the_one_that_npm_builds() {
    let (running, address, path) = serve();
    let answer = ask(&address, &format!("GET {path} HTTP/1.1\r\nhost: {address}"));
    running.signal(Signal::Interrupt);
    running.finish();
    let (head, page) = answer.split_once("\r\n\r\n").expect("a head");
    assert!(head.contains("content-security-policy: default-src 'none'; script-src 'sha256-"), "{head}");
    for line in ["frame-ancestors 'none'", "x-content-type-options: nosniff", "cache-control: no-store"] {
        assert!(head.contains(line), "{head}");
    }
    assert!(page.len() <= 150_000, "{}", page.len());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let built = folder.path().join("page.html");
    npm(&["build-to", "--", built.to_str().expect("UTF-8")]);
    assert!(
        std::fs::read_to_string(&built).expect("built") == page,
        "{} builds another page",
        page_sources().display()
    );
}

#[test]
fn the_page_so_far_can_be_saved_while_the_run_goes_on() {
    let (running, address, path) = serve();
    let answer = ask(&address, &format!("GET {path}report.html HTTP/1.1\r\nhost: {address}"));
    running.signal(Signal::Interrupt);
    running.finish();
    assert!(answer.contains("content-disposition: attachment; filename=\"report.html\""), "{}", &answer[..600]);
    assert!(answer.contains("id=\"run\">{\"encoding\":\"gzip+base64\""));
}
