//! Programs of other projects that a command needs: found on this machine, or installed where that needs no question.

use std::env::{self, consts::EXE_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::step::{self, Failure};

/// Debian's folder for servers, which is on the `PATH` of root only.
const SERVERS: &str = "/usr/sbin";

/// nginx: a server of another project, which the tests run against beside the sample site, and the target of the
/// benchmarks.
pub const NGINX: Program = Program {
    name: "nginx",
    package: "nginx-light",
    missing: "nginx is missing: install it (Debian and Ubuntu: `apt-get install nginx-light`, macOS: \
              `brew install nginx`, Windows: put nginx.exe on the PATH)",
};

/// A program and its Debian package.
#[derive(Clone, Copy)]
pub struct Program {
    /// The file name, without the suffix of executables.
    pub name: &'static str,
    /// The Debian package that contains the program.
    pub package: &'static str,
    /// The message if the program is missing and cannot be installed, with the remedy.
    pub missing: &'static str,
}

impl Program {
    /// Returns the program's path. Installs the program if it is missing: as root, with `apt-get`.
    ///
    /// # Errors
    /// The installation failed, or the program is missing and cannot be installed.
    pub fn ensure(&self) -> Result<PathBuf, Failure> {
        self.ensure_with(&[self.package])
    }

    /// Does as [`ensure`](Self::ensure), without the packages that the program's own only recommends.
    ///
    /// # Errors
    /// The installation failed, or the program is missing and cannot be installed.
    pub fn ensure_alone(&self) -> Result<PathBuf, Failure> {
        self.ensure_with(&["--no-install-recommends", self.package])
    }

    fn ensure_with(&self, arguments: &[&str]) -> Result<PathBuf, Failure> {
        if let Some(path) = find(self.name) {
            return Ok(path);
        }
        install(arguments)?;
        find(self.name).ok_or_else(|| Failure(self.missing.into()))
    }
}

/// Installs Debian packages where that needs no question: as root, with `apt-get`. Does nothing elsewhere.
///
/// # Errors
/// `apt-get` failed.
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

/// Returns the path of a program that is on the `PATH`.
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
    fn only_programs_on_the_path_are_found() {
        assert!(find("cargo").is_some_and(|path| path.is_file()));
        assert_eq!(find("no-such-program-at-all"), None);
    }
}
