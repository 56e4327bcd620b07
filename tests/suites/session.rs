//! The state that a user keeps between iterations and between requests, as the target sees it.

use std::sync::atomic::{AtomicU64, Ordering};

use stampede_tests::{RawRequest, RawServer, Run, settled, site};

use crate::shooter;

fn run(base_url: &str, script: &str, arguments: &str) -> Run {
    shooter().script(script).report().arg("--base-url").arg(base_url).args(arguments)
}

/// Runs three users through two steps four times, against a site that counts.
#[track_caller]
fn opens(keys: &str, step_keys: &str, connections: u64) {
    let site = site();
    let script = format!(
        "{keys}
steps:
  - {{name: Catalog, url: /api/v1/catalog?page=1{step_keys}}}
  - {{name: Redirected, url: /redirect/1{step_keys}}}
"
    );
    let run = run(&site.base_url(), &script, "--users 3 --iterations 4").finish().exits(0);
    let counted = settled(&site.stats());
    run.report().assert_equals(&counted);
    assert_eq!((counted.connections, counted.requests), (connections, 36), "{keys}{step_keys}");
}

#[test]
fn connections_are_kept_for_an_iteration_or_opened_for_each_request() {
    opens("", "", 3);
    opens("connections: keep", "", 3);
    opens("connections: iteration", "", 12);
    opens("connections: request", "", 36);
}

#[test]
fn connections_over_http2_are_kept_as_long() {
    let http2 = ", http_version: 2";
    opens("connections: keep", http2, 3);
    opens("connections: iteration", http2, 12);
    opens("connections: request", http2, 36);
}

#[test]
fn a_scenario_may_have_its_own_lifespan_of_connections() {
    let site = site();
    let script = "
connections: request
scenarios:
  fresh: {users: 1, iterations: 5}
  kept: {users: 1, iterations: 5, connections: keep}
steps:
  - {name: Catalog, url: /api/v1/catalog?page=1}
";
    run(&site.base_url(), script, "").finish().exits(0);
    assert_eq!(settled(&site.stats()).connections, 5 + 1);
}

#[test]
fn check_lists_the_state_that_is_not_kept() {
    let script = "
scenarios:
  one: {cookies: iteration, connections: request}
  two: {connections: iteration}
  three: {cookies: keep, connections: keep}
users: 3
steps:
  - {name: Page, url: /}
";
    let run = shooter().args("check --base-url http://127.0.0.1:9").script(script).finish().exits(0);
    let said = |text: &str| run.stdout.matches(text).count();
    let lines = [
        "An iteration begins with the cookies of the sign-in alone.\nEach request has a connection of its own.\ntwo:",
        "A user's connections are closed when an iteration begins.\nthree:",
    ];
    assert_eq!(lines.map(said), [1, 1], "{}", run.stdout);
    assert_eq!(said("connection of its own") + said("are closed"), 2);
}

#[test]
fn a_request_with_a_connection_of_its_own_says_that_it_is_the_last() {
    for (keys, says) in [("connections: request", "close"), ("connections: iteration", "")] {
        let target = RawServer::recording();
        let script = format!("{keys}\nsteps:\n  - {{name: Page, url: /}}\n");
        run(&target.base_url(), &script, "--iterations 2").finish().exits(0);
        let said: Vec<_> = target.take().iter().map(|request| request.header("connection").to_owned()).collect();
        assert_eq!(said, [says; 2], "{keys}");
    }
}

/// Sets a cookie with each reply: `session` on sign-in, `basket` elsewhere.
fn sets_cookies(request: &RawRequest) -> Vec<u8> {
    let name = match request.line.split(' ').nth(1).unwrap_or_default() {
        "/in" => "session",
        _ => "basket",
    };
    format!("HTTP/1.1 200 OK\r\nset-cookie: {name}=1; Path=/\r\ncontent-length: 0\r\n\r\n").into_bytes()
}

/// Returns the cookies of one user's requests: a sign-in, and three walks of two steps.
fn cookies(keys: &str) -> Vec<String> {
    let target = RawServer::start(sets_cookies);
    let script = format!(
        "{keys}
steps:
  - {{name: First, url: /first}}
  - {{name: Second, url: /second}}
"
    );
    run(&target.base_url(), &script, "--iterations 3").finish().exits(0);
    target.take().iter().map(|request| request.header("cookie").to_owned()).collect()
}

#[test]
fn an_iteration_begins_with_the_cookies_of_the_sign_in_alone() {
    let signed_in = "login: {url: /in}\n";
    let (all, session, basket) = ("basket=1; session=1", "session=1", "basket=1");
    assert_eq!(cookies(signed_in), ["", session, all, all, all, all, all]);
    assert_eq!(cookies(&format!("{signed_in}cookies: iteration")), ["", session, all, session, all, session, all]);
    assert_eq!(cookies("cookies: keep"), ["", basket, basket, basket, basket, basket]);
    assert_eq!(cookies("cookies: iteration"), ["", basket, "", basket, "", basket]);
}

#[test]
fn a_capture_that_fails_unsets_its_variable() {
    let served = AtomicU64::new(0);
    let target = RawServer::start(move |request| {
        let body = match request.line.starts_with("GET /make") {
            true if served.fetch_add(1, Ordering::SeqCst) == 0 => "{\"id\": 7}",
            true => "{}",
            false => "",
        };
        format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes()
    });
    let script = "
- {name: Make, url: /make, capture: {id: {json: $.id}}}
- {name: Use, url: '/use?id={{var id}}'}
";
    let run = shooter().script(script).args("--iterations 2 --base-url").arg(target.base_url()).report().finish();
    assert_eq!(run.report().row("Make").errors(), [("check", 1)].into(), "{}", run.stdout);
    let used: Vec<_> = target.take().into_iter().map(|seen| seen.line).filter(|line| line.contains("/use")).collect();
    assert_eq!(used, ["GET /use?id=7 HTTP/1.1", "GET /use?id= HTTP/1.1"]);
}
