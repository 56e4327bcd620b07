//! The parent's side: this program once more, with nothing of the environment and nothing to read but the bytes. It is
//! killed when its time on the wall is up too, as a child that waits uses no processor.

use std::cell::Cell;
use std::io::{self, IsTerminal, Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::caps;
use super::limits::{CompileCaps, CompileFailure};
use crate::diagnostic::io_reason;

/// The hidden command of this program that compiles.
const COMMAND: &str = "compile-component";
/// Compiling that takes longer than this is shown to whoever waits at a terminal.
const NOTICE_AFTER: Duration = Duration::from_secs(1);
/// A component of that many bytes takes longer on any machine. Elsewhere it is told of by its size: what stands in a log
/// must not depend on how busy the machine was.
const LARGE_COMPONENT: usize = 4 << 20;
/// Most bytes of code: many times what the largest component compiles to.
const MAX_CODE: u64 = 1 << 30;
/// Most bytes that are kept of what the child says; it is a line.
const MAX_STDERR: u64 = 16 << 10;

/// What the child left behind.
struct CompilerOutput {
    status: ExitStatus,
    code: Vec<u8>,
    stderr: String,
}

/// What is said to whoever waits.
struct CompileNotice<'a> {
    /// What the component is called; nothing is said without it.
    name: Option<&'a str>,
    bytes: usize,
    shown: Cell<bool>,
}

impl CompileNotice<'_> {
    fn show_start(&self) {
        if let Some(name) = self.name {
            eprintln!("compiling plugin `{name}` ({:.1} MiB), once …", self.bytes as f64 / f64::from(1 << 20));
            self.shown.set(true);
        }
    }

    fn show_end(&self) {
        if let Some(name) = self.name.filter(|_| self.shown.get()) {
            eprintln!("compiled plugin `{name}`");
        }
    }
}

/// Compiles a component in a child process; the code is serialized. If that takes long it is said under this name, if
/// there is one.
///
/// # Errors
/// It does not compile, or not within its caps.
pub fn compile(name: Option<&str>, bytes: &[u8], most: CompileCaps) -> Result<Vec<u8>, CompileFailure> {
    let failed = |error: io::Error| CompileFailure::from(format!("it could not be compiled: {}", io_reason(&error)));
    let mut child = spawn(most).map_err(failed)?;
    let notice = CompileNotice { name, bytes: bytes.len(), shown: Cell::new(false) };
    let ended = run(&notice, &mut child, bytes, most).map_err(failed);
    // Most often it has ended; otherwise nobody waits for it any more.
    let _ = child.kill();
    let _ = child.wait();
    let code = ended?.map_or_else(|| Err(time_exceeded(most)), |ended| into_code(ended, most))?;
    notice.show_end();
    Ok(code)
}

fn spawn(most: CompileCaps) -> io::Result<Child> {
    let mut command = Command::new(std::env::current_exe()?);
    command.env_clear();
    // The allocator reserves a gigabyte of address space ahead, unless it is told how many KiB; the cap would count it.
    command.env("MIMALLOC_ARENA_RESERVE", "65536");
    // Without it a process does not even start there.
    #[cfg(windows)]
    command.envs(std::env::var_os("SystemRoot").map(|folder| ("SystemRoot", folder)));
    command.arg(COMMAND).arg(most.memory.to_string()).arg(most.time.as_millis().to_string());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// Feeds the child and reads it to its end; `None` if that did not come in time.
fn run(
    notice: &CompileNotice<'_>,
    child: &mut Child,
    bytes: &[u8],
    most: CompileCaps,
) -> io::Result<Option<CompilerOutput>> {
    let gone = || io::Error::from(io::ErrorKind::BrokenPipe);
    let input = child.stdin.take().ok_or_else(gone)?;
    let output = child.stdout.take().ok_or_else(gone)?;
    let errors = child.stderr.take().ok_or_else(gone)?;
    let (done, end) = channel();
    thread::scope(|scope| {
        scope.spawn(move || feed(input, bytes));
        let stderr = scope.spawn(move || read(errors, MAX_STDERR));
        scope.spawn(move || {
            // If nobody waits for it any more, it is not needed either.
            let _ = done.send(read(output, MAX_CODE));
        });
        let wall = most.time * 2 + Duration::from_secs(5);
        let at_terminal = io::stderr().is_terminal();
        if !at_terminal && bytes.len() >= LARGE_COMPONENT {
            notice.show_start();
        }
        let mut code = end.recv_timeout(NOTICE_AFTER);
        if matches!(code, Err(RecvTimeoutError::Timeout)) {
            if at_terminal {
                notice.show_start();
            }
            code = end.recv_timeout(wall);
        }
        let Ok(code) = code else {
            // The threads end with the pipes.
            child.kill()?;
            return Ok(None);
        };
        // A child that has closed its output ends, but for one that produced too much.
        if code.len() as u64 >= MAX_CODE {
            child.kill()?;
        }
        let status = child.wait()?;
        let said = stderr.join().unwrap_or_default();
        Ok(Some(CompilerOutput { status, code, stderr: String::from_utf8_lossy(&said).into_owned() }))
    })
}

/// A child that ends early does not read to the end; how it ended says why.
fn feed(mut input: ChildStdin, bytes: &[u8]) {
    let _ = input.write_all(bytes);
}

/// What could be read; the child's end says whether it was all.
fn read(pipe: impl Read, most: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = pipe.take(most).read_to_end(&mut bytes);
    bytes
}

/// The code, or why there is none.
fn into_code(ended: CompilerOutput, most: CompileCaps) -> Result<Vec<u8>, CompileFailure> {
    if ended.status.success() {
        return Ok(ended.code);
    }
    if caps::out_of_time(ended.status) {
        return Err(time_exceeded(most));
    }
    // How the allocator and the operating system say it, the last where no thread can be started.
    let starved = ["memory allocation of", "Cannot allocate memory", "Resource temporarily unavailable"];
    if starved.iter().any(|words| ended.stderr.contains(words)) {
        return Err(memory_exceeded(most));
    }
    let stderr = ended.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    Err(match caps::crash(ended.status) {
        Some(how) => format!("the compiler crashed on it ({how})").into(),
        // As any panic is reported.
        None if ended.status.code() == Some(101) => format!("the compiler failed on it: {stderr}").into(),
        None => stderr.into(),
    })
}

fn time_exceeded(most: CompileCaps) -> CompileFailure {
    let time = humantime::format_duration(most.time);
    CompileFailure {
        message: format!("compiling it takes more than {time}"),
        help: Some(format!(
            "if you trust it, allow it more: `limits: {{compile_time: {}s}}`",
            most.time.as_secs().max(1) * 4
        )),
    }
}

fn memory_exceeded(most: CompileCaps) -> CompileFailure {
    let [now, more] = [most.memory, most.memory * 2].map(|bytes| format!("{}MiB", bytes >> 20));
    CompileFailure {
        message: format!("compiling it takes more than {now} of memory"),
        help: Some(format!("if you trust it, allow it more: `limits: {{compile_memory: {more}}}`")),
    }
}
