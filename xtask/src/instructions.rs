//! `cargo xtask instructions`: counts the instructions of what every request pays for, and fails when one of the counts
//! has grown by a tenth. Instructions do not depend on how busy the machine is, so unlike a time they can be a test.
//!
//! The real binary runs a real script under callgrind, which counts only while the functions named here are on the
//! stack, guest code included. Two runs of different length are subtracted, so that set-up does not count. It is the
//! development build, which the tests have built already: what matters is the growth.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use crate::program::Program;
use crate::step::{self, Failure};
use crate::workspace::{cargo, ensure_target, root, target_folder};

const VALGRIND: Program = Program {
    name: "valgrind",
    package: "valgrind",
    missing: "valgrind is missing: install it (Debian and Ubuntu: `apt-get install valgrind`)",
};

/// What is counted, and the functions it is counted in.
const COUNTED: [(&str, &[&str]); 2] = [
    (
        "start and resume of `http`",
        &["stampede_shooter::plugin::replica::Replica::start", "stampede_shooter::plugin::replica::Replica::resume"],
    ),
    ("a recorded sample", &["stampede_shooter::metrics::recorder::Recorder::record"]),
];

/// How often growth is counted before it is believed: one long wait of a busy machine makes a histogram grow, and that
/// takes as many instructions as a hundred samples.
const ATTEMPTS: u32 = 3;

/// Requests of the two runs.
const REQUESTS: [u64; 2] = [500, 1500];

/// The counts that are held to be right; written anew if the environment variable `BLESS` is 1.
const FILE: &str = "host/benches/instructions.txt";

const REPLY: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nok";

/// Builds what is missing, counts and compares.
pub fn run() -> Result<(), Failure> {
    ensure_target()?;
    let valgrind = VALGRIND.ensure()?;
    // As the tests build it, so that after them there is nothing to do.
    step::run("build", &mut cargo(&["test", "--workspace", "--no-run", "--quiet"]))?;
    step::step("instructions", || {
        let mut counts = count(&valgrind)?;
        let file = root().join(FILE);
        if std::env::var("BLESS").is_ok_and(|bless| bless == "1") {
            return fs::write(&file, written(&counts)).map_err(|error| failed(&error));
        }
        let known = fs::read_to_string(&file).map_err(|error| failed(&error))?;
        for _ in 1..ATTEMPTS {
            if compare(&counts, &known).is_ok() {
                break;
            }
            let again = count(&valgrind)?;
            counts = counts.into_iter().zip(again).map(|(one, other)| one.min(other)).collect();
        }
        for ((name, _), count) in COUNTED.iter().zip(&counts) {
            println!("{name}: {count} instructions");
        }
        compare(&counts, &known)
    })
}

/// Instructions per request, in the order of [`COUNTED`].
fn count(valgrind: &Path) -> Result<Vec<u64>, Failure> {
    let address = serve().map_err(|error| failed(&error))?;
    let folder = target_folder().join("instructions");
    fs::create_dir_all(&folder).map_err(|error| failed(&error))?;
    let script = folder.join("get.yml");
    fs::write(&script, format!("- name: Get\n  url: http://{address}/\n")).map_err(|error| failed(&error))?;
    let lab =
        Lab { valgrind: valgrind.to_owned(), binary: target_folder().join("debug/stampede-shooter"), folder, script };
    COUNTED
        .iter()
        .map(|(_, functions)| {
            // The first run under callgrind also fills the compile cache.
            let [short, long] = [lab.total(functions, REQUESTS[0])?, lab.total(functions, REQUESTS[1])?];
            Ok(long.saturating_sub(short) / (REQUESTS[1] - REQUESTS[0]))
        })
        .collect()
}

struct Lab {
    valgrind: PathBuf,
    binary: PathBuf,
    folder: PathBuf,
    script: PathBuf,
}

impl Lab {
    /// Instructions within the functions in a run of that many requests.
    fn total(&self, functions: &[&str], requests: u64) -> Result<u64, Failure> {
        let mut command = Command::new(&self.valgrind);
        command.arg("--tool=callgrind").arg("--callgrind-out-file=/dev/null");
        command.args(functions.iter().map(|function| format!("--toggle-collect={function}")));
        command.arg(&self.binary).arg("--script").arg(&self.script);
        command.args(["--users", "1", "--workers", "1", "--iterations", &requests.to_string()]);
        command.env("STAMPEDE_CACHE_DIR", cache(&self.folder)?);
        let output = command.output().map_err(|error| failed(&error))?;
        let said = String::from_utf8_lossy(&output.stderr);
        let collected = said.lines().find_map(|line| line.split_once("Collected : "));
        let count = collected.and_then(|(_, count)| count.trim().parse().ok()).filter(|_| output.status.success());
        match count {
            Some(0) => {
                Err(Failure(format!("no instruction was counted in {functions:?}: were they renamed or inlined?")))
            }
            Some(count) => Ok(count),
            None => Err(Failure(format!("the run under callgrind failed: {}", said.trim_end()))),
        }
    }
}

/// A compile cache of its own: callgrind offers other processor features, for which the plugins are compiled anew. The
/// load runner wants it private.
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

/// A target that answers every request alike, for as long as this process lives.
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

fn written(counts: &[u64]) -> String {
    COUNTED.iter().zip(counts).map(|((name, _), count)| format!("{count} {name}\n")).collect()
}

/// Holds the counts against the known ones, and prints both.
fn compare(counts: &[u64], known: &str) -> Result<(), Failure> {
    let mut grown = Vec::new();
    for (index, ((name, _), count)) in COUNTED.iter().zip(counts).enumerate() {
        let number = known.lines().nth(index).and_then(|line| line.split(' ').next());
        let known: u64 = number.and_then(|number| number.parse().ok()).unwrap_or(0);
        if count * 10 > known * 11 {
            grown.push(format!("{name} takes {count} instructions, which is more than 10 % over {known}"));
        }
    }
    if grown.is_empty() {
        return Ok(());
    }
    Err(Failure(format!(
        "{}\nif that is meant, write the counts anew: `BLESS=1 cargo xtask instructions`",
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
        let known = written(&[1000, 100]);
        assert!(compare(&[1100, 50], &known).is_ok());
        let Err(Failure(why)) = compare(&[1101, 100], &known) else { panic!("it passed") };
        assert!(why.starts_with("start and resume of `http` takes 1101 instructions"), "{why}");
        assert!(why.contains("BLESS=1"));
        assert!(compare(&[1, 1], "").is_err(), "a count that is not known is no count");
    }
}
