//! Trials of packages, as those who install them would: in an empty folder as the root of a system, in an environment
//! of Python, as an image.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tempfile::TempDir;
use xtask::program::{self, Program};
use xtask::step;

use crate::packages::{Package, PackageKind};
use crate::targets::TargetSystem;

/// Runs programs of other processors and systems.
const EMULATORS: [(&str, Program); 2] = [
    (
        "aarch64-unknown-linux-musl",
        Program {
            name: "qemu-aarch64-static",
            package: "qemu-user-static",
            missing: "qemu-aarch64-static is missing: `apt-get install qemu-user-static`",
        },
    ),
    (
        "x86_64-pc-windows-gnu",
        Program { name: "wine", package: "wine64", missing: "wine is missing: `apt-get install wine64`" },
    ),
];

/// Installs packages of JavaScript.
const NPM: Program = Program { name: "npm", package: "npm", missing: "npm is missing: install Node.js with npm" };

/// The component that another system's user might bring: compiled by a child of the load runner.
const COMPONENT: &str = "target/plugins/wasm32-wasip2/plugin/stampede_plugin_tcp.wasm";

/// A script for the site of `demo`.
const SCRIPT: &str = "users: 2\nduration: 1s\nsteps:\n  - {name: Catalog, url: /api/v1/catalog, expect_status: 200}\n";

/// Tries the packages of a target.
pub(crate) fn run(target: &TargetSystem, folder: &Path, packages: &[Package]) -> Result<()> {
    let mut npm = Vec::new();
    for package in packages.iter().filter(|package| package.triple == target.triple) {
        let file = folder.join(&package.name);
        match package.kind {
            PackageKind::Archive => try_archive(target, &file)?,
            PackageKind::Wheel if target.runs_here() => try_wheel(&file)?,
            PackageKind::Debian if target.runs_here() => try_debian(&file)?,
            PackageKind::Image if target.runs_here() => try_image(&file)?,
            PackageKind::Npm if target.runs_here() => npm.push(file),
            PackageKind::Wheel | PackageKind::Debian | PackageKind::Image | PackageKind::Npm => {
                eprintln!("   not tried, since it does not run here: {}", package.name);
            }
        }
    }
    if npm.is_empty() { Ok(()) } else { try_npm(&npm) }
}

/// Unpacks an archive and uses the binary.
fn try_archive(target: &TargetSystem, archive: &Path) -> Result<()> {
    let home = TempDir::new()?;
    let mut unpack = if target.is_windows() { Command::new("unzip") } else { Command::new("tar") };
    if target.is_windows() {
        unpack.arg("-q").arg(archive).arg("-d").arg(home.path());
    } else {
        unpack.arg("-xzf").arg(archive).arg("-C").arg(home.path());
    }
    step::succeed("unpack", &mut unpack)?;
    let name = archive.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = home.path().join(name.trim_end_matches(".tar.gz").trim_end_matches(".zip"));
    ensure!(folder.join("NOTICES.txt").is_file() && folder.join("README.md").is_file(), "documents are missing");
    let emulator = EMULATORS.iter().find(|(triple, _)| *triple == target.triple).map(|(_, program)| program.ensure());
    let emulator = emulator.transpose()?;
    let program = TriedProgram { binary: folder.join(target.binary()), emulator, root: None, home };
    if target.is_static() && target.runs_here() {
        return program.in_empty_root()?.use_it();
    }
    program.use_it()
}

/// Installs a wheel into an environment of Python.
fn try_wheel(wheel: &Path) -> Result<()> {
    let home = TempDir::new()?;
    let environment = home.path().join("environment");
    step::succeed("python3 -m venv", Command::new("python3").args(["-m", "venv"]).arg(&environment))?;
    let mut pip = Command::new(environment.join("bin/pip"));
    step::succeed("pip install", pip.args(["install", "--quiet", "--no-index"]).arg(wheel))?;
    TriedProgram { binary: environment.join("bin/stampede-shooter"), emulator: None, root: None, home }.use_it()
}

/// Installs the packages of npm into a folder, and uses the command that npm makes.
fn try_npm(packages: &[PathBuf]) -> Result<()> {
    let home = TempDir::new()?;
    let mut npm = Command::new(NPM.ensure()?);
    npm.args(["install", "--offline", "--no-audit", "--no-fund", "--global", "--prefix"]).arg(home.path().join("npm"));
    step::succeed("npm install", npm.args(packages).env("HOME", home.path()))?;
    TriedProgram { binary: home.path().join("npm/bin/stampede-shooter"), emulator: None, root: None, home }.use_it()
}

/// Unpacks a package with Debian's own program, which also checks its form.
fn try_debian(package: &Path) -> Result<()> {
    let home = TempDir::new()?;
    let control = step::output("dpkg-deb", Command::new("dpkg-deb").arg("--field").arg(package).arg("Package"))?;
    ensure!(control.trim_ascii() == b"stampede-shooter", "the package has another name");
    step::succeed("dpkg-deb", Command::new("dpkg-deb").arg("--extract").arg(package).arg(home.path().join("root")))?;
    let root = home.path().join("root");
    ensure!(root.join("usr/share/man/man1/stampede-shooter.1.gz").is_file(), "the man page is missing");
    TriedProgram { binary: root.join("usr/bin/stampede-shooter"), emulator: None, root: None, home }.use_it()
}

