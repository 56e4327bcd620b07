//! The commands other than a run, and the setup and output of a run.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use regex::Regex;
use stampede_shooter::plugin::load::loader::BUILTIN;
use stampede_tests::{Silent, settled, site, wait_for};

use crate::shooter;

const PAGES: &str = "- {name: First, url: /bytes/10}\n- {name: 'Second, \"quoted\"', url: /status/404}\n";

#[test]
#[cfg(unix)]
fn check_prints_the_plan_with_its_needs_and_sends_nothing() {
    let target = Silent::bind();
    let run = crate::shooter_after("ulimit -n 1000")
        .file("script.yml", PAGES)
        .args("check --script script.yml --users 100 --rps 0.5 --duration 2m --workers 2 --ramp-up 10s")
        .args("--login-url /auth --login-hdr x-api-token:t --base-url")
        .arg(target.base_url())
        .finish()
        .exits(0);
    target.assert_untouched();
    let origin = target.base_url();
    let expected = format!(
        "100 virtual users, begun over 10s, walk the script for 2m, each at 0.5 rps at most (50.0 rps in all).
Before its first step each user signs in: login (action `login`).
Each walk takes 2 steps:
  1. First (action `http`, within 30s): GET {origin}/bytes/10
  2. Second, \"quoted\" (action `http`, within 30s): GET {origin}/status/404
Requests go to {origin}.
At the end requests in flight get 5s to finish.
Needs: 100 users on 2 worker threads, up to 100 connections, about 32 MiB of memory, 164 open files (the limit is 1000).
"
    );
    assert_eq!(run.stdout, expected);
    assert_eq!(run.stderr, "");
}

