//! A real browser, driven by `tests/page/driver.mjs`.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use serde_json::Value;

/// Paths of the browser.
const PROGRAMS: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/// A browser at one of the driver's commands. Dropping it ends it.
pub struct Browser {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Browser {
    /// Starts a command of the driver. `tools` is the folder into which `cargo xtask tools` installs.
    ///
    /// # Panics
    /// The browser or its driver is not installed.
    pub fn start(tools: &Path, command: &str, arguments: &[impl AsRef<OsStr>]) -> Self {
        let tools = tools.join("page");
        let chromium = PROGRAMS.iter().map(PathBuf::from).find(|program| program.is_file());
        let installed = tools.join("node_modules/playwright-core").is_dir();
        let (Some(chromium), true) = (chromium, installed) else {
            panic!("a browser or its driver is missing: `cargo xtask tools` installs them");
        };
        let driver = Path::new(env!("CARGO_MANIFEST_DIR")).join("page/driver.mjs");
        let mut node = Command::new("node");
        node.arg(driver).arg(tools.canonicalize().expect("it is there")).arg(command).args(arguments);
        let mut child = node.env("CHROMIUM", chromium).stdout(Stdio::piped()).spawn().expect("node starts");
        let lines = BufReader::new(child.stdout.take().expect("a pipe was asked for"));
        Self { child, lines }
    }

    /// Waits for the next line of the driver.
    ///
    /// # Panics
    /// The driver has failed; its error is on standard error.
    #[track_caller]
    pub fn line(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).expect("the driver writes text");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("the driver has failed: `{line}`: {error}"))
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver ends on its own after its last line, and the browser with it.
        let _ = self.child.wait();
    }
}
