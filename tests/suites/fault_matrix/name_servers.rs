//! Name servers that fail: what a run says of each. The run, the name server and the site have a network namespace of
//! their own, so that port 53 is free and the resolver's configuration is the test's.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use stampede_tests::{Finished, Run};

use super::{left_out, thorough};
use crate::{BINARY, TARGET_TMP, tests_folder};

const NAMESPACES: &str = "--mount --net --map-root-user";
/// Brings loopback up and puts the resolver's configuration in the place of the system's.
const WITH_NAME_SERVER: &str = "\
    ip link set lo up && mount --bind resolv.conf /etc/resolv.conf && mount --bind nsswitch.conf /etc/nsswitch.conf && \
    exec python3 \"$0\" \"$@\"";
const RESOLVER: &str = "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n";

/// The way in which all requests of a cell end.
enum Ending {
    /// They succeed.
    Success,
    /// They fail with this category and text.
    Failure(&'static str, &'static str),
}

/// A fault of the name server, and the end of the requests that need it.
struct NameServerCell {
    fault: &'static str,
    ending: Ending,
}

const fn cell(fault: &'static str, ending: Ending) -> NameServerCell {
    NameServerCell { fault, ending }
}

const UNRESOLVED: Ending = Ending::Failure("network", "name does not resolve: site.test");
const UNANSWERED: Ending = Ending::Failure("timeout", "resolving the name");

const CELLS: [NameServerCell; 8] = [
    cell("none", Ending::Success),
    cell("late", Ending::Success),
    cell("truncated", Ending::Success),
    cell("server failure", UNRESOLVED),
    cell("unknown name", UNRESOLVED),
    cell("refused", UNRESOLVED),
    cell("no addresses", UNRESOLVED),
    cell("an alias of itself", UNRESOLVED),
];

/// Those in which the timeout of a step passes: the resolver waits longer.
const SLOW_CELLS: [NameServerCell; 4] = [
    cell("silent", UNANSWERED),
    cell("silent about IPv6", UNANSWERED),
    cell("another number", UNANSWERED),
    cell("garbage", UNANSWERED),
];

/// Returns true where a process may have namespaces of its own; CI does, since it runs as root.
fn has_namespaces() -> bool {
    let mut tried = Command::new("unshare");
    tried.args(NAMESPACES.split(' ')).args(["ip", "link", "set", "lo", "up"]).stderr(Stdio::null());
    let works = tried.status().is_ok_and(|status| status.success());
    if !works {
        eprintln!("left out: `unshare {NAMESPACES} ip link set lo up` does not work here");
    }
    works
}

fn run(fault: &str, action: &str) -> Finished {
    let script = format!("users: 3\niterations: 2\ntimeout: 1s\nsteps: [{{name: Page, {action}}}]\n");
    let stub = tests_folder().join("harness/name_server.py");
    let run = Run::new("unshare", TARGET_TMP).args(NAMESPACES).args("sh -c").arg(WITH_NAME_SERVER);
    let run = run.arg(stub).arg(fault).arg(BINARY);
    let run = run.file("resolv.conf", RESOLVER).file("nsswitch.conf", "hosts: dns\n");
    run.script(&script).args("--workers 1").report().finish()
}

fn assert_cell(cell: &NameServerCell) {
    for action in
        ["url: 'http://site.test/'", "action: tcp, address: 'site.test:80', send: \"GET / HTTP/1.1\\r\\n\\r\\n\""]
    {
        let run = run(cell.fault, action);
        let (report, case) = (run.report(), format!("{}, {action}", cell.fault));
        report.assert_consistent();
        match cell.ending {
            Ending::Success => {
                assert_eq!(run.code, Some(0), "{case}\n{}", run.stderr);
                assert_eq!((report.totals().ok(), report.totals().err()), (6, 0), "{case}\n{}", run.stdout)
            }
            Ending::Failure(category, text) => {
                assert_eq!(run.code, Some(5), "{case}\n{}", run.stderr);
                assert_eq!(report.totals().errors(), BTreeMap::from([(category, 6)]), "{case}\n{}", run.stdout);
                assert!(report.row("Page").example(category).contains(text), "{case}\n{}", run.stdout);
            }
        }
    }
}

#[test]
fn name_servers_that_answer_badly_fail_requests_and_late_or_cut_answers_do_not() {
    if has_namespaces() {
        CELLS.iter().for_each(assert_cell);
    }
}

#[test]
fn name_servers_that_do_not_answer_end_steps_at_their_timeout() {
    if !has_namespaces() {
        return;
    }
    if !thorough() {
        left_out("name servers", SLOW_CELLS.len() - 1);
    }
    let cells = if thorough() { &SLOW_CELLS[..] } else { &SLOW_CELLS[..1] };
    cells.iter().for_each(assert_cell);
}
