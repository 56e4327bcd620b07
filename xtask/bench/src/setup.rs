//! The setup that all sections share: the load runner, the tools, a folder, and the length of a measurement.

use std::env::consts::EXE_SUFFIX;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;
use xtask::workspace::target_folder;

use crate::process::{self, Run, on_cores};
use crate::tools::{self, Tool};

/// The core of a client that has a core to itself.
pub(crate) const CLIENT: &str = "0";

/// The core of that client's target.
pub(crate) const SERVER: &str = "1";

/// The programs and the folder of a measurement.
pub(crate) struct Setup {
    binary: PathBuf,
    folder: PathBuf,
    /// The path of each tool, or the reason why it is missing.
    tools: Vec<(Tool, Result<PathBuf>)>,
    quick: bool,
}

impl Setup {
    /// Creates the folder and installs the tools. A tool that cannot be installed is noted as missing.
    pub(crate) fn new(binary: &Path, wanted: &[Tool], quick: bool) -> Result<Self> {
        let folder = target_folder().join("bench");
        fs::create_dir_all(&folder)
            .and_then(|()| tools::write_scripts(&folder))
            .with_context(|| format!("cannot write into `{}`", folder.display()))?;
        // A copy, since a section may build another binary in its place.
        let copy = folder.join(format!("stampede-shooter{EXE_SUFFIX}"));
        fs::copy(binary, &copy).with_context(|| format!("cannot copy `{}`", binary.display()))?;
        let tools = wanted.iter().map(|tool| (*tool, tool.obtain(&folder))).collect();
        Ok(Self { binary: copy, folder, tools, quick })
    }

    /// Returns the folder of all files that the benchmarks write.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the path of the load runner.
    pub(crate) fn binary(&self) -> &Path {
        &self.binary
    }

    /// Returns the number of runs of each client.
    pub(crate) fn rounds(&self) -> usize {
        self.either(2, 5)
    }

    /// Returns the length of each run in seconds.
    pub(crate) fn seconds(&self) -> u64 {
        self.either(2, 5)
    }

    /// Returns one of two values: for the quick run, or for the full one.
    pub(crate) fn either<T>(&self, quick: T, full: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Returns the path of a tool.
    ///
    /// # Errors
    /// The tool is missing, or is not among the needs of a section.
    pub(crate) fn path(&self, tool: Tool) -> Result<&Path> {
        match self.tools.iter().find(|(known, _)| *known == tool) {
            Some((_, Ok(path))) => Ok(path),
            Some((_, Err(reason))) => Err(anyhow!("{reason:#}")),
            None => Err(anyhow!("`{}` is not among the needs of the section", tool.name())),
        }
    }

    /// Returns a line for each tool: its version, or that it is missing.
    pub(crate) fn versions(&self) -> Vec<String> {
        let line = |(tool, path): &(Tool, Result<PathBuf>)| match path {
            Ok(path) => tool.version(path),
            Err(reason) => format!("missing, its rows are left out: `{}` ({reason:#})", tool.name()),
        };
        self.tools.iter().map(line).collect()
    }

    /// Writes a file into the folder, and returns its path.
    pub(crate) fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> Result<PathBuf> {
        let path = self.folder.join(name);
        fs::write(&path, contents).with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(path)
    }

    /// Returns a call of the load runner with a script, on some cores or on all.
    pub(crate) fn load_runner(&self, script: &Path, cores: Option<&str>) -> Command {
        self.build(&self.binary, script, cores)
    }

    /// Returns such a call of another build of the load runner. All calls share a cache, so that plugins are compiled
    /// once.
    pub(crate) fn build(&self, binary: &Path, script: &Path, cores: Option<&str>) -> Command {
        let mut command = on_cores(binary, cores);
        command.arg("--insecure-tls").arg("--script").arg(script);
        command.env("STAMPEDE_CACHE_DIR", self.folder.join("cache"));
        command
    }

    /// Writes a script with a GET of each URL, and runs it once: that compiles the plugins, and ensures that the
    /// requests measured afterwards succeed.
    pub(crate) fn script(&self, urls: &[String], http_version: &str) -> Result<PathBuf> {
        self.named_script("script.yml", urls, http_version)
    }

    /// Writes and runs such a script under a name, for a section that needs several.
    pub(crate) fn named_script(&self, name: &str, urls: &[String], http_version: &str) -> Result<PathBuf> {
        // Rows of a report need different names.
        let step = |(at, url)| format!("- name: Get{at}\n  url: {url}\n  http_version: \"{http_version}\"\n");
        let script = self.write(name, urls.iter().enumerate().map(step).collect::<String>())?;
        let (_, report) = self.report(self.load_runner(&script, None).args(["--iterations", "1"]))?;
        let failed = number(&report, "/totals/requests/err");
        ensure!(failed == Some(0.0), "the load runner gets no reply from `{}`", urls.join("`, `"));
        Ok(script)
    }

    /// Runs a client.
    pub(crate) fn run(&self, command: &mut Command) -> Result<Run> {
        process::run(command, &self.folder.join("client.log"))
    }

    /// Runs the load runner, and returns its cost and its report.
    pub(crate) fn report(&self, command: &mut Command) -> Result<(Run, Value)> {
        let path = self.folder.join("report.json");
        let run = self.run(command.arg("--out").arg(&path))?;
        let unreadable = || format!("cannot read `{}`", path.display());
        let report = fs::read(&path).with_context(unreadable)?;
        Ok((run, serde_json::from_slice(&report).with_context(unreadable)?))
    }
}

/// Returns the number that a JSON pointer leads to.
pub(crate) fn number(json: &Value, pointer: &str) -> Option<f64> {
    json.pointer(pointer)?.as_f64()
}
