//! The requirements of a plan: connections, memory, open files. They are checked before the run, because a run that
//! hits a limit half-way has measured nothing.

use super::{Plan, Scenario};
use crate::diagnostic::Diagnostic;

/// Open files of a process besides its connections: the program, its log, event queues, data files.
const OTHER_FILES: u64 = 64;

/// The least number that systems give for no limit: macOS this one, Linux the largest of 64 bits.
const NO_LIMIT: u64 = i64::MAX as u64;
/// Bytes of one open connection in clear, as measured with HTTP/1.1 and small replies.
const BYTES_PER_CLEAR_CONNECTION: u64 = 2 << 10;
/// Bytes of one connection with TLS, as measured with HTTP/2. With HTTP/1.1 it is 10 KiB, but the server chooses.
const BYTES_PER_TLS_CONNECTION: u64 = 60 << 10;
/// Bytes of one user without its connections, as measured with the `http` action.
const BYTES_PER_USER: u64 = 4 << 10;
/// Bytes of a plugin's instance, where each user has its own, as measured with the `http` action.
const BYTES_PER_INSTANCE: u64 = 115 << 10;
/// Bytes of everything else: compiled plugins, histograms, runtimes.
const BASE_BYTES: u64 = 32 << 20;

/// The requirements of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Requirements {
    /// Connections open at once: one per origin and user that sends anything, or more for parallel branches and for
    /// steps whose plugins say that they need more. What the script's plugins open by sockets is not known, and not in
    /// it.
    pub connections: u64,
    /// Open files.
    pub files: u64,
    /// Memory in bytes; an estimate.
    pub memory: u64,
    /// Open files that a connection takes: one, or two if the site is in this process too.
    pub files_per_connection: u64,
    /// The limit of open files, after the soft limit has been raised to the hard one; `None` if there is none.
    pub file_limit: Option<u64>,
}

impl Requirements {
    /// Computes the requirements of a plan, and raises the soft limit of open files to the hard one. `files_each` is
    /// the number of open files of a connection: one, or two if the target site is in this process too.
    pub(crate) fn of_plan(plan: &Plan, files_each: u64) -> Self {
        let users = u64::from(plan.own_users());
        let each = |scenario: &Scenario| {
            let lanes = scenario.flow.lanes() as u64;
            let own = plan.segment.users().counted_from(scenario.first_user);
            let sending = own.users_below(scenario.workload.sending_users());
            u64::from(sending) * lanes * plan.connections_per_host(scenario)
        };
        let sending = plan.scenarios.iter().map(each).sum::<u64>();
        let connections = sending * (plan.origins.len().max(1) as u64);
        let clear = plan.origins.iter().filter(|origin| origin.starts_with("http:")).count() as u64;
        let connection_memory =
            sending * clear * BYTES_PER_CLEAR_CONNECTION + (connections - sending * clear) * BYTES_PER_TLS_CONNECTION;
        let file_limit = rlimit::increase_nofile_limit(u64::MAX).ok().filter(|limit| *limit < NO_LIMIT);
        let per_user_plugins = plan.runtime.plugins.iter().filter(|used| used.policy.instance_per_user).count() as u64;
        let memory = BASE_BYTES + users * (BYTES_PER_USER + per_user_plugins * BYTES_PER_INSTANCE) + connection_memory;
        Self {
            connections,
            files: connections * files_each + OTHER_FILES,
            files_per_connection: files_each,
            memory,
            file_limit,
        }
    }

    /// Compares the requirements with the limits of the machine.
    ///
    /// # Errors
    /// More files are needed than may be open. The message has the limit and how to raise it.
    pub(crate) fn check_limits(&self) -> Result<(), Diagnostic> {
        let files = self.files;
        let Some(limit) = self.file_limit.filter(|limit| files > *limit) else { return Ok(()) };
        let connections = match self.connections {
            1 => "1 connection needs".to_owned(),
            several => format!("{several} connections need"),
        };
        let message = format!("{connections} {files} open files, but the limit is {limit}");
        let raise =
            format!("raise the hard limit: `ulimit -Hn {files}` as root, `LimitNOFILE={files}` in a systemd unit");
        let help = match limit.saturating_sub(OTHER_FILES) / self.files_per_connection {
            0 => raise,
            users => format!("use at most {users} users for each origin, or {raise}"),
        };
        Err(Diagnostic::new("usage::open-files", message).help(help))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_in_the_same_process_doubles_the_files_of_connections() {
        let needs = |files_each| Requirements {
            connections: 400,
            files: 400 * files_each + OTHER_FILES,
            files_per_connection: files_each,
            memory: 0,
            file_limit: Some(500),
        };
        assert_eq!(needs(1).check_limits(), Ok(()));
        let error = needs(2).check_limits().unwrap_err();
        assert_eq!(error.message, "400 connections need 864 open files, but the limit is 500");
        assert!(error.help.unwrap().starts_with("use at most 218 users"));
        let error = Requirements { file_limit: Some(64), ..needs(1) }.check_limits().unwrap_err();
        assert!(error.help.unwrap().starts_with("raise the hard limit"));
        assert_eq!(Requirements { file_limit: None, ..needs(2) }.check_limits(), Ok(()));
    }
}
