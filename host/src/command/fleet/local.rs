//! `fleet local`: a fleet of processes on this machine.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::run::lead;
use super::run_name::random_id;
use crate::cli::{BusArgs, FleetLocalArgs};
use crate::diagnostic::{Diagnostic, Diagnostics, io_reason};
use crate::exit::Exit;
use crate::machines::LocalServer;
use crate::stderr;

/// The looks at processes that should have ended, and the time between two of them.
const LOOKS: usize = 200;
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The processes of the fleet. Dropping them ends those that are left.
struct LocalNodes(Vec<Child>);

/// Runs a script on a NATS server and processes of its own.
///
/// # Errors
/// A process cannot be started, and those of `fleet run`.
pub(super) fn local(args: &FleetLocalArgs) -> Result<Exit, Diagnostics> {
    let server = LocalServer::start()?;
    let (id, nodes) = (random_id()?, args.division.nodes);
    if !args.run.quiet {
        let (url, name) = (server.url(), crate::cli::NAME);
        stderr::print_line(format_args!("{nodes} processes over {url}; {name} fleet status --nats {url} --run {id}"));
    }
    let mut processes = LocalNodes(Vec::new());
    for number in 1..=nodes {
        processes.0.push(spawn(args, &server, id.as_str(), number)?);
    }
    let bus = BusArgs { nats: Some(server.url()), ..BusArgs::default() };
    let result = lead(&args.run, &args.division, bus, id);
    if result.is_ok() {
        processes.wait();
    }
    drop(processes);
    result
}

fn spawn(args: &FleetLocalArgs, server: &LocalServer, id: &str, number: u32) -> Result<Child, Diagnostic> {
    let failed = |error: std::io::Error| {
        Diagnostic::new("internal::run", format!("cannot start a process of the fleet: {}", io_reason(&error)))
    };
    let mut command = Command::new(std::env::current_exe().map_err(failed)?);
    command.args(["fleet", "node", "--nats", &server.url(), "--run", id]);
    command.args(["--segment", &format!("{number}/{}", args.division.nodes)]);
    if let Some(file) = &args.run.env_file {
        command.arg("--env-file").arg(file);
    }
    if args.run.native.allow_native {
        command.arg("--allow-native");
    }
    if let Some(level) = args.run.console.log {
        command.args(["--log", level.name()]);
    }
    // The variables that this process was given as flags are those of the run, not of its parts.
    let variables = std::env::vars_os().map(|(name, _)| name);
    for name in variables.filter(|name| name.to_string_lossy().starts_with("STAMPEDE_")) {
        if !["STAMPEDE_CACHE_DIR", "STAMPEDE_LOG", "STAMPEDE_NO_COLOR"].contains(&name.to_string_lossy().as_ref()) {
            command.env_remove(name);
        }
    }
    command.env_remove("JOB_COMPLETION_INDEX").stdin(Stdio::null()).stdout(Stdio::null());
    #[cfg(unix)]
    {
        use std::os::unix::process::CommandExt;
        // Ctrl-C ends the run, which tells them.
        command.process_group(0);
    }
    command.spawn().map_err(failed)
}

impl LocalNodes {
    /// Waits until all have ended, for a while.
    fn wait(&mut self) {
        for _ in 0..LOOKS {
            self.0.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
            if self.0.is_empty() {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

impl Drop for LocalNodes {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
