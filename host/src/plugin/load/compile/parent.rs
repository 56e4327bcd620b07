//! The parent's side: starts this program again as the child, almost without environment variables and with the bytes
//! as its only input. The child also has a limit on wall-clock time, because a child that waits uses no processor time.

use std::cell::Cell;
use std::io::{self, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use super::caps;
use super::limits::{CompileCaps, CompileFailure, LARGE_COMPONENT};
use crate::diagnostic::io_reason;
use crate::plugin::instance::engine::BACKTRACE_VARIABLE;
use crate::plugin::load::cache::CacheEntry;
use crate::stderr;

/// The hidden command of this program that compiles.
const COMMAND: &str = "compile-component";
/// Time after which a notice is printed at a terminal.
const NOTICE_AFTER: Duration = Duration::from_secs(1);
/// Maximum size of the code in bytes: many times that of the largest component.
const MAX_CODE: u64 = 1 << 30;
/// Maximum number of bytes of the child's standard error that are kept; a message is one line.
const MAX_STDERR: u64 = 16 << 10;

/// Output of the child.
struct CompilerOutput {
    status: ExitStatus,
    code: Vec<u8>,
    stderr: String,
}

/// The notice that compiling takes long.
struct CompileNotice<'a> {
    /// Name of the plugin; without it no notice is printed.
    name: Option<&'a str>,
    bytes: usize,
    shown: Cell<bool>,
}

impl CompileNotice<'_> {
    fn show_start(&self) {
        if let Some(name) = self.name {
            stderr::print_line(format_args!(
                "compiling plugin `{name}` ({:.1} MiB), once …",
                self.bytes as f64 / f64::from(1 << 20)
            ));
            self.shown.set(true);
        }
    }

    fn show_end(&self) {
        if let Some(name) = self.name.filter(|_| self.shown.get()) {
            stderr::print_line(format_args!("compiled plugin `{name}`"));
        }
    }
}

/// Compiles a component in a child process. Returns the serialized code. Functions that are in an entry of the cache
/// are taken from it, and the others are added. If compiling takes long, a notice with `name` is printed, if there is a
/// name.
///
/// # Errors
/// It does not compile, or not within its caps.
pub(super) fn compile(
    name: Option<&str>,
    bytes: &[u8],
    caps: CompileCaps,
    functions: Option<&CacheEntry>,
) -> Result<Vec<u8>, CompileFailure> {
    let failed = |error: io::Error| CompileFailure::from(format!("it could not be compiled: {}", io_reason(&error)));
    let mut child = spawn(caps, functions).map_err(failed)?;
    let notice = CompileNotice { name, bytes: bytes.len(), shown: Cell::new(false) };
    let ended = run(&notice, &mut child, bytes, caps).map_err(failed);
    // Usually it has ended already; otherwise it is not needed any more.
    let _ = child.kill();
    let _ = child.wait();
    let code = ended?.map_or_else(|| Err(time_exceeded(caps)), |output| into_code(output, caps))?;
    notice.show_end();
    Ok(code)
}

/// Returns the path of this program. Without `/proc`, as in an empty container, the system cannot tell it; then it is
/// the path by which the program was called.
fn own_program() -> io::Result<PathBuf> {
    std::env::current_exe().or_else(|error| {
        let called = std::env::args_os().next().map(PathBuf::from);
        called.filter(|path| path.is_absolute()).ok_or(error)
    })
}

fn spawn(caps: CompileCaps, functions: Option<&CacheEntry>) -> io::Result<Child> {
    let mut command = Command::new(own_program()?);
    command.env_clear();
    // By default the allocator reserves a gigabyte of address space, which would count towards the cap. In KiB.
    command.env("MIMALLOC_ARENA_RESERVE", "65536");
    // It decides whether the code keeps its source lines.
    command.envs(std::env::var_os(BACKTRACE_VARIABLE).map(|value| (BACKTRACE_VARIABLE, value)));
    // Windows cannot start a process without it.
    #[cfg(windows)]
    command.envs(std::env::var_os("SystemRoot").map(|folder| ("SystemRoot", folder)));
    command.arg(COMMAND).arg(caps.memory.to_string()).arg(caps.time.as_millis().to_string());
    command.args(functions.map(CacheEntry::path));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
}

/// Writes to the child and reads its output to the end. `None` if it did not end in time.
fn run(
    notice: &CompileNotice<'_>,
    child: &mut Child,
    bytes: &[u8],
    caps: CompileCaps,
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
            // Fails only if the receiver has timed out and is gone.
            let _ = done.send(read(output, MAX_CODE));
        });
        let wall = caps.time * 2 + Duration::from_secs(5);
        let at_terminal = io::stderr().is_terminal();
        // Such a component takes longer on any machine, and a log must not depend on how busy the machine was.
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
        // A child whose output was read to the end exits on its own; one that wrote too much does not.
        if code.len() as u64 >= MAX_CODE {
            child.kill()?;
        }
        let status = child.wait()?;
        let stderr = stderr.join().unwrap_or_default();
        Ok(Some(CompilerOutput { status, code, stderr: String::from_utf8_lossy(&stderr).into_owned() }))
    })
}

/// Writes the bytes to the child. An error is ignored: a child that ends early does not read all, and its status tells
/// why.
fn feed(mut input: ChildStdin, bytes: &[u8]) {
    let _ = input.write_all(bytes);
}

/// Reads at most `max_bytes`. An error is ignored: the child's status tells whether all was read.
fn read(pipe: impl Read, max_bytes: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let _ = pipe.take(max_bytes).read_to_end(&mut bytes);
    bytes
}

/// Returns the code, or the reason why there is none.
fn into_code(output: CompilerOutput, caps: CompileCaps) -> Result<Vec<u8>, CompileFailure> {
    if output.status.success() {
        return Ok(output.code);
    }
    if caps::out_of_time(output.status) {
        return Err(time_exceeded(caps));
    }
    // Messages of the allocator and the operating system; the last one when no thread can be started.
    let starved = ["memory allocation of", "Cannot allocate memory", "Resource temporarily unavailable"];
    if starved.iter().any(|words| output.stderr.contains(words)) {
        return Err(memory_exceeded(caps));
    }
    let stderr = output.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    Err(match caps::crash(output.status) {
        Some(how) => format!("the compiler crashed on it ({how})").into(),
        // The exit code of a panic.
        None if output.status.code() == Some(101) => format!("the compiler failed on it: {stderr}").into(),
        None => stderr.into(),
    })
}

fn time_exceeded(caps: CompileCaps) -> CompileFailure {
    let time = humantime::format_duration(caps.time);
    CompileFailure {
        message: format!("compiling it takes more than {time}"),
        help: Some(format!(
            "if you trust it, allow it more: `limits: {{compile_time: {}s}}`",
            caps.time.as_secs().max(1) * 4
        )),
    }
}

fn memory_exceeded(caps: CompileCaps) -> CompileFailure {
    let [now, more] = [caps.memory, caps.memory * 2].map(|bytes| format!("{}MiB", bytes >> 20));
    CompileFailure {
        message: format!("compiling it takes more than {now} of memory"),
        help: Some(format!("if you trust it, allow it more: `limits: {{compile_memory: {more}}}`")),
    }
}
