//! `cargo xtask fuzz`: searches with libFuzzer for inputs on which a parser panics, hangs or takes too much memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use stampede_fuzz::{seeds, target, targets};
use xtask::step::{self, Failure};
use xtask::workspace::{target_folder, workspace_cargo};

/// The flags with which the compiler counts the code that an input reaches, as cargo-fuzz passes them.
const COVERAGE: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
                        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
                        -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares \
                        -Ccodegen-units=1 -Cdebug-assertions";

/// Searches for inputs on which a parser panics, hangs for 10 s, or takes more than 2 GiB.
///
/// Inputs that fail are kept in target/fuzz/found/TARGET, and are tried again with `--input`; those that reach other
/// code stay in target/fuzz/corpus/TARGET for the next search.
#[derive(Parser)]
#[command(name = "cargo xtask fuzz")]
struct Arguments {
    /// The targets to search, one after the other; all if none is named.
    targets: Vec<String>,
    /// The time for each target.
    #[arg(long, default_value_t = 60, value_name = "N")]
    seconds: u64,
    /// Prints the names of the targets.
    #[arg(long)]
    list: bool,
    /// Runs one target with the bytes of a file, without a search.
    #[arg(long, value_name = "FILE", conflicts_with = "list")]
    input: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(message)) => {
            eprintln!("fuzz: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.list {
        targets().for_each(|target| println!("{}", target.name));
        return Ok(());
    }
    for name in &arguments.targets {
        target(name).ok_or_else(|| Failure(format!("there is no target `{name}`: `--list` shows them")))?;
    }
    match (&arguments.input, &arguments.targets[..]) {
        (Some(input), [name]) => replay(name, input),
        (Some(_), _) => Err(Failure("`--input` needs the name of one target".into())),
        (None, []) => search(targets().map(|target| target.name), arguments.seconds),
        (None, names) => search(names.iter().map(String::as_str), arguments.seconds),
    }
}

/// Runs a target with the bytes of a file.
fn replay(name: &str, input: &Path) -> Result<(), Failure> {
    let bytes = fs::read(input).map_err(|error| failed(input, &error))?;
    target(name).into_iter().for_each(|target| (target.run)(&bytes));
    println!("`{name}` takes the {} bytes of `{}`", bytes.len(), input.display());
    Ok(())
}

/// Searches each target, and fails if something was found in any.
fn search<'a>(names: impl Iterator<Item = &'a str>, seconds: u64) -> Result<(), Failure> {
    let folder = target_folder().join("fuzz");
    let binary = build(&folder)?;
    let mut faulty = Vec::new();
    for name in names {
        let (corpus, found) = (folder.join("corpus").join(name), folder.join("found").join(name));
        for folder in [&corpus, &found] {
            fs::create_dir_all(folder).map_err(|error| failed(folder, &error))?;
        }
        for (number, seed) in seeds(name).iter().enumerate() {
            let file = corpus.join(format!("seed-{number}"));
            fs::write(&file, seed).map_err(|error| failed(&file, &error))?;
        }
        let mut fuzzer = Command::new(&binary);
        fuzzer.env("STAMPEDE_FUZZ_TARGET", name).arg(&corpus);
        fuzzer.args([format!("-max_total_time={seconds}"), format!("-artifact_prefix={}/", found.display())]);
        fuzzer.args(["-timeout=10", "-rss_limit_mb=2048", "-max_len=65536", "-print_final_stats=1"]);
        if step::run(&format!("fuzz {name}"), &mut fuzzer).is_err() {
            faulty.push(name);
        }
    }
    if faulty.is_empty() { Ok(()) } else { Err(Failure(format!("something was found in {}", faulty.join(", ")))) }
}

/// Builds the targets with libFuzzer, in a folder of its own, since every crate is compiled with other flags.
fn build(folder: &Path) -> Result<PathBuf, Failure> {
    // With a target named, the flags are not those of build scripts and macros.
    let host = step::output("rustc --print host-tuple", Command::new("rustc").args(["--print", "host-tuple"]))?;
    let host = String::from_utf8_lossy(&host).trim_end().to_owned();
    let mut cargo = workspace_cargo(&["build", "--package", "stampede-fuzz", "--bin", "libfuzzer"]);
    cargo.args(["--features", "libfuzzer-sys", "--target", &host]).arg("--target-dir").arg(folder);
    step::run("build", cargo.env("RUSTFLAGS", COVERAGE))?;
    Ok(folder.join(host).join("debug/libfuzzer"))
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure(format!("`{}`: {error}", path.display()))
}
