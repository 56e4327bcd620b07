//! `cargo xtask instructions`: counts the instructions of each request's fixed costs, and fails when one of the counts
//! has grown by a tenth. Unlike a time, a number of instructions does not depend on the load of the machine, so it can
//! be a test.
//!
//! The real binary runs a real script under callgrind, which counts only while the functions named here are on the
//! stack, guest code included. Two runs of different length are subtracted, so that set-up does not count. The binary
//! is the development build, which the tests have built already: only growth matters.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use xtask::program::Program;
use xtask::step::{self, Failure};
use xtask::workspace::{ensure_target, root, target_folder, workspace_cargo};

const VALGRIND: Program = Program {
    name: "valgrind",
    package: "valgrind",
    missing: "valgrind is missing: install it (Debian and Ubuntu: `apt-get install valgrind`)",
};

/// The costs, each with the functions whose instructions are counted.
const COUNTED: [(&str, &[&str]); 2] = [
    (
        "start and resume of `http`",
        &[
            "stampede_shooter::plugin::instance::restarting_instance::RestartingInstance::start",
            "stampede_shooter::plugin::instance::restarting_instance::RestartingInstance::resume",
        ],
    ),
    ("a recorded sample", &["stampede_shooter::metrics::recorder::Recorder::record"]),
];

/// The number of counts that must all show growth: one long wait on a busy machine makes a histogram grow, and that
/// takes as many instructions as a hundred samples.
const ATTEMPTS: u32 = 3;

/// The requests of the two runs.
const REQUESTS: [u64; 2] = [500, 1500];

/// The expected counts, rewritten if the environment variable `BLESS` is 1.
const FILE: &str = "host/benches/instructions.txt";

const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok";

/// Builds the binary if needed, counts and compares.
pub(crate) fn run() -> Result<(), Failure> {
    ensure_target()?;
    let valgrind = VALGRIND.ensure()?;
    // The command of the tests, so that after them nothing is left to build.
    step::run(
        "build",
        &mut workspace_cargo(&["test", "--workspace", "--exclude", "stampede-guests", "--no-run", "--quiet"]),
    )?;
    step::step("instructions", || {
        let mut counts = count(&valgrind)?;
        let file = root().join(FILE);
        if std::env::var("BLESS").is_ok_and(|bless| bless == "1") {
            return fs::write(&file, to_text(&counts)).map_err(|error| failed(&error));
        }
        let expected = fs::read_to_string(&file).map_err(|error| failed(&error))?;
        for _ in 1..ATTEMPTS {
            if compare(&counts, &expected).is_ok() {
                break;
            }
            let again = count(&valgrind)?;
            counts = counts.into_iter().zip(again).map(|(one, other)| one.min(other)).collect();
        }
        for ((name, _), count) in COUNTED.iter().zip(&counts) {
            println!("{name}: {count} instructions");
        }
        compare(&counts, &expected)
    })
}

/// Returns the instructions per request, in the order of [`COUNTED`].
fn count(valgrind: &Path) -> Result<Vec<u64>, Failure> {
    let address = serve().map_err(|error| failed(&error))?;
    let folder = target_folder().join("instructions");
    fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
    let script = folder.join("get.yml");
    fs::write(&script, format!("- name: Get\n  url: http://{address}/\n")).map_err(|error| failed(&error))?;
    let binary = target_folder().join("debug/stampede-shooter");
    let callgrind = Callgrind { valgrind: valgrind.to_owned(), binary, folder, script };
    COUNTED
        .iter()
        .map(|(_, functions)| {
            // The first run under callgrind also fills the compile cache.
            let [short, long] = [callgrind.total(functions, REQUESTS[0])?, callgrind.total(functions, REQUESTS[1])?];
            Ok(long.saturating_sub(short) / (REQUESTS[1] - REQUESTS[0]))
        })
        .collect()
}

/// Runs of the binary under callgrind.
struct Callgrind {
    valgrind: PathBuf,
    binary: PathBuf,
    folder: PathBuf,
    script: PathBuf,
}

