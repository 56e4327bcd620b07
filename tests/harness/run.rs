//! The real binary, in a folder of its own, with what it reads and writes.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use crate::{Report, wait_for};

/// The report of a run that [`Run::report`] was asked of, in the run's folder.
const REPORT: &str = "report.json";

/// A call of the binary that is being put together. Its working directory is a temporary folder; files for it are
/// best named relatively, so that messages are the same everywhere.
pub struct Run {
    command: Command,
    stdin: Option<Vec<u8>>,
    folder: TempDir,
}

impl Run {
    /// `binary` is `env!("CARGO_BIN_EXE_stampede-shooter")`, which only the suites know; `target_tmp` is their
    /// `env!("CARGO_TARGET_TMPDIR")`, where the compiled plugins are kept from one run to the next. `STAMPEDE_*`
    /// variables of whoever runs the tests do not reach the binary.
    pub fn new(binary: impl AsRef<Path>, target_tmp: impl AsRef<Path>) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let mut command = Command::new(binary.as_ref());
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STAMPEDE_")) {
            command.env_remove(name);
        }
        command.env("STAMPEDE_CACHE_DIR", target_tmp.as_ref().join("plugin-cache"));
        command.current_dir(folder.path());
        Self { command, stdin: None, folder }
    }

    /// Adds an argument.
    pub fn arg(mut self, argument: impl AsRef<OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// Adds the words of a text as arguments: `.args("--users 5 --rps 2")`. For one with a space in it use
    /// [`Run::arg`].
    pub fn args(mut self, arguments: &str) -> Self {
        self.command.args(arguments.split_whitespace());
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// What the binary reads on standard input; without it there is nothing to read.
    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.as_bytes().to_vec());
        self
    }

    /// Writes a file into the run's folder, or into a folder below it, which is created.
    pub fn file(self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        let file = self.folder.path().join(name);
        let folder = file.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).and_then(|()| fs::write(&file, contents)).expect("the run's folder is writable");
        self
    }

    /// Another working directory than the run's own folder.
    pub fn current_dir(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Writes `script.yml` and adds `--script script.yml`.
    pub fn script(self, text: &str) -> Self {
        self.file("script.yml", text).args("--script script.yml")
    }

    /// Has the binary write a JSON report, for [`Finished::report`].
    pub fn report(self) -> Self {
        let file = self.folder.path().join(REPORT);
        self.arg("--out").arg(file)
    }

    /// Starts it.
    pub fn spawn(mut self) -> Running {
        let input = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the binary starts");
        if let (Some(mut pipe), Some(text)) = (child.stdin.take(), self.stdin.take()) {
            // A binary that does not read all of it closes the pipe, which is its right.
            let _ = pipe.write_all(&text);
        }
        let stdout = Output::collect(child.stdout.take().expect("a pipe was asked for"));
        let stderr = Output::collect(child.stderr.take().expect("a pipe was asked for"));
        let arguments = self.command.get_args().map(OsStr::to_owned).collect();
        Running { child, stdout, stderr, arguments, folder: Some(self.folder) }
    }

    /// Starts it and waits for its end.
    pub fn finish(self) -> Finished {
        self.spawn().finish()
    }
}

/// What comes out of a pipe. It is read all the time, so that the pipe never fills up.
struct Output {
    bytes: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Output {
    fn collect(mut pipe: impl Read + Send + 'static) -> Self {
        let bytes = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&bytes);
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length @ 1..) = pipe.read(&mut chunk) {
                sink.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(&chunk[..length]);
            }
        });
        Self { bytes, reader: Some(reader) }
    }

    fn so_far(&self) -> String {
        let bytes = self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// All of it, once the other side has closed the pipe.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("output can be read");
        }
        self.so_far()
    }
}

/// A signal that ends a run.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// What service managers send.
    Terminate,
}

/// The binary while it runs. Dropping it kills it.
pub struct Running {
    child: Child,
    stdout: Output,
    stderr: Output,
    arguments: Vec<OsString>,
    folder: Option<TempDir>,
}

impl Running {
    /// Sends it a signal.
    #[cfg(unix)]
    pub fn signal(&self, signal: Signal) {
        use rustix::process::{Pid, Signal as Number, kill_process};
        let pid = Pid::from_child(&self.child);
        let number = match signal {
            Signal::Interrupt => Number::INT,
            Signal::Terminate => Number::TERM,
        };
        kill_process(pid, number).expect("the binary is still running");
    }

    /// A file in the run's folder.
    ///
    /// # Panics
    /// The run is over.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.as_ref().expect("a run has a folder until it is over").path().join(name)
    }

    /// What it has printed so far.
    pub fn printed(&self) -> String {
        self.stdout.so_far()
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the binary can be waited for").is_some()
    }

    /// The most memory it has had resident so far.
    fn peak_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }

    /// Waits for its end.
    ///
    /// # Panics
    /// It does not end.
    pub fn finish(mut self) -> Finished {
        let mut peak_kib = 0;
        wait_for("the binary to end", || {
            peak_kib = peak_kib.max(self.peak_kib().unwrap_or_default());
            self.has_ended()
        });
        let status = self.child.wait().expect("the binary has ended");
        Finished {
            code: status.code(),
            stdout: self.stdout.whole(),
            stderr: self.stderr.whole(),
            peak_kib,
            arguments: std::mem::take(&mut self.arguments),
            folder: self.folder.take().expect("a run has a folder until it is over"),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended already, unless a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run that is over.
pub struct Finished {
    /// The exit code; `None` if a signal killed it.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said.
    pub stderr: String,
    /// The most memory it was seen to have resident, in KiB; 0 where the system does not tell (it does on Linux).
    pub peak_kib: u64,
    arguments: Vec<OsString>,
    folder: TempDir,
}

impl Finished {
    /// Checks the exit code, and shows everything that was said if it is another.
    ///
    /// # Panics
    /// It is another.
    #[track_caller]
    pub fn exits(self, code: i32) -> Self {
        assert_eq!(
            self.code,
            Some(code),
            "exit code of {:?}\n── stdout\n{}── stderr\n{}",
            self.arguments,
            self.stdout,
            self.stderr
        );
        self
    }

    /// A file in the run's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The contents of a file in the run's folder.
    ///
    /// # Panics
    /// There is none.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("`{name}`: {error}\n{}", self.stderr))
    }

    /// The report that [`Run::report`] asked for.
    ///
    /// # Panics
    /// It was not written, or is no report.
    #[track_caller]
    pub fn report(&self) -> Report {
        Report::parse(&self.read(REPORT))
    }
}
