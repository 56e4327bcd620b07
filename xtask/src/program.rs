//! Programs of others that a command needs: found on this machine, or installed where that needs no question.

use std::env::{self, consts::EXE_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::step::{self, Failure};

/// Debian keeps servers in a folder that is on the PATH of root only.
const SERVERS: &str = "/usr/sbin";

/// A program, and where it comes from.
pub struct Program {
    /// What it is called by.
    pub name: &'static str,
    /// The Debian package it is in.
    pub package: &'static str,
    /// Said where it is missing and cannot be installed: that it is, and what to do.
    pub missing: &'static str,
}

impl Program {
    /// Where it is. Installs it if it is missing: as root, with apt-get.
    pub fn ensure(&self) -> Result<PathBuf, Failure> {
        if let Some(path) = find(self.name) {
            return Ok(path);
        }
        install(&[self.package])?;
        find(self.name).ok_or_else(|| Failure(self.missing.into()))
    }
}

/// Installs Debian packages where that needs no question: as root, with apt-get. Does nothing elsewhere.
pub fn install(packages: &[&str]) -> Result<(), Failure> {
    if !is_root() || find("apt-get").is_none() {
        return Ok(());
    }
    let name = format!("apt-get install {}", packages.join(" "));
    let get = || step::run(&name, apt_get().args(["install", "-y"]).args(packages));
    // The package lists may be absent or out of date, as in a fresh container.
    get().or_else(|_| {
        step::run("apt-get update", apt_get().arg("update"))?;
        get()
    })
}

/// Where a program is, if it is on the PATH.
pub fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([Path::new(SERVERS).to_owned()]);
    folders.map(|folder| folder.join(format!("{name}{EXE_SUFFIX}"))).find(|file| file.is_file())
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_on_the_path_is_found_and_nothing_else() {
        assert!(find("cargo").is_some_and(|path| path.is_file()));
        assert_eq!(find("no-such-program-at-all"), None);
    }
}
