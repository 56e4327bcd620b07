//! Runs a client and measures it from outside: time, processor time and memory, as the kernel accounts for them.
//!
//! Linux only: it reads `/proc`. Processor time is what the kernel adds to "children waited for" when the client ends, so
//! it is complete, and has a resolution of 10 ms.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::step::Failure;

/// A client that takes longer hangs, and is ended.
const LONGEST: Duration = Duration::from_mins(15);

/// Between two looks at a client's memory. A look costs the machine some 20 µs.
const LOOK: Duration = Duration::from_millis(20);

/// The kernel's unit of processor time as `/proc` shows it.
const TICK: Duration = Duration::from_millis(10);

/// More open files than any client here needs. Some programs size tables by their limit.
const FILES: u64 = 1 << 20;

/// What a client took.
#[derive(Clone, Debug)]
pub struct Run {
    /// From start to end.
    pub wall: Duration,
    /// Processor time, the kernel's on its behalf included.
    pub cpu: Duration,
    /// The most memory it ever had, in KiB.
    pub peak: f64,
    /// What it had after each second, in KiB.
    pub memory: Vec<f64>,
}

/// A call of a program on some cores (as `taskset` writes them), or on all, with as many open files as it may have. The
/// kernel ends it if this process ends first.
pub fn on_cores(program: &Path, cores: Option<&str>) -> Command {
    let files = open_files();
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "prlimit", &format!("--nofile={files}:{files}")]);
    if let Some(cores) = cores {
        command.args(["taskset", "-c", cores]);
    }
    command.arg(program);
    command
}

/// The hard limit on open files of a process.
pub fn open_files() -> u64 {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    hard_limit(&limits).unwrap_or(1024).min(FILES)
}

/// Runs a client to its end. What it says on standard error is in `log`.
pub fn run(command: &mut Command, log: &Path) -> Result<Run, Failure> {
    let before = waited_for()?;
    let start = now();
    let mut child = spawn(command, log)?;
    let (mut peak, mut memory) = (0.0_f64, Vec::new());
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| failed(command, &error))? {
            break status;
        }
        let (resident, high) = look(&child);
        peak = peak.max(high);
        let seconds = start.elapsed().as_secs();
        if seconds > memory.len() as u64 {
            memory.push(resident);
        }
        if start.elapsed() > LONGEST {
            end(child);
            return Err(failed(command, &format_args!("it did not end within {LONGEST:?}")));
        }
        thread::sleep(LOOK);
    };
    let wall = start.elapsed();
    match status.success() {
        true => Ok(Run { wall, cpu: waited_for()? - before, peak, memory }),
        false => Err(failed(command, &format_args!("{status}: {}", why(log)))),
    }
}

/// How long a client takes from start to end, to the microsecond: nobody looks at it meanwhile.
pub fn wall(command: &mut Command, log: &Path) -> Result<Duration, Failure> {
    let start = now();
    let mut child = spawn(command, log)?;
    let status = child.wait().map_err(|error| failed(command, &error))?;
    let wall = start.elapsed();
    match status.success() {
        true => Ok(wall),
        false => Err(failed(command, &format_args!("{status}: {}", why(log)))),
    }
}

/// Starts a program whose output nobody reads.
pub fn spawn(command: &mut Command, log: &Path) -> Result<Child, Failure> {
    let said = File::create(log).map_err(|error| failed(command, &error))?;
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
    quiet.spawn().map_err(|error| failed(command, &error))
}

/// Ends a program. It may have ended by itself; then there is nothing to do.
pub fn end(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// The time, for durations.
#[allow(clippy::disallowed_methods, reason = "the clock of the load runner is not to be had here, nor needed")]
pub fn now() -> Instant {
    Instant::now()
}

/// Why a program ended, by what it said: the line that is an error, else its last.
pub fn why(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let error = text.lines().find(|line| line.starts_with("error"));
    error.or(text.trim_end().lines().last()).unwrap_or("it said nothing").to_owned()
}

fn failed(command: &Command, why: &dyn std::fmt::Display) -> Failure {
    let words: Vec<_> = [command.get_program()].into_iter().chain(command.get_args()).collect();
    Failure(format!("`{}` failed: {why}", words.join(" ".as_ref()).display()))
}

/// The processor time of all children that ended.
pub fn waited_for() -> Result<Duration, Failure> {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    children_time(&stat).ok_or_else(|| Failure("the benchmarks run on Linux only: `/proc/self/stat` is missing".into()))
}

/// User and system time of children, fields 16 and 17 of `/proc/PID/stat`. The second field, the program's name, may
/// hold blanks and brackets.
fn children_time(stat: &str) -> Option<Duration> {
    let mut after_name = stat.rsplit_once(')')?.1.split_whitespace().skip(13);
    let mut ticks = || after_name.next()?.parse::<u32>().ok();
    Some(TICK * (ticks()? + ticks()?))
}

/// Memory now and at most, in KiB; zero before the program has started and after it has ended.
fn look(child: &Child) -> (f64, f64) {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    (kib(&status, "VmRSS:").unwrap_or(0.0), kib(&status, "VmHWM:").unwrap_or(0.0))
}

fn kib(status: &str, key: &str) -> Option<f64> {
    status.lines().find_map(|line| line.strip_prefix(key))?.split_whitespace().next()?.parse().ok()
}

fn hard_limit(limits: &str) -> Option<u64> {
    let values = limits.lines().find_map(|line| line.strip_prefix("Max open files"))?;
    match values.split_whitespace().nth(1)? {
        "unlimited" => Some(FILES),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_children_is_found_behind_any_name() {
        let stat = "7 (a b) c) R 1 7 7 0 -1 4194304 99 98 0 0 11 12 130 14 20 0 1 0 5 6 7";
        assert_eq!(children_time(stat), Some(Duration::from_millis(1440)));
        assert_eq!(children_time("7 (a) R 1"), None);
        assert_eq!(children_time(""), None);
    }

    #[test]
    fn memory_is_read_in_kib() {
        let status = "Name:\tk6\nVmHWM:\t  20480 kB\nVmRSS:\t    512 kB\n";
        assert_eq!((kib(status, "VmHWM:"), kib(status, "VmRSS:")), (Some(20480.0), Some(512.0)));
        assert_eq!(kib("Name:\tzombie\n", "VmHWM:"), None);
    }

    #[test]
    fn the_hard_limit_is_the_second_figure() {
        let line = |hard: &str| format!("Limit  Soft  Hard  Units\nMax open files    1024    {hard}    files\n");
        assert_eq!(hard_limit(&line("20000")), Some(20_000));
        assert_eq!(hard_limit(&line("unlimited")), Some(FILES));
        assert_eq!(hard_limit(""), None);
    }
}
