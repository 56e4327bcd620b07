//! The report names whatever keeps the generator from running, with its number, rather than blame the target.

#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use stampede_site::RunningSite;
use stampede_tests::{Finished, Run, Signal, site, wait_for};

use crate::{shooter, shooter_after};

/// Adds two seconds of load on a site: as many requests as one worker can send.
fn load(shooter: Run, site: &RunningSite) -> Run {
    let flags = "--users 4 --workers 1 --duration 2s --graceful-stop 10s --base-url";
    shooter.script("- {name: Page, url: /bytes/100}\n").args(flags).arg(site.base_url()).report()
}

/// Returns the reasons in the report and checks that the table has them too.
#[track_caller]
fn reasons(run: &Finished) -> Vec<String> {
    let report = run.report();
    let reasons = report.at("/generator/reasons").as_array().expect("a list").iter();
    let reasons: Vec<_> = reasons.map(|reason| reason.as_str().expect("a text").to_owned()).collect();
    assert_eq!(report.at("/generator/bottleneck").as_bool(), Some(!reasons.is_empty()));
    assert!(reasons.iter().all(|reason| run.stdout.contains(reason)), "{reasons:?}\n{}", run.stdout);
    reasons
}

/// A process that computes until it is dropped.
struct BusyLoop(Child);

impl BusyLoop {
    /// Starts one on the first core.
    fn start() -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", "0", "sh", "-c", "while :; do :; done"]).stdin(Stdio::null());
        Self(command.spawn().expect("taskset, of util-linux"))
    }
}

impl Drop for BusyLoop {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn waits_for_a_cpu_are_named() {
    let site = site();
    let _loops = [BusyLoop::start(), BusyLoop::start(), BusyLoop::start()];
    let run = load(shooter_after("taskset -c -p 0 $$ >/dev/null"), &site).finish().exits(0);
    let reasons = reasons(&run);
    let named = reasons.iter().any(|reason| reason.starts_with("worker 0 was ready to run and waited for a CPU for "));
    assert!(named, "{reasons:?}");
    assert_eq!(run.report().at("/generator/processes/0/cores"), 1);
}

#[test]
fn a_process_that_was_stopped_says_for_how_long() {
    let site = site();
    let running = load(shooter(), &site).spawn();
    wait_for("some requests", || site.stats().snapshot().requests > 100);
    running.signal(Signal::Stop);
    thread::sleep(Duration::from_millis(700));
    running.signal(Signal::Continue);
    let run = running.finish().exits(0);
    let longest = run.report().at("/generator/workers/0/loop_lag_max_us").as_u64().expect("a number");
    assert!(longest >= 600_000, "{longest}");
    let reasons = reasons(&run);
    assert!(reasons.iter().any(|reason| reason.starts_with("worker 0 stood still for up to ")), "{reasons:?}");
}

/// A control group with a CPU quota, gone afterwards.
struct ControlGroup(PathBuf);

impl ControlGroup {
    /// Makes one that may use a tenth of a core; `None` where this process may not.
    fn tenth_of_a_core() -> Option<Self> {
        let name = format!("stampede-test-{}", std::process::id());
        let first = Path::new("/sys/fs/cgroup/cpu").join(&name);
        if fs::create_dir(&first).is_ok() {
            let group = Self(first);
            return fs::write(group.0.join("cpu.cfs_quota_us"), "10000").is_ok().then_some(group);
        }
        let second = Path::new("/sys/fs/cgroup").join(&name);
        fs::create_dir(&second).ok()?;
        let group = Self(second);
        fs::write(group.0.join("cpu.max"), "10000 100000").is_ok().then_some(group)
    }
}

impl Drop for ControlGroup {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// Without the right to make a control group, as most users are, only the unit tests cover quotas.
#[test]
fn a_cpu_quota_is_named_with_the_time_that_it_cost() {
    let Some(group) = ControlGroup::tenth_of_a_core() else { return };
    let site = site();
    let shooter = shooter_after(&format!("echo $$ > {}/cgroup.procs", group.0.display()));
    let run = load(shooter, &site).finish().exits(0);
    let reasons = reasons(&run);
    let named = "the CPU quota of 0.10 cores stopped the process for ";
    assert!(reasons.iter().any(|reason| reason.starts_with(named)), "{reasons:?}");
    let report = run.report();
    assert_eq!(report.at("/generator/processes/0/cpu_quota"), 0.1);
    assert!(report.at("/generator/processes/0/throttled_us").as_u64().is_some_and(|micros| micros > 500_000));
}
