//! Readers of what is sent to OpenTelemetry, with its library for Python: one that decodes messages, and a server of
//! gRPC.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::{self, JoinHandle};

use serde_json::Value;

/// Returns the call of the reader. `tools` is the folder into which `cargo xtask tools` installs.
fn reader(tools: &Path) -> Command {
    let python = tools.join("otlp/bin/python");
    assert!(python.is_file(), "opentelemetry-proto is missing: `cargo xtask tools` installs it");
    let mut command = Command::new(python);
    let script = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("harness/otlp.py");
    command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// Returns messages of a signal, `metrics` or `traces`, as a foreign library reads them: those of metrics in the JSON
/// of protobuf, those of traces as their source and `spans`.
///
/// # Panics
/// The library is not installed, or cannot read a message.
pub fn decode_otlp(tools: &Path, signal: &str, messages: &[Vec<u8>]) -> Vec<Value> {
    let mut child = reader(tools).args(["decode", signal]).spawn().expect("python starts");
    let mut input = child.stdin.take().expect("a pipe was asked for");
    let lines = thread::spawn(move || {
        let output = child.wait_with_output().expect("python ends");
        assert!(output.status.success(), "a message cannot be read");
        String::from_utf8(output.stdout).expect("JSON is UTF-8")
    });
    for message in messages {
        let length = u32::try_from(message.len()).expect("a message is short");
        input.write_all(&length.to_be_bytes()).and_then(|()| input.write_all(message)).expect("python reads");
    }
    drop(input);
    let lines = lines.join().expect("it does not panic");
    lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// A collector that takes metrics and traces over gRPC, by the library of gRPC for Python.
pub struct OtlpCollector {
    child: Child,
    input: ChildStdin,
    lines: JoinHandle<Vec<Value>>,
    base_url: String,
}

impl OtlpCollector {
    /// Starts a collector on a free port. It answers the first `refusals` calls of each signal with UNAVAILABLE.
    ///
    /// # Panics
    /// The library is not installed.
    pub fn start(tools: &Path, refusals: u32) -> Self {
        let mut child = reader(tools).args(["serve", &refusals.to_string()]).spawn().expect("python starts");
        let input = child.stdin.take().expect("a pipe was asked for");
        let mut lines = BufReader::new(child.stdout.take().expect("a pipe was asked for")).lines();
        let mut next = move || -> Option<Value> {
            let line = lines.next()?.expect("lines are UTF-8");
            Some(serde_json::from_str(&line).expect("a line of JSON"))
        };
        let port = next().expect("a line with the port")["port"].as_u64().expect("a number");
        let lines = thread::spawn(move || std::iter::from_fn(next).collect());
        Self { child, input, lines, base_url: format!("http://127.0.0.1:{port}") }
    }

    /// Returns `http://host:port`.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Stops the collector and returns its calls in order: `signal`, `refused`, `metadata`, `message` as
    /// [`decode_otlp`] returns it, and the `seconds` that the call may take.
    ///
    /// # Panics
    /// The collector has failed.
    pub fn finish(mut self) -> Vec<Value> {
        drop(self.input);
        let calls = self.lines.join().expect("it does not panic");
        assert!(self.child.wait().expect("it ends").success(), "the collector has failed");
        calls
    }
}
