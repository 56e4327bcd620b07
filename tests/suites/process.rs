//! The process among others: readers that do not read, signals that end it.

#![cfg(unix)]

use std::collections::BTreeMap;

use stampede_tests::{RawServer, Signal, site, wait_for};

use crate::{shooter, shooter_after};

const FAILING: &str = "thresholds: {http_reqs: count>1000}\nsteps: [{name: Page, url: /bytes/1}]\n";

#[test]
fn a_standard_error_that_cannot_be_written_changes_no_exit_code() {
    let site = site();
    for redirection in ["exec 2>/dev/full", "exec 2>&-"] {
        let run = shooter_after(redirection)
            .script(FAILING)
            .args("--log debug --base-url")
            .arg(site.base_url())
            .report()
            .finish()
            .exits(99);
        assert_eq!(run.report().totals().total(), 1, "{redirection}");
        assert!(run.stdout.contains("FAILED  http_reqs"), "{redirection}: {}", run.stdout);
        // Errors before the run have their codes, too.
        shooter_after(redirection).script("steps: 1\n").finish().exits(3);
    }
}

/// The pipe is full after some 64 KiB; the log of a second would be far longer.
#[test]
fn a_log_that_is_not_read_holds_up_no_user_and_no_end() {
    let site = site();
    let script = "
steps:
  - {name: Log, action: log, message: '{{randString 4000}}'}
  - {name: Page, url: /bytes/1}
";
    let run = shooter_after("mkfifo unread && exec 3<>unread 2>unread")
        .script(script)
        .args("--users 4 --iterations 500 --log info --base-url")
        .arg(site.base_url())
        .report()
        .finish()
        .exits(0);
    assert_eq!((run.report().row("Page").ok(), run.report().row("Page").err()), (2_000, 0));
    assert!(run.stdout.contains("Totals: 2 000 requests"), "{}", run.stdout);
}

#[test]
fn every_signal_that_asks_for_an_end_gets_one_with_a_report() {
    for signal in [Signal::Interrupt, Signal::Terminate, Signal::HangUp, Signal::Quit, Signal::User1, Signal::User2] {
        let site = site();
        let running = shooter()
            .script("- {name: Page, url: /bytes/1}\n")
            .args("--duration 1h --rps 100 --base-url")
            .arg(site.base_url())
            .report()
            .spawn();
        wait_for("a request", || site.stats().snapshot().requests > 0);
        running.signal(signal);
        let report = running.finish().exits(130).report();
        assert_eq!(report.at("/run/ended"), "interrupted", "{signal:?}");
        assert_eq!(report.totals().err(), 0, "{signal:?}");
    }
}

#[test]
fn requests_name_the_program_unless_the_script_says_otherwise() {
    let target = RawServer::recording();
    let script = "
steps:
  - {name: Default, url: /default}
  - {name: Own, url: /own, headers: {user-agent: mine}}
  - {name: None, url: /none, headers: {user-agent: ''}}
";
    shooter().script(script).arg("--base-url").arg(target.base_url()).finish().exits(0);
    let seen: BTreeMap<_, _> = target
        .take()
        .into_iter()
        .map(|request| {
            let agents = request.headers.iter().filter(|(name, _)| name == "user-agent");
            (request.line.clone(), agents.map(|(_, value)| value.clone()).collect::<Vec<_>>())
        })
        .collect();
    let version = env!("CARGO_PKG_VERSION");
    let expected = [
        ("GET /default HTTP/1.1".to_owned(), vec![format!("stampede-shooter/{version}")]),
        ("GET /none HTTP/1.1".to_owned(), vec![]),
        ("GET /own HTTP/1.1".to_owned(), vec!["mine".to_owned()]),
    ];
    assert_eq!(seen, expected.into());
}

/// Components get by with few addresses, and the program with a small first stack. Too few open files are an error with
/// its cure.
#[test]
fn limits_of_the_shell_are_kept_or_named() {
    let site = site();
    let base_url = site.base_url();
    let script = "- {name: Page, url: /bytes/1}\n";
    for limits in ["ulimit -v 4000000", "ulimit -v 1500000", "ulimit -s 64", "ulimit -v 1500000 && ulimit -s 64"] {
        for cache in ["", "cache"] {
            let run = shooter_after(limits).env("STAMPEDE_CACHE_DIR", cache).script(script);
            run.args("--users 4 --workers 2 --iterations 5 --base-url").arg(&base_url).finish().exits(0);
        }
    }
    let run = shooter_after("ulimit -n 64").script(script).arg("--base-url").arg(&base_url).finish().exits(2);
    let expected = "error[usage::open-files]: 1 connection needs 65 open files, but the limit is 64\n  \
                    = help: raise the hard limit: `ulimit -Hn 65` as root, `LimitNOFILE=65` in a systemd unit\n";
    assert_eq!(run.stderr, expected);
}
