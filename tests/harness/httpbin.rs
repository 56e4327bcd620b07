//! httpbin as a target: an independent server of HTTP that says what it received.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::wait_for;

/// The line of gunicorn's log that names the address.
const LISTENING: &str = "Listening at: ";

/// A running httpbin, served by gunicorn. Dropping it stops it.
pub struct HttpBin {
    child: Child,
    base_url: String,
    /// The folder of its logs and its own temporary files.
    folder: TempDir,
}

impl HttpBin {
    /// Starts httpbin on a free port. `tools` is the folder into which `cargo xtask tools` installs.
    ///
    /// # Panics
    /// httpbin is not installed, or does not start.
    pub fn start(tools: &Path) -> Self {
        let program = tools.join("httpbin/bin/gunicorn");
        assert!(program.is_file(), "httpbin is missing: `cargo xtask tools` installs it");
        let folder = TempDir::new().expect("a temporary folder");
        let log = folder.path().join("log");
        let mut command = Command::new(program);
        command.args(["--bind", "127.0.0.1:0", "--worker-class", "gthread", "--threads", "8", "--keep-alive", "60"]);
        command.arg("--worker-tmp-dir").arg(folder.path());
        command.args(["--access-logfile", "access.log", "--no-control-socket", "httpbin:app"]);
        command.current_dir(folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        let mut child = command.stderr(File::create(&log).expect("a file")).spawn().expect("gunicorn starts");
        let mut base_url = None;
        wait_for("httpbin to listen", || {
            let text = fs::read_to_string(&log).unwrap_or_default();
            assert!(child.try_wait().expect("gunicorn can be waited for").is_none(), "httpbin did not start: {text}");
            let address = text.split_once(LISTENING).and_then(|(_, rest)| rest.split_once(' '));
            base_url = address.map(|(address, _)| address.to_owned());
            base_url.is_some()
        });
        Self { child, base_url: base_url.expect("it listens"), folder }
    }

    /// Returns `http://host:port`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the number of requests that were answered so far.
    pub fn answered(&self) -> u64 {
        fs::read_to_string(self.folder.path().join("access.log")).unwrap_or_default().lines().count() as u64
    }
}

impl Drop for HttpBin {
    fn drop(&mut self) {
        // Ends its worker too; if the process has ended on its own, nothing is left to do.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let _ = self.child.wait();
    }
}
