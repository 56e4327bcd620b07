//! Where and when figures were taken: without that they mean nothing.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::Duration;

use crate::step;
use crate::workspace::root;

/// How many cores there are to use.
pub fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Processor time that all programs have had since the machine started, and what its own host took from it.
pub fn busy() -> Duration {
    busy_time(&fs::read_to_string("/proc/stat").unwrap_or_default()).unwrap_or_default()
}

/// The first line of `/proc/stat`: user, nice, system, idle, waiting, two kinds of interrupts, stolen.
fn busy_time(stat: &str) -> Option<Duration> {
    let ticks: Vec<u64> = stat.lines().next()?.split_whitespace().skip(1).map_while(|it| it.parse().ok()).collect();
    let idle = ticks.get(3)? + ticks.get(4)?;
    Some(Duration::from_millis(10 * (ticks.iter().take(8).sum::<u64>() - idle)))
}

/// Lines that name the date, the machine and the commit.
pub fn lines() -> Vec<String> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let model = value(&read("/proc/cpuinfo"), "model name").unwrap_or("an unknown processor").to_owned();
    let memory = value(&read("/proc/meminfo"), "MemTotal").and_then(gib).unwrap_or(0.0);
    let kernel = read("/proc/sys/kernel/osrelease");
    let mut git = Command::new("git");
    git.args(["-c", "safe.directory=*", "describe", "--always", "--dirty"]).current_dir(root());
    vec![
        format!("date: {}", said(Command::new("date").args(["-u", "+%Y-%m-%d"]))),
        format!("machine: {model}, {} cores, {memory:.0} GiB, Linux {}", cores(), kernel.trim_end()),
        format!("commit: {}", said(&mut git)),
    ]
}

fn said(command: &mut Command) -> String {
    let output = step::output("", command).unwrap_or_else(|_| b"unknown".into());
    String::from_utf8_lossy(&output).trim_end().to_owned()
}

/// What stands behind a key and a colon.
fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    let line = text.lines().find(|line| line.starts_with(key))?;
    Some(line.split_once(':')?.1.trim())
}

fn gib(kib: &str) -> Option<f64> {
    Some(kib.split_whitespace().next()?.parse::<f64>().ok()? / f64::from(1 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_computes_is_busy_and_who_waits_is_not() {
        let stat = "cpu  10 2 20 5000 300 1 2 3 7 8\ncpu0 5 1 10 2500 150 0 1 1 3 4\n";
        assert_eq!(busy_time(stat), Some(Duration::from_millis(380)));
        assert_eq!(busy_time(""), None);
    }

    #[test]
    fn values_are_found_behind_their_keys() {
        assert_eq!(value("processor\t: 0\nmodel name\t: AMD EPYC\n", "model name"), Some("AMD EPYC"));
        assert_eq!(value("MemTotal:       25165824 kB\n", "MemTotal").and_then(gib), Some(24.0));
        assert_eq!(value("", "MemTotal"), None);
    }
}
