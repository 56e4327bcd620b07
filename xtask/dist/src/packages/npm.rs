//! The packages for npm: one for each system, with the binary, and one that depends on all of them and starts the
//! binary that npm has installed, since npm installs only those that fit the machine (`os` and `cpu`).

use anyhow::Result;
use serde_json::{Value, json};

use super::{Package, PackageKind, gzip, tar};
use crate::contents::{Contents, PackedFile, Release};
use crate::targets::{Needs, TargetSystem};

/// The scope of the packages for one system.
const SCOPE: &str = "@stampede-shooter";

/// Starts the binary of the package that npm has installed, with its own arguments and streams.
const LAUNCHER: &str = r#"#!/usr/bin/env node
"use strict";
const { spawn } = require("node:child_process");

const name = `@stampede-shooter/${process.platform}-${process.arch}`;
const file = process.platform === "win32" ? "stampede-shooter.exe" : "stampede-shooter";
let binary;
try {
  binary = require.resolve(`${name}/${file}`);
} catch {
  console.error(`error: there is no package ${name}: this system has no binary, or npm left out optional packages`);
  process.exit(1);
}
// A signal to the group reaches the binary itself, which then ends in its own time; one to this process is passed on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => child.kill(signal));
}
const child = spawn(binary, process.argv.slice(2), { stdio: "inherit" });
child.on("exit", (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  } else {
    process.exitCode = code;
  }
});
"#;

/// Packs the binary for one system; `None` if npm has no name for what tells it apart.
pub(crate) fn pack(release: &Release, target: &TargetSystem, contents: &Contents) -> Result<Option<Package>> {
    let Some(system) = system(target) else { return Ok(None) };
    let (os, cpu) = system.split_once('-').unwrap_or((&system, ""));
    let manifest = json!({
        "name": format!("{SCOPE}/{system}"), "version": release.version, "os": [os], "cpu": [cpu],
        "description": release.description, "license": "Apache-2.0 OR MIT", "repository": release.repository,
    });
    let kept = ["LICENSE", "NOTICES.txt", "sbom.cdx.json", target.binary()];
    let mut files: Vec<_> = contents.files.iter().filter(|file| kept.contains(&file.path.as_str())).cloned().collect();
    files.push(json_file("package.json", &manifest));
    let name = format!("stampede-shooter-{system}-{}.tgz", release.version);
    finish(release, target, name, files).map(Some)
}

/// Packs the package that users name, which depends on those for one system.
pub(crate) fn pack_launcher(release: &Release, targets: &[&'static TargetSystem]) -> Result<Option<Package>> {
    let systems: Vec<_> = targets.iter().filter_map(|target| Some((system(target)?, *target))).collect();
    let Some((_, target)) = systems.first() else { return Ok(None) };
    let dependencies: serde_json::Map<_, _> =
        systems.iter().map(|(system, _)| (format!("{SCOPE}/{system}"), json!(release.version))).collect();
    let manifest = json!({
        "name": "stampede-shooter", "version": release.version, "bin": {"stampede-shooter": "launcher.js"},
        "description": release.description, "license": "Apache-2.0 OR MIT", "repository": release.repository,
        "engines": {"node": ">=18"}, "optionalDependencies": dependencies,
    });
    let launcher = PackedFile { path: "launcher.js".into(), bytes: LAUNCHER.into(), is_program: true };
    let files = vec![json_file("package.json", &manifest), launcher];
    finish(release, target, format!("stampede-shooter-{}.tgz", release.version), files).map(Some)
}

/// Returns the name of a system in npm's words. The static binary serves all of Linux.
fn system(target: &TargetSystem) -> Option<String> {
    let cpu = if target.arch == "aarch64" { "arm64" } else { "x64" };
    match target.needs {
        Needs::Nothing => Some(format!("linux-{cpu}")),
        Needs::Windows => Some(format!("win32-{cpu}")),
        Needs::Glibc(..) => None,
    }
}

fn json_file(path: &str, value: &Value) -> PackedFile {
    PackedFile { path: path.into(), bytes: format!("{value:#}\n").into_bytes(), is_program: false }
}

fn finish(release: &Release, target: &TargetSystem, name: String, mut files: Vec<PackedFile>) -> Result<Package> {
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let bytes = gzip(&tar(release, "package/", &files)?)?;
    Ok(Package { name, triple: target.triple, kind: PackageKind::Npm, bytes })
}
