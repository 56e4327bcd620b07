//! The main job: the script of the README, run against a real site, with totals that equal what the site counted.

use stampede_tests::{Logged, Nginx, settled, site};

use crate::shooter;

/// The plain script, for a site at `base`.
fn plain(base: &str) -> String {
    format!(
        r#"- name: Catalog
  method: GET
  url: {base}/api/v1/catalog?page={{{{randInt 1 20}}}}
  expect_status: 200
- name: StreamInit
  method: POST
  url: {base}/api/v1/stream/start
  json_body: |
    {{"movie_id": "{{{{pick movies}}}}"}}
  expect_status: 201
"#
    )
}

#[test]
fn the_plain_script_runs_and_its_totals_equal_the_sites_own_counters() {
    let site = site();
    let run = shooter()
        .script(&plain(&site.base_url()))
        .file("movies.txt", "alien\nbrazil\ncasablanca\n")
        .args("--users 20 --iterations 5 --data movies=movies.txt --login-hdr x-api-token:secret-of-the-test")
        .args(&format!("--login-url {}/auth", site.base_url()))
        .report()
        .finish()
        .exits(0);
    let (report, counted) = (run.report(), settled(&site.stats()));
    report.assert_equals(&counted);
    report.assert_consistent();
    assert_eq!(report.totals().ok(), 20 + 20 * 5 * 2);
    assert!(run.stdout.contains("Action"), "{}", run.stdout);
}

#[test]
fn the_plain_script_runs_against_nginx_and_its_totals_equal_the_access_log() {
    let nginx = Nginx::start(
        "location = /auth { return 200 '{\"token\": \"t\"}'; }
         location = /api/v1/catalog { return 200 'a page of the catalogue'; }
         location = /api/v1/stream/start { return 201 '{\"session\": 1}'; }",
    );
    let run = shooter()
        .script(&plain(&nginx.base_url()))
        .file("movies.txt", "alien\nbrazil\ncasablanca\n")
        .args("--users 20 --iterations 5 --data movies=movies.txt --login-hdr x-api-token:secret-of-the-test")
        .args(&format!("--login-url {}/auth", nginx.base_url()))
        .report()
        .finish()
        .exits(0);
    let report = run.report();
    report.assert_consistent();
    let log = nginx.log(report.totals().total());
    assert_eq!(report.totals().total(), log.len() as u64);
    assert_eq!(report.totals().statuses(), Logged::statuses(&log));
    assert_eq!(report.totals().body_in(), log.iter().map(|line| line.body_bytes).sum::<u64>());
}
