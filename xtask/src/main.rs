//! The project's own commands, each a single `cargo xtask NAME` that works on a fresh clone: a command sets up what it
//! needs, or names it in one line.

mod demo;
mod docs;
mod instructions;
mod own_crate;
mod test;

use std::process::ExitCode;

use xtask::languages;
use xtask::step::Failure;

const USAGE: &str = "usage: cargo xtask <command>

commands:
  demo  build, start the sample site, run the sample script for 10 s, write report.json
  test  format check, clippy and every test of the workspace; `test --quick` omits all but unit tests and fast suites;
        `test --faults` also runs the cells of the fault matrix that take seconds, each in a run of its own
  tools install the tools that the tests build plugins in Python, JavaScript and C with, and httpbin, as `test` does
  docs [--picture [BINARY]]
        the book into target/book; --picture draws docs/picture.svg instead, from a run of a release build or of BINARY
  dist  packages for each system into dist/, checked and tried; `dist --help` lists the options
  fuzz  search each parser for inputs on which it panics, with libFuzzer; `fuzz --help` lists the options
  instructions
        count the instructions of each request's fixed costs with callgrind; fails when a count grew by a tenth
  bench measure the cost beside wrk, oha, k6 and curl, into host/benches/RESULTS.md; `bench --help` lists the options";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure(message)) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<(), Failure> {
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["demo"] => demo::run(),
        ["test"] => test::run(),
        ["test", "--quick"] => test::run_quick(),
        ["test", "--faults"] => test::run_faults(),
        ["tools"] => languages::ensure(),
        ["docs", ..] => docs::run(&arguments[1..]),
        ["instructions"] => instructions::run(),
        [command @ ("bench" | "dist" | "fuzz"), ref arguments @ ..] => own_crate::run(command, arguments),
        ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => Err(Failure(format!("no such command: `{}`\n\n{USAGE}", arguments.join(" ")))),
    }
}
