//! nginx, which the tests run against beside the sample site: a server nobody here wrote.

use std::process::{Command, Stdio};

use crate::step::{self, Failure};

const MISSING: &str = "the tests need nginx: install it (Debian and Ubuntu: `apt-get install nginx-light`, macOS: \
                       `brew install nginx`, Windows: put nginx.exe on the PATH)";

/// Installs it where that needs no question: as root, with apt-get.
pub fn ensure() -> Result<(), Failure> {
    if present() {
        return Ok(());
    }
    if !(is_root() && answers("apt-get", "--version")) {
        return Err(Failure(MISSING.into()));
    }
    // The package lists may be absent or out of date, as in a fresh container.
    install().or_else(|_| {
        step::run("apt-get update", apt_get().arg("update"))?;
        install()
    })
}

fn install() -> Result<(), Failure> {
    step::run("apt-get install nginx-light", apt_get().args(["install", "-y", "nginx-light"]))
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// Debian keeps it in a folder that is on the PATH of root only.
fn present() -> bool {
    answers("nginx", "-v") || answers("/usr/sbin/nginx", "-v")
}

fn answers(program: &str, argument: &str) -> bool {
    let mut command = Command::new(program);
    let quiet = command.arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
    quiet.status().is_ok_and(|status| status.success())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
