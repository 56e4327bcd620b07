//! The main job: the script of the README against a real site, with totals that equal the site's counts.

use stampede_tests::{Finished, Logged, Nginx, Run, settled, site};

use crate::shooter;

/// The script of the README, letter for letter except for its host name.
const PLAIN: &str = r#"- name: Catalog
  method: GET
  url: https://site/api/v1/catalog?page={{randInt 1 20}}
  expect_status: 200
- name: StreamInit
  method: POST
  url: https://site/api/v1/stream/start
  json_body: |
    {"movie_id": "{{pick movies}}"}
  expect_status: 201
"#;

/// The job of [`PLAIN`] in the long form, with all that only the long form offers. The site's `/auth` sets a cookie.
const LONG: &str = r#"
users: 20
iterations: 5
seed: 7
headers: {accept: application/json}
data:
  movies: [alien, brazil, "crouching tiger"]
  people: [{id: ann, key: key-of-ann}, {id: bob, key: key-of-bob}]
login:
  url: /auth
  headers: {x-api-token: "{{next people.key}}"}
  capture: {token: {json: $.token}}
  set_headers: {authorization: "Bearer {{var token}}"}
steps:
  - name: Catalog
    url: /api/v1/catalog
    query: {page: "{{randInt 1 20}}"}
    expect_body: {regex: '"page": ?[0-9]+'}
  - name: StreamInit
    method: POST
    url: /api/v1/stream/start
    json_body: {movie_id: "{{pick movies}}"}
    expect_status: 201
    capture:
      playlist: {json: $.playlist}
      kind: {header: content-type}
  - name: Master
    url: "{{var playlist}}"
    expect_body: EXTM3U
    capture: {media: {regex: '(?m)^(/hls/\S+/media\.m3u8)$'}}
  - name: Media
    url: "{{var media}}"
  - name: Echo
    method: POST
    url: /echo
    body: "{{userId}} {{iteration}} {{var kind}}"
    expect_body: "application/json"
  - name: Cookie
    url: /cookie/show
    expect_body: session
    capture: {session: {cookie: session}}
"#;

fn plain(base: &str) -> Run {
    shooter()
        .script(&PLAIN.replace("https://site", base))
        .file("movies.txt", "alien\nbrazil\ncasablanca\n")
        .args("--users 20 --iterations 5 --data movies=movies.txt --login-hdr x-api-token:token-of-the-test")
        .args(&format!("--login-url {base}/auth"))
        .report()
}

/// Checks the rows of the plain script, against any target.
#[track_caller]
fn assert_plain_rows(run: &Finished) {
    let report = run.report();
    report.assert_consistent();
    let rows: Vec<_> = report.rows().map(|row| (row.name(), row.ok(), row.err())).collect();
    assert_eq!(rows, [("login", 20, 0), ("Catalog", 100, 0), ("StreamInit", 100, 0)]);
}

#[test]
fn the_plain_script_runs_and_its_totals_equal_the_sites_own_counters() {
    let site = site();
    let run = plain(&site.base_url()).finish().exits(0);
    assert_plain_rows(&run);
    run.report().assert_equals(&settled(&site.stats()));
}

#[test]
fn the_table_is_printed_with_a_line_for_each_action_and_the_totals() {
    let site = site();
    let run = plain(&site.base_url()).finish().exits(0);
    let lines: Vec<Vec<&str>> = run.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[0], ["Action", "OK", "ERR", "p50", "p90", "p99", "rps"]);
    assert!(lines[1].iter().all(|rule| rule.chars().all(|sign| sign == '─')), "{}", run.stdout);
    let counts: Vec<_> = lines[2..5].iter().map(|cells| &cells[..3]).collect();
    assert_eq!(counts, [["login", "20", "0"], ["Catalog", "100", "0"], ["StreamInit", "100", "0"]]);
    assert!(run.stdout.contains("\nTotals: 220 requests, 100 % success, "), "{}", run.stdout);
    assert_eq!(run.stderr, "");
}

#[test]
fn the_plain_script_runs_against_nginx_and_its_totals_equal_the_access_log() {
    let nginx = Nginx::start(
        "location = /auth { return 200 '{\"token\": \"t\"}'; }
         location = /api/v1/catalog { return 200 'a page of the catalogue'; }
         location = /api/v1/stream/start { return 201 '{\"session\": 1}'; }",
    );
    let run = plain(&nginx.base_url()).finish().exits(0);
    assert_plain_rows(&run);
    let report = run.report();
    let log = nginx.log(report.totals().total());
    assert_eq!(report.totals().total(), log.len() as u64);
    assert_eq!(report.totals().statuses(), Logged::statuses(&log));
    assert_eq!(report.totals().body_in(), log.iter().map(|line| line.body_bytes).sum::<u64>());
}

#[test]
fn the_long_form_with_captures_headers_and_cookies_does_the_same_job() {
    let site = site();
    let run = shooter().script(LONG).args("--base-url").arg(site.base_url()).report().finish().exits(0);
    let report = run.report();
    report.assert_equals(&settled(&site.stats()));
    report.assert_consistent();
    let rows: Vec<_> = report.rows().map(|row| (row.name(), row.ok(), row.err())).collect();
    let steps = ["Catalog", "StreamInit", "Master", "Media", "Echo", "Cookie"];
    let expected: Vec<_> = steps.map(|name| (name, 100, 0)).into();
    assert_eq!(rows[0], ("login", 20, 0));
    assert_eq!(rows[1..], expected, "{}", run.stdout);
    assert_eq!(report.at("/settings/seed"), 7);
    assert_eq!(report.at("/run/users_signed_in"), 20);
}

#[test]
fn a_script_of_a_dash_is_read_from_standard_input() {
    let site = site();
    let script = PLAIN.replace("https://site", &site.base_url());
    let run = shooter()
        .args("--script - --data movies=movies.txt --login-hdr x-api-token:token-of-the-test")
        .file("movies.txt", "alien\n")
        .stdin(&script)
        .report()
        .finish()
        .exits(0);
    run.report().assert_equals(&settled(&site.stats()));
    assert_eq!(run.report().totals().ok(), 2);
}
