//! The date, machine and commit of a measurement, without which its figures mean nothing, and the load of the machine.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;
use std::time::Duration;

use anyhow::Result;
use procfs::{CpuInfo, CpuTime, Current, CurrentSI, KernelStats, Meminfo};
use xtask::step;
use xtask::workspace::root;

use crate::process::ticks;

/// Returns the number of cores that this process may use.
pub(crate) fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

/// Returns the processor time of all programs since the machine started, and the time that its hypervisor took from it.
pub(crate) fn busy() -> Result<Duration> {
    Ok(busy_time(&KernelStats::current()?.total))
}

fn busy_time(time: &CpuTime) -> Duration {
    let optional = [time.irq, time.softirq, time.steal];
    ticks(time.user + time.nice + time.system + optional.into_iter().flatten().sum::<u64>())
}

/// Returns lines that name the date, the machine and the commit.
pub(crate) fn description() -> Vec<String> {
    let model = CpuInfo::current().ok().and_then(|cpu| cpu.model_name(0).map(str::to_owned));
    let model = model.unwrap_or_else(|| "an unknown processor".into());
    let memory = Meminfo::current().map_or(0.0, |memory| memory.mem_total as f64 / f64::from(1 << 30));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    vec![
        format!("date: {}", output(Command::new("date").args(["-u", "+%Y-%m-%d"]))),
        format!("machine: {model}, {} cores, {memory:.0} GiB, Linux {}", cores(), kernel.trim_end()),
        format!("commit: {}", commit()),
    ]
}

/// Returns the commit as `git describe` names it, which ends with `-dirty` if files differ from it.
pub(crate) fn commit() -> String {
    let mut git = Command::new("git");
    git.args(["-c", "safe.directory=*", "describe", "--always", "--dirty"]).current_dir(root());
    output(&mut git)
}

fn output(command: &mut Command) -> String {
    let output = step::output("", command).unwrap_or_else(|_| b"unknown".into());
    String::from_utf8_lossy(&output).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use procfs::FromBufReadSI;
    use procfs::process::Process;

    use super::*;

    #[test]
    fn waiting_is_not_busy() {
        let stat = "cpu  10 2 20 5000 300 1 2 3 7 8\ncpu0 5 1 10 2500 150 0 1 1 3 4\nctxt 1\nbtime 1\nprocesses 1\n";
        let stat = KernelStats::from_buf_read(stat.as_bytes(), procfs::current_system_info()).unwrap();
        assert_eq!(busy_time(&stat.total), ticks(10 + 2 + 20 + 1 + 2 + 3));
    }

    #[test]
    fn the_figures_of_this_machine_can_be_read() {
        assert!(busy().unwrap() > Duration::ZERO);
        assert!(Process::myself().unwrap().status().unwrap().vmrss.is_some());
        assert!(description()[1].ends_with(fs::read_to_string("/proc/sys/kernel/osrelease").unwrap().trim_end()));
    }
}
