//! What every section works with: the load runner, the tools, a folder, and how much time there is.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::process::{self, Run, on_cores};
use super::report::number;
use super::tools::{self, Tool};
use crate::step::Failure;
use crate::workspace::target_folder;

/// The core of a client that has one to itself.
pub const CLIENT: &str = "0";

/// The core of the target then.
pub const SERVER: &str = "1";

/// Where and with what is measured.
pub struct Lab {
    binary: PathBuf,
    folder: PathBuf,
    tools: Vec<(Tool, Result<PathBuf, Failure>)>,
    quick: bool,
}

impl Lab {
    /// Makes the folder and gets the tools. A tool that cannot be had is missing, and no more.
    pub fn new(binary: PathBuf, wanted: &[Tool], quick: bool) -> Result<Self, Failure> {
        let folder = target_folder().join("bench");
        let made = fs::create_dir_all(&folder).and_then(|()| tools::write_scripts(&folder));
        made.map_err(|error| Failure(format!("cannot write into `{}`: {error}", folder.display())))?;
        // A copy: a section may build another binary in its place.
        let copy = folder.join(format!("stampede-shooter{EXE_SUFFIX}"));
        fs::copy(&binary, &copy).map_err(|error| Failure(format!("cannot copy `{}`: {error}", binary.display())))?;
        let binary = copy;
        let tools = wanted.iter().map(|tool| (*tool, tool.obtain(&folder))).collect();
        Ok(Self { binary, folder, tools, quick })
    }

    /// Where all files are that the benchmarks make.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The load runner.
    pub fn binary(&self) -> &Path {
        &self.binary
    }

    /// How often each client is run.
    pub const fn rounds(&self) -> usize {
        if self.quick { 2 } else { 5 }
    }

    /// How long each run is.
    pub const fn seconds(&self) -> u64 {
        if self.quick { 2 } else { 5 }
    }

    /// One of two figures, for the quick run and for the full one.
    pub fn either<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Where a tool is, or why there is none.
    pub fn path(&self, tool: Tool) -> Result<&Path, Failure> {
        match self.tools.iter().find(|(known, _)| *known == tool) {
            Some((_, Ok(path))) => Ok(path),
            Some((_, Err(Failure(why)))) => Err(Failure(why.clone())),
            None => Err(Failure(format!("`{}` is not among what the section needs", tool.name()))),
        }
    }

    /// The versions of the tools, and which are missing.
    pub fn versions(&self) -> Vec<String> {
        let line = |(tool, path): &(Tool, Result<PathBuf, Failure>)| match path {
            Ok(path) => tool.version(path),
            Err(Failure(why)) => format!("missing, its rows are left out: `{}` ({})", tool.name(), why.trim_end()),
        };
        self.tools.iter().map(line).collect()
    }

    /// Writes a file into the folder; its path.
    pub fn write(&self, name: &str, contents: &[u8]) -> Result<PathBuf, Failure> {
        let path = self.folder.join(name);
        let written = fs::write(&path, contents);
        written.map_err(|error| Failure(format!("cannot write `{}`: {error}", path.display())))?;
        Ok(path)
    }

    /// The load runner with a script on some cores, or on all. Its plugins are compiled once for all runs.
    pub fn ours(&self, script: &Path, cores: Option<&str>) -> Command {
        self.command(&self.binary, script, cores)
    }

    /// The same of another build.
    pub fn command(&self, binary: &Path, script: &Path, cores: Option<&str>) -> Command {
        let mut command = on_cores(binary, cores);
        command.arg("--insecure-tls").arg("--script").arg(script);
        command.env("STAMPEDE_CACHE_DIR", self.folder.join("cache"));
        command
    }

    /// Writes a script with a GET of each URL, and walks it once: that compiles the plugins, and shows that what is
    /// measured afterwards succeeds.
    pub fn script(&self, urls: &[String], http_version: &str) -> Result<PathBuf, Failure> {
        self.named_script("script.yml", urls, http_version)
    }

    /// The same for a section that needs several.
    pub fn named_script(&self, name: &str, urls: &[String], http_version: &str) -> Result<PathBuf, Failure> {
        // Rows of a report need different names.
        let step = |(at, url)| format!("- name: Get{at}\n  url: {url}\n  http_version: \"{http_version}\"\n");
        let script = self.write(name, urls.iter().enumerate().map(step).collect::<String>().as_bytes())?;
        let (_, report) = self.report(self.ours(&script, None).args(["--iterations", "1"]))?;
        match number(&report, &["totals", "requests", "err"]) {
            Some(0.0) => Ok(script),
            _ => Err(Failure(format!("the load runner gets no reply from `{}`", urls.join("`, `")))),
        }
    }

    /// Runs a client.
    pub fn run(&self, command: &mut Command) -> Result<Run, Failure> {
        process::run(command, &self.folder.join("client.log"))
    }

    /// Runs the load runner; what it took, and its report as JSON.
    pub fn report(&self, command: &mut Command) -> Result<(Run, String), Failure> {
        let path = self.folder.join("report.json");
        let run = self.run(command.arg("--out").arg(&path))?;
        let report = fs::read_to_string(&path);
        Ok((run, report.map_err(|error| Failure(format!("cannot read `{}`: {error}", path.display())))?))
    }
}
