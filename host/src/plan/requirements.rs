//! What a plan takes from the machine: connections, memory, open files. Looked at before the run, because a run that
//! hits a limit half-way has measured nothing.

use super::{Plan, Scenario};
use crate::diagnostic::Diagnostic;

/// Files a process has open besides its connections: the program, its log, event queues, data files.
const OTHER_FILES: u64 = 64;
/// Bytes of one open connection in clear, as measured with HTTP/1.1 and small replies.
const BYTES_PER_CLEAR_CONNECTION: u64 = 2 << 10;
/// Bytes of one above TLS, as measured with HTTP/2; with HTTP/1.1 it is 10 KiB, but which it will be the server says.
const BYTES_PER_TLS_CONNECTION: u64 = 60 << 10;
/// Bytes of one user without its connections, as measured with the `http` action.
const BYTES_PER_USER: u64 = 4 << 10;
/// Bytes of an instance of a plugin that each user has for itself, as measured with the `http` action.
const BYTES_PER_INSTANCE: u64 = 115 << 10;
/// Bytes of everything else: compiled plugins, histograms, runtimes.
const BASE_BYTES: u64 = 32 << 20;

/// What a plan needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// Connections open at once: one per origin and user who gets to send anything, or more for one who does several things
    /// at once.
    pub connections: u64,
    /// Open files.
    pub files: u64,
    /// Memory in bytes; an estimate.
    pub memory: u64,
    /// Files of this process that a connection takes: one, or two if the site is in it too.
    pub files_per_connection: u64,
    /// The limit of open files, after the soft one has been raised as far as it goes.
    pub file_limit: u64,
}

impl Requirements {
    /// Works out what a plan needs, and raises the soft limit of open files to the hard one. `files_each` is how many
    /// files of this process a connection takes: one, or two if the site that is run against is in it too.
    pub fn of_plan(plan: &Plan, files_each: u64) -> Self {
        let users = u64::from(plan.users());
        let each = |scenario: &Scenario| u64::from(scenario.workload.sending_users()) * scenario.flow.lanes() as u64;
        let sending = plan.scenarios.iter().map(each).sum::<u64>();
        let connections = sending * (plan.origins.len().max(1) as u64);
        let clear = plan.origins.iter().filter(|origin| origin.starts_with("http:")).count() as u64;
        let connection_memory =
            sending * clear * BYTES_PER_CLEAR_CONNECTION + (connections - sending * clear) * BYTES_PER_TLS_CONNECTION;
        let file_limit = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(u64::MAX);
        let per_user_plugins = plan.plugins.iter().filter(|used| used.policy.instance_per_user).count() as u64;
        let memory = BASE_BYTES + users * (BYTES_PER_USER + per_user_plugins * BYTES_PER_INSTANCE) + connection_memory;
        Self {
            connections,
            files: connections * files_each + OTHER_FILES,
            files_per_connection: files_each,
            memory,
            file_limit,
        }
    }

    /// Refuses what cannot fit.
    ///
    /// # Errors
    /// More files are needed than may be open; says the limit and how to raise it.
    pub fn check_limits(&self) -> Result<(), Diagnostic> {
        if self.files <= self.file_limit {
            return Ok(());
        }
        let (files, limit) = (self.files, self.file_limit);
        let message = format!("{} connections need {files} open files, and the limit is {limit}", self.connections);
        let help = format!(
            "use at most {} users for each origin, or raise the hard limit: `ulimit -Hn {files}` as root, \
             `LimitNOFILE={files}` in a systemd unit",
            limit.saturating_sub(OTHER_FILES) / self.files_per_connection
        );
        Err(Diagnostic::new("usage::open-files", message).help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_in_the_same_process_takes_its_files_too() {
        let needs = |files_each| Requirements {
            connections: 400,
            files: 400 * files_each + OTHER_FILES,
            files_per_connection: files_each,
            memory: 0,
            file_limit: 500,
        };
        assert_eq!(needs(1).check_limits(), Ok(()));
        let refused = needs(2).check_limits().unwrap_err();
        assert_eq!(refused.message, "400 connections need 864 open files, and the limit is 500");
        assert!(refused.help.unwrap().starts_with("use at most 218 users"));
    }
}