impl Callgrind {
    /// Returns the number of instructions within `functions` in a run of `requests` requests.
    fn total(&self, functions: &[&str], requests: u64) -> Result<u64, Failure> {
        let mut command = Command::new(&self.valgrind);
        command.arg("--tool=callgrind").arg("--callgrind-out-file=/dev/null");
        command.args(functions.iter().map(|function| format!("--toggle-collect={function}")));
        command.arg(&self.binary).arg("--script").arg(&self.script);
        command.args(["--users", "1", "--workers", "1", "--iterations", &requests.to_string()]);
        command.env("STAMPEDE_CACHE_DIR", cache(&self.folder)?);
        let output = command.output().map_err(|error| failed(&error))?;
        let stderr = String::from_utf8_lossy(&output.stderr);
        let collected = stderr.lines().find_map(|line| line.split_once("Collected : "));
        let count = collected.and_then(|(_, count)| count.trim().parse().ok()).filter(|_| output.status.success());
        match count {
            Some(0) => {
                Err(Failure(format!("no instruction was counted in {functions:?}: were they renamed or inlined?")))
            }
            Some(count) => Ok(count),
            None => Err(Failure(format!("the run under callgrind failed: {}", stderr.trim_end()))),
        }
    }
}

/// Returns a compile cache for these runs alone, since callgrind offers other processor features, for which the plugins
/// are compiled again. The load runner requires the folder to be private.
fn cache(folder: &Path) -> Result<PathBuf, Failure> {
    let cache = folder.join("cache");
    if !cache.exists() {
        fs::create_dir(&cache).map_err(|error| failed(&error))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(&cache, fs::Permissions::from_mode(0o700)).map_err(|error| failed(&error))?;
        }
    }
    Ok(cache)
}

/// Starts a target that gives every request the same answer until this process ends.
fn serve() -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        listener.incoming().flatten().for_each(|connection| drop(thread::spawn(|| answer(connection))))
    });
    Ok(address)
}

fn answer(mut connection: TcpStream) {
    let (mut request, mut buffer) = (Vec::new(), [0; 1024]);
    while let Ok(count @ 1..) = connection.read(&mut buffer) {
        request.extend_from_slice(&buffer[..count]);
        if request.ends_with(b"\r\n\r\n") {
            request.clear();
            if connection.write_all(REPLY).is_err() {
                return;
            }
        }
    }
}

fn to_text(counts: &[u64]) -> String {
    COUNTED.iter().zip(counts).map(|((name, _), count)| format!("{count} {name}\n")).collect()
}

/// Compares the counts with the expected ones; a count that is not among those has grown.
fn compare(counts: &[u64], expected: &str) -> Result<(), Failure> {
    let mut grown = Vec::new();
    for (index, ((name, _), count)) in COUNTED.iter().zip(counts).enumerate() {
        let number = expected.lines().nth(index).and_then(|line| line.split(' ').next());
        let expected: u64 = number.and_then(|number| number.parse().ok()).unwrap_or(0);
        if count * 10 > expected * 11 {
            grown.push(format!("{name} takes {count} instructions, which is more than 10 % over {expected}"));
        }
    }
    if grown.is_empty() {
        return Ok(());
    }
    Err(Failure(format!(
        "{}\nif the change is intended, rewrite the counts: `BLESS=1 cargo xtask instructions`",
        grown.join("\n")
    )))
}

fn failed(error: &std::io::Error) -> Failure {
    Failure(format!("step `instructions` failed: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenth_more_is_too_much() {
        let expected = to_text(&[1000, 100]);
        assert!(compare(&[1100, 50], &expected).is_ok());
        let Failure(message) = compare(&[1101, 100], &expected).unwrap_err();
        assert!(message.starts_with("start and resume of `http` takes 1101 instructions"), "{message}");
        assert!(message.contains("BLESS=1"));
        assert!(compare(&[1, 1], "").is_err(), "a count without an expected one has grown");
    }
}