#[test]
fn check_finds_reports_that_cannot_be_written() {
    let run = shooter().file("script.yml", "- {name: Page, url: http://site/}\n");
    let run = run.args("check --script script.yml --out nonesuch/report.json").finish().exits(2);
    assert!(run.stderr.contains("error[usage::output-path]"), "{}", run.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_written_does_not_cost_the_table() {
    let site = site();
    let run = shooter().script("- {name: Page, url: /bytes/10}\n").args("--out /dev/full --base-url");
    let run = run.arg(site.base_url()).finish().exits(1);
    assert!(run.stdout.contains("Totals: 1 request,"), "{}", run.stdout);
    assert!(run.stderr.contains("error[report::write]: cannot write `/dev/full`"), "{}", run.stderr);
}

#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_written_does_not_hide_a_failed_threshold() {
    let site = site();
    let run = shooter().script("- {name: Page, url: /bytes/10}\n").args("--out /dev/full --threshold");
    let run = run.args("http_reqs:count<1 --base-url").arg(site.base_url()).finish().exits(99);
    assert!(run.stdout.contains("Totals: 1 request,"), "{}", run.stdout);
    for expected in ["error[report::write]: cannot write `/dev/full`", "error: a threshold failed"] {
        assert!(run.stderr.contains(expected), "{}", run.stderr);
    }
}

#[test]
fn plugins_lists_every_action_with_its_parameters() {
    let run = shooter().args("plugins").finish().exits(0);
    for expected in ["  http: sends one HTTP request and checks the reply", "  login: signs a user in"] {
        assert!(run.stdout.contains(expected), "{}", run.stdout);
    }
    let names: Vec<_> = run.stdout.lines().filter_map(|line| line.strip_prefix("    ")?.split(' ').next()).collect();
    let http = [
        "auth",
        "body",
        "body_file",
        "compression",
        "expect_body",
        "expect_status",
        "follow_redirects",
        "form_body",
        "headers",
        "http_version",
        "json_body",
        "method",
        "query",
        "url",
    ];
    let login = ["expect_status", "form_body", "headers", "json_body", "method", "set_headers", "url"];
    let both = [&http[..], &login[..]].concat();
    assert!(names.windows(both.len()).any(|names| names == both), "{}", run.stdout);
}

#[test]
fn a_built_in_plugin_offers_the_actions_of_its_folder() {
    let listed = shooter().args("plugins").finish().exits(0).stdout;
    // A line is `plugin version`, `  action: summary` or, further in, a parameter.
    let offered = listed.lines().filter(|line| !line.starts_with("    "));
    let offered: Vec<_> = offered.map(|line| line.trim().split([' ', ':']).next().unwrap_or_default()).collect();
    let said = BUILTIN.iter().flat_map(|plugin| [&[plugin.name], plugin.actions].concat());
    assert_eq!(offered, said.collect::<Vec<_>>(), "{listed}");
}

#[test]
fn only_the_built_in_plugins_that_a_script_needs_are_compiled() {
    for (flags, needed) in [("", 1), ("--login-url http://site/auth", 2)] {
        let run = shooter().file("script.yml", "- {name: Page, url: http://site/}\n");
        let run =
            run.env("STAMPEDE_CACHE_DIR", "cache").args("check --script script.yml").args(flags).finish().exits(0);
        let compiled = std::fs::read_dir(run.path("cache")).expect("the cache was made").count();
        assert_eq!(compiled, needed, "{flags}");
    }
}

#[test]
fn completions_man_page_help_and_version_are_printed() {
    let printed = |arguments: &str| shooter().args(arguments).finish().exits(0).stdout;
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = printed(&format!("completions {shell}"));
        assert!(["graceful-stop", "completions"].iter().all(|word| text.contains(word)), "{shell}: {text}");
    }
    let man = printed("man");
    assert!(man.contains(".TH stampede-shooter 1") && man.contains("graceful"), "{man}");
    let help = printed("--help");
    for (code, meaning) in [
        (0, "done"),
        (2, "wrong usage"),
        (3, "bad script"),
        (4, "a plugin would not load"),
        (5, "the target was never reached"),
        (6, "no user signed in"),
        (9, "requests failed (see --fail-on)"),
        (10, "parts of the run are missing"),
        (11, "the machines of a fleet did not come together"),
        (99, "a threshold failed, or the run was worse than its baseline"),
        (130, "interrupted"),
    ] {
        assert!(help.contains(&format!("{code:>3}  {meaning}\n")), "{help}");
    }
    assert!(help.contains("[env: STAMPEDE_USERS"), "{help}");
    assert_eq!(printed("--version"), format!("stampede-shooter {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_flag_wins_over_its_variable_and_the_variable_over_the_script() {
    let site = site();
    let script = "users: 2\nsteps: [{name: Page, url: /bytes/1}]\n";
    let users = |variable: Option<&str>, flags: &str| {
        let run = shooter().script(script).report().args(flags).arg("--base-url").arg(site.base_url());
        let run = variable.into_iter().fold(run, |run, users| run.env("STAMPEDE_USERS", users));
        let report = run.finish().exits(0).report();
        (report.at("/settings/users").as_u64(), report.totals().total())
    };
    assert_eq!(users(None, ""), (Some(2), 2));
    assert_eq!(users(Some("3"), ""), (Some(3), 3));
    assert_eq!(users(Some("3"), "--users 4"), (Some(4), 4));
}

#[test]
fn a_csv_report_has_a_line_for_each_action_that_adds_up() {
    let site = site();
    let run = shooter()
        .script(PAGES)
        .args("--users 3 --iterations 2 --out report.csv --base-url")
        .arg(site.base_url())
        .finish()
        .exits(0);
    let mut reader = csv::Reader::from_path(run.path("report.csv")).expect("the file is there");
    let header = reader.headers().expect("a header").clone();
    let rows: Vec<_> = reader.records().map(|row| row.expect("as many cells as the header")).collect();
    let cell = |row: usize, name: &str| {
        let column = header.iter().position(|column| column == name).expect("a column of that name");
        rows[row][column].to_owned()
    };
    let columns = ["name", "action", "requests", "ok", "err", "err_status", "body_bytes_in"];
    let shown: Vec<_> = (0..rows.len()).map(|row| columns.map(|name| cell(row, name))).collect();
    let body = |route: &str| settled(&site.stats()).routes[route].body_bytes_sent.to_string();
    let (first, second) = (body("/bytes/{n}"), body("/status/{code}"));
    assert_eq!(
        shown,
        [
            ["First", "http", "6", "6", "0", "0", first.as_str()],
            ["Second, \"quoted\"", "http", "6", "0", "6", "6", second.as_str()],
        ]
    );
}

#[test]
fn verbose_prints_a_plain_line_a_second_without_a_terminal_and_quiet_prints_nothing() {
    let site = site();
    let run = |flags: &str| {
        let run = shooter().script(PAGES).args("--users 2 --rps 20 --duration 2500ms").args(flags);
        run.arg("--base-url").arg(site.base_url()).finish().exits(0)
    };
    let verbose = run("--verbose");
    let line =
        Regex::new(r"^\d+ s elapsed, \d+ s left \| \d users? \| [\d.]+ rps \| [\d.]+ % errors$").expect("a regex");
    assert!(
        verbose.stderr.lines().count() >= 1 && verbose.stderr.lines().all(|text| line.is_match(text)),
        "{}",
        verbose.stderr
    );
    assert!(verbose.stdout.contains("Totals: "), "{}", verbose.stdout);
    let quiet = run("--quiet --verbose");
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}

#[test]
#[cfg(unix)]
fn the_sample_site_can_be_served_alone_on_a_free_port() {
    let running = shooter().args("demo --serve --addr 127.0.0.1:0").spawn();
    wait_for("the site's address", || running.printed().ends_with('\n'));
    let printed = running.printed();
    let address = printed.split("http://").nth(1).and_then(|rest| rest.split(' ').next()).expect("an address");
    let mut stream = TcpStream::connect(address).expect("the site listens");
    stream.write_all(b"GET /bytes/3 HTTP/1.1\r\nhost: site\r\nconnection: close\r\n\r\n").expect("a request is taken");
    let mut reply = String::new();
    stream.read_to_string(&mut reply).expect("a reply comes");
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n") && reply.ends_with("\r\n\r\nsta"), "{reply}");
    running.signal(stampede_tests::Signal::Interrupt);
    running.finish().exits(130);
}

#[test]
fn the_demo_runs_the_sample_script_against_a_site_of_its_own() {
    let run = shooter().args("demo --users 5 --iterations 2").report().finish().exits(0);
    let report = run.report();
    report.assert_consistent();
    assert_eq!((report.totals().ok(), report.totals().err()), (5 + 5 * 2 * 5, 0), "{}", run.stdout);
    assert!(run.stderr.starts_with("running against the sample site on http://127.0.0.1:"), "{}", run.stderr);
}
