//! Many users at a time: their memory, and their punctuality.

use anyhow::Result;
use serde_json::Value;

use crate::figures::{Bound, Spread};
use crate::findings::{Findings, Table};
use crate::process::{Run, open_files};
use crate::rounds::STAMPEDE;
use crate::setup::{Setup, number};
use crate::target::{Count, Target};

/// The number of users with a connection.
const CONNECTED: usize = 18_000;

/// The number of users without a connection.
const WAITING: usize = 200_000;

/// The two times at which memory is compared, in seconds.
const EARLY: usize = 60;
const LATE: usize = 600;

/// The files that a program needs beside its connections, and the ports that other programs may use.
const SPARE: u64 = 500;

/// Returns the number of connections to one address that this machine can have, at most `wanted`, and a note if that is
/// fewer.
pub(crate) fn affordable(wanted: usize) -> (usize, Option<String>) {
    let range = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    limited(wanted, open_files(), ports(&range))
}

/// Measures 18,000 users who send a request now and then, for ten minutes.
pub(crate) fn connected(setup: &Setup) -> Result<Findings> {
    let target = Target::start(setup, None, false)?;
    let script = setup.script(&[target.url()], "1.1")?;
    let (users, note) = affordable(CONNECTED);
    let before = target.count()?;
    let mut command = setup.load_runner(&script, None);
    command.args(["--workers", "2", "--rps", "0.2", "--users", &users.to_string()]);
    // Somewhat longer, so that the later reading of the memory is not at the end.
    let (run, report) = setup.report(command.args(["--duration", &format!("{}s", LATE + 2)]))?;
    let mut findings = Findings::new(format!(
        "{STAMPEDE} holds {users} connected users at 0.2 requests a second each for ten minutes, with two workers. It \
         and the target share the cores.",
    ));
    findings.table(table(users, &run, target.count()?.since(before)));
    let late = number(&report, "/generator/start_delay_us/p99").map(|micros| micros / 1e3);
    let after = |seconds: usize| run.memory.get(seconds - 1).copied();
    let (early, later) = (after(EARLY), after(LATE));
    let growth = early.zip(later).map(|(early, later)| (later / early - 1.0).abs() * 100.0);
    findings.compare("peak memory, MiB", single(run.peak / 1024.0), Bound::AtMost(500.0));
    findings.compare("start delay p99, ms", late.and_then(single), Bound::AtMost(10.0));
    findings.compare("memory after 10 min against 1 min, % apart", growth.and_then(single), Bound::AtMost(2.0));
    let mib = |kib: Option<f64>| kib.map_or_else(|| "unknown".into(), |kib| format!("{:.1} MiB", kib / 1024.0));
    findings.note(format!("Memory after 1 minute {}, after 10 minutes {}.", mib(early), mib(later)));
    note.into_iter().for_each(|note| findings.note(note));
    Ok(findings)
}

/// Measures 200,000 users who have begun and wait for their first turn. At one request in 4,000 s each, few of them
/// get it.
pub(crate) fn waiting(setup: &Setup) -> Result<Findings> {
    let target = Target::start(setup, None, false)?;
    let script = setup.script(&[target.url()], "1.1")?;
    let users = WAITING;
    let wait = |users: usize, duration: &str| {
        let mut command = setup.load_runner(&script, None);
        command.args(["--workers", "2", "--rps", "0.00025", "--duration", duration, "--users", &users.to_string()]);
        setup.report(&mut command)
    };
    let alone = wait(1, "2s")?.0.peak;
    let before = target.count()?;
    let (run, report) = wait(users, "30s")?;
    let active = report["series"]["users_active"].as_array().into_iter().flatten().filter_map(Value::as_f64);
    let active = Spread::of(active).map_or(0.0, |active| active.most);
    let mut findings = Findings::new(format!(
        "{STAMPEDE} holds {users} users for 30 s who may send a request in 4 000 s each: all of them have begun, and \
         nearly all wait for their first turn, without a connection.",
    ));
    findings.table(table(users, &run, target.count()?.since(before)));
    let each = (run.peak - alone) / (users as f64 - 1.0);
    findings.compare("peak memory, MiB", single(run.peak / 1024.0), Bound::AtMost(1536.0));
    findings.compare("users who have begun", single(active), Bound::AtLeast(users as f64));
    findings.note(format!("One user takes {:.1} MiB, each more {each:.2} KiB.", alone / 1024.0));
    Ok(findings)
}

fn single(figure: f64) -> Option<Spread> {
    Spread::of([figure])
}

fn table(users: usize, run: &Run, count: Count) -> Table {
    let mut table = Table::new(&["users", "peak MiB", "KiB/user", "CPU s", "wall s", "connections", "requests"]);
    table.row([
        users.to_string(),
        format!("{:.1}", run.peak / 1024.0),
        format!("{:.2}", run.peak / users.max(1) as f64),
        format!("{:.2}", run.cpu.as_secs_f64()),
        format!("{:.2}", run.wall.as_secs_f64()),
        count.connections.to_string(),
        count.requests.to_string(),
    ]);
    table
}

fn limited(wanted: usize, files: u64, ports: u64) -> (usize, Option<String>) {
    let most = files.min(ports).saturating_sub(SPARE).max(1) as usize;
    if wanted <= most {
        return (wanted, None);
    }
    let why = if files < ports {
        format!("a process may have {files} files open")
    } else {
        format!("there are {ports} ports to connect from")
    };
    (most, Some(format!("{most} users instead of {wanted}: {why}.")))
}

/// Returns the number of ports in the kernel's range for outgoing connections.
fn ports(range: &str) -> u64 {
    let mut ends = range.split_whitespace().map(|end| end.parse::<u64>().unwrap_or(0));
    let (first, last) = (ends.next().unwrap_or(0), ends.next().unwrap_or(0));
    (last + 1).saturating_sub(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_ports_limit_the_number_of_users() {
        assert_eq!(limited(18_000, 20_000, 28_232), (18_000, None));
        let (users, note) = limited(18_000, 4096, 28_232);
        assert_eq!(users, 3596);
        assert_eq!(note.unwrap(), "3596 users instead of 18000: a process may have 4096 files open.");
        let (users, note) = limited(18_000, 20_000, 8500);
        assert_eq!(users, 8000);
        assert_eq!(note.unwrap(), "8000 users instead of 18000: there are 8500 ports to connect from.");
        assert_eq!(limited(18_000, 0, 0).0, 1);
    }

    #[test]
    fn the_range_of_ports_includes_both_ends() {
        assert_eq!(ports("32768\t60999\n"), 28_232);
        assert_eq!(ports(""), 1);
    }
}
