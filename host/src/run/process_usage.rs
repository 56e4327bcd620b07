//! Measures what the process takes of the machine: memory, and open files, whose number the system limits.

use std::fs;

/// Memory and open files at a moment. A number is `None` where the system does not tell it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessUsage {
    /// Resident memory in bytes.
    pub memory: Option<u64>,
    /// Open files, sockets among them.
    pub open_files: Option<u64>,
}

impl ProcessUsage {
    /// Measures this process.
    pub(super) fn now() -> Self {
        let memory = memory_stats::memory_stats().map(|stats| stats.physical_mem as u64);
        Self { memory, open_files: open_files() }
    }
}

/// Counts the open files. Linux from 6.2 on gives their number as the size of the folder that lists them
/// (`Documentation/filesystems/proc.rst`); elsewhere they are counted.
fn open_files() -> Option<u64> {
    let listed = |folder: &str| fs::read_dir(folder).ok().map(|entries| entries.count() as u64);
    let size = fs::metadata("/proc/self/fd").ok().map(|folder| folder.len()).filter(|size| *size > 0);
    size.or_else(|| listed("/proc/self/fd")).or_else(|| listed("/dev/fd"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn open_files_are_those_that_are_listed() {
        let before = open_files().expect("counted");
        let held: Vec<fs::File> = (0..100).map(|_| fs::File::open("/dev/null").expect("a file")).collect();
        let with = open_files().expect("counted");
        // Other tests open and close files meanwhile.
        assert!(with + 50 > before + held.len() as u64, "{before} and then {with}");
    }

    #[test]
    #[cfg(any(unix, windows))]
    fn a_process_has_memory() {
        assert!(ProcessUsage::now().memory.is_some_and(|bytes| bytes > 1_000_000));
    }
}
