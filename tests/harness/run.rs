//! The real binary in a folder of its own, with its input and output.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use tempfile::TempDir;

use crate::{Report, wait_for};

/// File name, in the run's folder, of the report that [`Run::report`] asks for.
const REPORT: &str = "report.json";

/// A call of the binary, under construction. Its working directory is a temporary folder; relative names for files in
/// it keep messages the same on every machine.
pub struct Run {
    command: Command,
    stdin: Option<Vec<u8>>,
    folder: TempDir,
}

impl Run {
    /// `binary` is `env!("CARGO_BIN_EXE_stampede-shooter")`, which only the suites know; `target_tmp` is their
    /// `env!("CARGO_TARGET_TMPDIR")`, where compiled plugins are kept from one run to the next. `STAMPEDE_*` variables
    /// of the environment do not reach the binary.
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

    /// Adds the words of a text as arguments, such as `.args("--users 5 --rps 2")`. An argument with a space in it
    /// needs [`Run::arg`].
    pub fn args(mut self, arguments: &str) -> Self {
        self.command.args(arguments.split_whitespace());
        self
    }

    /// Sets an environment variable.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets the standard input of the binary, which is empty otherwise.
    pub fn stdin(mut self, text: &str) -> Self {
        self.stdin = Some(text.as_bytes().to_vec());
        self
    }

    /// Writes a file into the run's folder, and creates the folders that its name calls for.
    pub fn file(self, name: &str, contents: impl AsRef<[u8]>) -> Self {
        let file = self.folder.path().join(name);
        let folder = file.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).and_then(|()| fs::write(&file, contents)).expect("the run's folder is writable");
        self
    }

    /// Sets a working directory other than the run's own folder.
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

    /// Starts the binary.
    pub fn spawn(mut self) -> Running {
        let input = if self.stdin.is_some() { Stdio::piped() } else { Stdio::null() };
        self.command.stdin(input).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("the binary starts");
        if let (Some(mut pipe), Some(text)) = (child.stdin.take(), self.stdin.take()) {
            // A binary may close the pipe before it has read everything.
            let _ = pipe.write_all(&text);
        }
        let stdout = Output::collect(child.stdout.take().expect("a pipe was asked for"));
        let stderr = Output::collect(child.stderr.take().expect("a pipe was asked for"));
        let arguments = self.command.get_args().map(OsStr::to_owned).collect();
        Running { child, stdout, stderr, arguments, folder: Some(self.folder) }
    }

    /// Starts the binary and waits until it ends.
    pub fn finish(self) -> Finished {
        self.spawn().finish()
    }
}

/// The output of a pipe. A thread reads it all the time, so that the pipe never fills up.
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

    /// Waits until the other side has closed the pipe, and returns everything.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().expect("output can be read");
        }
        self.so_far()
    }
}

/// A signal to a run.
#[derive(Clone, Copy, Debug)]
pub enum Signal {
    /// `SIGINT`, which Ctrl-C sends.
    Interrupt,
    /// `SIGTERM`, which service managers send.
    Terminate,
    /// `SIGHUP`, which a terminal sends that is closed.
    HangUp,
    /// `SIGQUIT`, which Ctrl-\ sends.
    Quit,
    /// `SIGUSR1`.
    User1,
    /// `SIGUSR2`.
    User2,
    /// `SIGSTOP`, which suspends the process.
    Stop,
    /// `SIGCONT`, which resumes it.
    Continue,
}

/// A running binary. Dropping it kills it.
pub struct Running {
    child: Child,
    stdout: Output,
    stderr: Output,
    arguments: Vec<OsString>,
    folder: Option<TempDir>,
}

impl Running {
    /// Sends a signal to the binary.
    #[cfg(unix)]
    pub fn signal(&self, signal: Signal) {
        use rustix::process::{Pid, Signal as Number, kill_process};
        let pid = Pid::from_child(&self.child);
        let number = match signal {
            Signal::Interrupt => Number::INT,
            Signal::Terminate => Number::TERM,
            Signal::HangUp => Number::HUP,
            Signal::Quit => Number::QUIT,
            Signal::User1 => Number::USR1,
            Signal::User2 => Number::USR2,
            Signal::Stop => Number::STOP,
            Signal::Continue => Number::CONT,
        };
        kill_process(pid, number).expect("the binary is still running");
    }

    /// Returns the path of a file in the run's folder.
    ///
    /// # Panics
    /// The run is over.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.as_ref().expect("a run has a folder until it is over").path().join(name)
    }

    /// Returns the standard output so far.
    pub fn printed(&self) -> String {
        self.stdout.so_far()
    }

    /// Returns the standard error so far.
    pub fn complained(&self) -> String {
        self.stderr.so_far()
    }

    /// Returns `true` if the binary has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.try_wait().expect("the binary can be waited for").is_some()
    }

    /// Returns the peak of resident memory so far, in KiB; `None` where the system does not report it.
    fn peak_kib(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse().ok()
    }

    /// Waits until the binary ends.
    ///
    /// # Panics
    /// The binary does not end.
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
        // The binary has ended already, unless a test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A run that is over.
pub struct Finished {
    /// The exit code; `None` if a signal killed it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The peak of resident memory that was observed, in KiB; 0 where the system does not report it (Linux does).
    pub peak_kib: u64,
    arguments: Vec<OsString>,
    folder: TempDir,
}

impl Finished {
    /// Checks the exit code, and shows all output if it is another.
    ///
    /// # Panics
    /// The exit code is another.
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

    /// Returns the path of a file in the run's folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the contents of a file in the run's folder.
    ///
    /// # Panics
    /// There is no such file.
    #[track_caller]
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("`{name}`: {error}\n{}", self.stderr))
    }

    /// Returns the report that [`Run::report`] asked for.
    ///
    /// # Panics
    /// The report was not written, or is not valid.
    #[track_caller]
    pub fn report(&self) -> Report {
        Report::parse(&self.read(REPORT))
    }
}
