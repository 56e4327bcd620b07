//! The CPU time that the operating system grants the process: the cores that it may run on, and the quota of its
//! control group, as containers set it. A quota stops all threads of a process for the rest of a period once it is used
//! up, which looks like a slow target unless it is measured.
//!
//! The formats are those of Linux: `cgroup-v2.rst` (`cpu.max`, `cpu.stat`) and, for the first version, `sched-bwc.rst`
//! (`cpu.cfs_quota_us`, `cpu.cfs_period_us`, `cpu.stat`).

use std::fs;
use std::path::{Path, PathBuf};

use stampede_time::Nanos;

/// The folder below which control groups are mounted.
const MOUNTS: &str = "/sys/fs/cgroup";

/// The CPU limits of the process at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct CpuLimits {
    /// Cores that the process may run on; 0 if that is unknown.
    pub cores: u32,
    /// CPU time per time that the control group allows, in cores; `None` if it is not limited.
    pub quota: Option<f64>,
    /// Time for which the quota has stopped the group so far; `None` without a quota.
    pub throttled: Option<Nanos>,
}

impl CpuLimits {
    /// Reads the limits of this process. What the system does not tell is left out.
    pub fn read() -> Self {
        let cores = std::thread::available_parallelism().map_or(0, |cores| u32::try_from(cores.get()).unwrap_or(0));
        let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let quota = Quota::of_groups(&groups, Path::new(MOUNTS));
        Self { cores, quota: quota.map(|quota| quota.cores), throttled: quota.map(|quota| quota.throttled) }
    }

    /// Returns these limits, with the time for which the quota has stopped the group since `earlier`.
    pub fn since(self, earlier: &Self) -> Self {
        let throttled = self.throttled.zip(earlier.throttled).map(|(now, before)| now.saturating_sub(before));
        Self { throttled, ..self }
    }
}

/// The quota of a control group.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Quota {
    /// CPU time per time, in cores.
    cores: f64,
    throttled: Nanos,
}

impl Quota {
    /// Returns the smallest quota of a process's groups and those that they are in. `groups` is the text of
    /// `/proc/PID/cgroup`: lines of `NUMBER:CONTROLLERS:PATH`, without controllers for the second version.
    fn of_groups(groups: &str, mounts: &Path) -> Option<Self> {
        let mut smallest: Option<Self> = None;
        for line in groups.lines() {
            let mut parts = line.splitn(3, ':').skip(1);
            let (Some(controllers), Some(group)) = (parts.next(), parts.next()) else { continue };
            let is_second = controllers.is_empty();
            if !is_second && !controllers.split(',').any(|controller| controller == "cpu") {
                continue;
            }
            let mount = if is_second { mounts.to_owned() } else { mounts.join(controllers) };
            for folder in folders(&mount, group) {
                let quota = if is_second { Self::second(&folder) } else { Self::first(&folder) };
                let is_smaller = |quota: &Self| smallest.is_none_or(|smallest| quota.cores < smallest.cores);
                smallest = quota.filter(is_smaller).or(smallest);
            }
        }
        smallest
    }

    /// Reads the quota of a group of the second version: `cpu.max` is `QUOTA PERIOD` in microseconds, or `max PERIOD`.
    fn second(folder: &Path) -> Option<Self> {
        let max = fs::read_to_string(folder.join("cpu.max")).ok()?;
        let (quota, period) = max.trim().split_once(' ')?;
        let cores = quota.parse::<f64>().ok()? / period.parse::<f64>().ok()?;
        let throttled = counter(folder, "throttled_usec")?.saturating_mul(1_000);
        Some(Self { cores, throttled })
    }

    /// Reads the quota of a group of the first version; a negative one is none.
    fn first(folder: &Path) -> Option<Self> {
        let number = |file: &str| fs::read_to_string(folder.join(file)).ok()?.trim().parse::<f64>().ok();
        let quota = number("cpu.cfs_quota_us").filter(|quota| *quota > 0.0)?;
        Some(Self { cores: quota / number("cpu.cfs_period_us")?, throttled: counter(folder, "throttled_time")? })
    }
}

/// Returns a group's folder and those of the groups around it, down from the mount. In a container the path may be that
/// outside, and only the mount itself exists.
fn folders(mount: &Path, group: &str) -> Vec<PathBuf> {
    let inner = mount.join(group.trim_start_matches('/'));
    let around = inner.ancestors().take_while(|folder| folder.starts_with(mount)).map(Path::to_owned);
    around.collect()
}

/// Returns a number of `cpu.stat`, whose lines are `NAME NUMBER`.
fn counter(folder: &Path, name: &str) -> Option<u64> {
    let stat = fs::read_to_string(folder.join("cpu.stat")).ok()?;
    let mut fields = stat.lines().filter_map(|line| line.split_once(' '));
    fields.find(|(known, _)| *known == name)?.1.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounts(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let file = folder.path().join(path);
            fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
            fs::write(file, text).expect("a file");
        }
        folder
    }

    #[test]
    fn the_smallest_quota_of_a_group_and_those_around_it_counts() {
        let stat = "usage_usec 9\nnr_throttled 3\nthrottled_usec 250000\n";
        let first_stat = "nr_periods 5\nnr_throttled 2\nthrottled_time 42000000\n";
        let half = Some(Quota { cores: 0.5, throttled: 250_000_000 });
        for (case, groups, files, expected) in [
            ("no groups", "", &[][..], None),
            ("no quota", "0::/app\n", &[("app/cpu.max", "max 100000\n"), ("app/cpu.stat", stat)], None),
            ("its own", "0::/app\n", &[("app/cpu.max", "50000 100000\n"), ("app/cpu.stat", stat)], half),
            (
                "that of the group around it",
                "0::/pod/app\n",
                &[
                    ("pod/cpu.max", "50000 100000\n"),
                    ("pod/cpu.stat", stat),
                    ("pod/app/cpu.max", "200000 100000\n"),
                    ("pod/app/cpu.stat", "throttled_usec 1\n"),
                ],
                half,
            ),
            (
                "the mount alone, in a container",
                "0::/kubepods/pod1/app\n",
                &[("cpu.max", "50000 100000\n"), ("cpu.stat", stat)],
                half,
            ),
            (
                "the first version",
                "5:memory:/x\n4:cpu,cpuacct:/app\n0::/\n",
                &[
                    ("cpu,cpuacct/app/cpu.cfs_quota_us", "10000\n"),
                    ("cpu,cpuacct/app/cpu.cfs_period_us", "100000\n"),
                    ("cpu,cpuacct/app/cpu.stat", first_stat),
                    ("cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
                ],
                Some(Quota { cores: 0.1, throttled: 42_000_000 }),
            ),
            ("a damaged file", "0::/\n", &[("cpu.max", "many few\n"), ("cpu.stat", stat)], None),
        ] {
            let folder = mounts(files);
            assert_eq!(Quota::of_groups(groups, folder.path()), expected, "{case}");
        }
    }

    #[test]
    fn only_the_time_since_the_run_began_counts() {
        let at = |throttled| CpuLimits { cores: 2, quota: Some(0.5), throttled };
        assert_eq!(at(Some(70)).since(&at(Some(50))).throttled, Some(20));
        assert_eq!(at(Some(70)).since(&at(None)).throttled, None);
    }
}
