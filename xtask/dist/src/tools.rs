//! The programs of other projects that link for other systems, in a folder of their own below `target/`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result};
use xtask::program::Program;
use xtask::step;
use xtask::workspace::target_folder;

/// The linker and the C compiler for Linux, and the command of cargo that calls them.
const PACKAGES: [&str; 2] = ["ziglang==0.17.1", "cargo-zigbuild==0.24.1"];

/// The C compiler for Windows.
pub(crate) const MINGW: Program = Program {
    name: "x86_64-w64-mingw32-gcc",
    package: "gcc-mingw-w64-x86-64-win32",
    missing: "the C compiler for Windows is missing: install it (Debian and Ubuntu: \
              `apt-get install gcc-mingw-w64-x86-64-win32`)",
};

/// Python, which zig comes with.
const PYTHON: Program = Program {
    name: "python3",
    package: "python3-venv",
    missing: "python3 is missing: install it with its module venv (Debian and Ubuntu: `apt-get install python3-venv`)",
};

/// Installs zig into a folder of its own, unless it is there, and returns the folder of its programs.
pub(crate) fn ensure_zig() -> Result<PathBuf> {
    let python = PYTHON.ensure()?;
    let folder = target_folder().join("tools/dist");
    let installed = folder.join("installed.txt");
    let wanted = PACKAGES.join("\n");
    if fs::read_to_string(&installed).ok().as_ref() != Some(&wanted) {
        step::run("python3 -m venv", Command::new(python).args(["-m", "venv"]).arg(&folder))?;
        let mut pip = Command::new(folder.join("bin/pip"));
        step::run("pip install ziglang cargo-zigbuild", pip.args(["install", "--quiet"]).args(PACKAGES))?;
        fs::write(&installed, wanted).with_context(|| format!("cannot write `{}`", installed.display()))?;
    }
    Ok(folder.join("bin"))
}

/// Adds a target of the compiler through rustup.
pub(crate) fn ensure_rust_target(triple: &str) -> Result<()> {
    let mut rustup = Command::new("rustup");
    Ok(step::run("rustup target add", rustup.args(["target", "add", triple]).current_dir(xtask::workspace::root()))?)
}
