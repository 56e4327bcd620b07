//! Runs a client and measures it from outside: time, processor time and memory, as the kernel accounts for them.
//!
//! The kernel adds a client's processor time to "children waited for" when the client ends, so it is complete, and has
//! a resolution of 10 ms.

use std::ffi::OsStr;
use std::fmt::Display;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use procfs::process::{LimitValue, Process};

/// The longest run of a client: one that takes longer hangs, and is ended.
const LONGEST: Duration = Duration::from_mins(15);

/// The interval between two readings of a client's memory. A reading costs the machine some 40 µs.
const LOOK: Duration = Duration::from_millis(20);

/// More open files than any client here needs. Some programs size tables by their limit.
const FILES: u64 = 1 << 20;

/// The cost of one run of a client.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// The time from start to end.
    pub(crate) wall: Duration,
    /// Processor time, including that of the kernel on the client's behalf.
    pub(crate) cpu: Duration,
    /// The highest resident memory, in KiB.
    pub(crate) peak: f64,
    /// The resident memory after each second, in KiB.
    pub(crate) memory: Vec<f64>,
}

/// Returns a call of a program on some cores (in the notation of `taskset`) or on all, with as many open files as it
/// may have. The kernel ends the program if this process ends first.
pub(crate) fn on_cores(program: &Path, cores: Option<&str>) -> Command {
    let files = open_files();
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", "prlimit", &format!("--nofile={files}:{files}")]);
    if let Some(cores) = cores {
        command.args(["taskset", "-c", cores]);
    }
    command.arg(program);
    command
}

/// Returns the hard limit on open files of a process, at most [`FILES`].
pub(crate) fn open_files() -> u64 {
    let limits = Process::myself().and_then(|process| process.limits());
    match limits.map(|limits| limits.max_open_files.hard_limit) {
        Ok(LimitValue::Value(files)) => files.min(FILES),
        Ok(LimitValue::Unlimited) => FILES,
        Err(_) => 1024,
    }
}

/// Runs a client to its end. Its standard error goes to `log`.
pub(crate) fn run(command: &mut Command, log: &Path) -> Result<Run> {
    let before = waited_for()?;
    let start = now();
    let mut child = spawn(command, log)?;
    let (mut peak, mut memory) = (0.0_f64, Vec::new());
    let status = loop {
        if let Some(status) = child.try_wait().with_context(|| failed(command))? {
            break status;
        }
        let (resident, high) = memory_of(&child);
        peak = peak.max(high);
        let seconds = start.elapsed().as_secs();
        if seconds > memory.len() as u64 {
            memory.push(resident);
        }
        if start.elapsed() > LONGEST {
            end(child);
            bail!("{}: it did not end within {LONGEST:?}", failed(command));
        }
        thread::sleep(LOOK);
    };
    let wall = start.elapsed();
    check(status, command, log)?;
    Ok(Run { wall, cpu: waited_for()? - before, peak, memory })
}

/// Returns the time of a client from start to end, to the microsecond; its memory is not read meanwhile.
pub(crate) fn wall(command: &mut Command, log: &Path) -> Result<Duration> {
    let start = now();
    let status = spawn(command, log)?.wait().with_context(|| failed(command))?;
    let wall = start.elapsed();
    check(status, command, log)?;
    Ok(wall)
}

/// Starts a program whose standard output is discarded.
pub(crate) fn spawn(command: &mut Command, log: &Path) -> Result<Child> {
    let stderr = File::create(log).with_context(|| failed(command))?;
    let quiet = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(stderr);
    quiet.spawn().with_context(|| failed(command))
}

/// Ends a program. Does nothing if it has ended already.
pub(crate) fn end(mut child: Child) {
    let _ = child.kill();
    let _ = child.wait();
}

/// Returns the present time, for durations.
#[allow(clippy::disallowed_methods, reason = "the load runner's clock is for the load runner alone")]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Returns the reason that a program gave for its end: the first line that is an error, or else the last line.
pub(crate) fn reason(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let error = text.lines().find(|line| line.starts_with("error"));
    error.or(text.trim_end().lines().last()).unwrap_or("it gave no reason").to_owned()
}

fn check(status: ExitStatus, command: &Command, log: &Path) -> Result<()> {
    match status.success() {
        true => Ok(()),
        false => Err(anyhow!("{status}: {}", reason(log)).context(failed(command))),
    }
}

fn failed(command: &Command) -> impl Display + Send + Sync + use<> {
    let words: Vec<_> = [command.get_program()].into_iter().chain(command.get_args()).collect();
    format!("`{}` failed", words.join(OsStr::new(" ")).display())
}

/// Returns the processor time of all children that have ended.
pub(crate) fn waited_for() -> Result<Duration> {
    let stat = Process::myself()?.stat()?;
    Ok(ticks(u64::try_from(stat.cutime + stat.cstime)?))
}

/// Converts the kernel's unit of processor time in `/proc`, which is 10 ms on every usual kernel.
pub(crate) fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 1000 / procfs::ticks_per_second())
}

/// Returns the resident memory of a process, now and at most, in KiB; zero before its program has started and after it
/// has ended.
fn memory_of(child: &Child) -> (f64, f64) {
    let status = i32::try_from(child.id()).ok().and_then(|pid| Process::new(pid).ok()?.status().ok());
    let kib = |figure: Option<u64>| figure.unwrap_or(0) as f64;
    status.map_or((0.0, 0.0), |status| (kib(status.vmrss), kib(status.vmhwm)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_has_its_time_and_memory_and_a_failure_its_reason() {
        let log = std::env::temp_dir().join(format!("stampede-bench-{}", std::process::id()));
        let shell = |script: &str| {
            let mut command = Command::new("sh");
            command.args(["-c", script]);
            command
        };
        let run = run(&mut shell("i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; sleep 0.1"), &log).unwrap();
        assert!(run.cpu > Duration::ZERO && run.wall >= Duration::from_millis(100) && run.peak > 0.0, "{run:?}");
        let error = wall(&mut shell("echo one >&2; echo 'error: two' >&2; echo three >&2; exit 3"), &log).unwrap_err();
        fs::remove_file(&log).unwrap();
        let message = format!("{error:#}");
        assert!(
            message.starts_with("`sh -c ") && message.ends_with("` failed: exit status: 3: error: two"),
            "{message}"
        );
    }
}