/// Unpacks the layer of an image, and uses it as the root of a system.
fn try_image(image: &Path) -> Result<()> {
    let home = TempDir::new()?;
    let layout = home.path().join("layout");
    fs::create_dir(&layout)?;
    step::succeed("unpack", Command::new("tar").arg("-xf").arg(image).arg("-C").arg(&layout))?;
    let json = |path: PathBuf| -> Result<serde_json::Value> { Ok(serde_json::from_slice(&fs::read(path)?)?) };
    let blob = |digest: &serde_json::Value| {
        let digest = digest["digest"].as_str().and_then(|digest| digest.strip_prefix("sha256:"));
        digest.map(|digest| layout.join("blobs/sha256").join(digest)).context("a descriptor has no digest")
    };
    let manifest = json(blob(&json(layout.join("index.json"))?["manifests"][0])?)?;
    let config = json(blob(&manifest["config"])?)?;
    ensure!(config["config"]["User"] == "65534:65534", "the image runs as root");
    let root = home.path().join("root");
    fs::create_dir_all(&root)?;
    let layer = blob(&manifest["layers"][0])?;
    step::succeed("unpack", Command::new("tar").arg("-xzf").arg(layer).arg("-C").arg(&root))?;
    ensure!(root.join("etc/ssl/certs/ca-certificates.crt").is_file(), "the certificates are missing");
    let binary = root.join("usr/bin/stampede-shooter");
    TriedProgram { binary, emulator: None, root: None, home }.in_empty_root()?.use_it()
}

/// A program that is tried.
struct TriedProgram {
    /// The program.
    binary: PathBuf,
    /// The program that runs it, if this machine cannot.
    emulator: Option<PathBuf>,
    /// The folder that is the root of its system.
    root: Option<PathBuf>,
    /// A folder of its own.
    home: TempDir,
}

impl TriedProgram {
    /// Moves it into an empty folder that becomes the root of its system, where only root can do that.
    fn in_empty_root(mut self) -> Result<Self> {
        if program::find("chroot").is_none() || !is_root() {
            eprintln!("   not root: it is tried outside an empty folder");
            return Ok(self);
        }
        let root = self.home.path().join("empty");
        fs::create_dir_all(root.join("var"))?;
        step::succeed("chmod", Command::new("chmod").arg("1777").arg(root.join("var")))?;
        fs::copy(&self.binary, root.join("stampede-shooter"))?;
        self.binary = PathBuf::from("/stampede-shooter");
        self.root = Some(root);
        Ok(self)
    }

    /// Tries what a first user does: the version, a check, a run against the embedded site, a component that it
    /// does not know, and Ctrl-C.
    fn use_it(&self) -> Result<()> {
        let work = self.root.clone().unwrap_or_else(|| self.home.path().to_owned());
        fs::write(work.join("script.yml"), SCRIPT)?;
        fs::copy(xtask::workspace::root().join(COMPONENT), work.join("own.wasm"))?;
        let version = self.output(&["--version"])?;
        ensure!(version.starts_with("stampede-shooter "), "`--version` prints `{version}`");
        let checked = self.output(&["check", "script.yml", "--base-url", "http://127.0.0.1:9"])?;
        ensure!(checked.contains("Catalog"), "`check` prints `{checked}`");
        let table = self.output(&["demo", "script.yml"])?;
        ensure!(table.contains("100 % success"), "`demo` prints `{table}`");
        let inspected = self.output(&["plugin", "inspect", "own.wasm"])?;
        ensure!(inspected.contains("tcp"), "`plugin inspect` prints `{inspected}`");
        if self.emulator.is_none() { self.interrupt() } else { Ok(()) }
    }

    /// Starts a run of an hour, interrupts it once it has begun, and expects its report.
    fn interrupt(&self) -> Result<()> {
        let mut run = self.command(&["demo", "script.yml", "--duration", "1h", "--verbose"]);
        let mut child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
        let mut progress = child.stderr.take().context("a pipe")?;
        let mut seen = [0; 1];
        let mut text = Vec::new();
        while !text.ends_with(b"rps") && progress.read(&mut seen)? == 1 {
            text.push(seen[0]);
        }
        let id = child.id().to_string();
        step::succeed("kill", Command::new("kill").args(["-INT", &id]))?;
        let drained = std::thread::spawn(move || std::io::copy(&mut progress, &mut std::io::sink()));
        let output = child.wait_with_output()?;
        let _ = drained.join();
        let table = String::from_utf8_lossy(&output.stdout);
        ensure!(output.status.code() == Some(130), "Ctrl-C ends it with {}", output.status);
        ensure!(table.contains("Totals:"), "after Ctrl-C it prints `{table}`");
        Ok(())
    }

    fn output(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).output()?;
        if !output.status.success() {
            bail!("`{}` ends with {}: {}", arguments.join(" "), output.status, String::from_utf8_lossy(&output.stderr));
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Returns a call of the program, which ends after two minutes.
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.args(["--foreground", "--signal=KILL", &Duration::from_mins(2).as_secs().to_string()]);
        command.env_clear().current_dir(self.home.path()).stdin(Stdio::null());
        if let Some(root) = &self.root {
            command.arg("chroot").args(["--userspec=65534:65534"]).arg(root);
        }
        command.envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
        command.env("HOME", self.home.path()).env("WINEDEBUG", "-all");
        let cache = if self.root.is_some() { PathBuf::from("/var/cache") } else { self.home.path().join("cache") };
        command.env("STAMPEDE_CACHE_DIR", cache);
        command.args(&self.emulator).arg(&self.binary).args(arguments);
        command
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
