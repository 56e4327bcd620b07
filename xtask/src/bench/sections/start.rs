//! How long it takes until something is sent, and how much has to be copied to a machine for it.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::super::figures::{Bound, Spread};
use super::super::lab::{Lab, SERVER};
use super::super::process;
use super::super::table::Findings;
use super::super::target::Target;
use crate::step::Failure;

const WARM: usize = 10;
const COLD: usize = 5;

/// A run of one request, with compiled plugins in the cache and without; the size of the binary.
pub fn measure(lab: &Lab) -> Result<Findings, Failure> {
    let target = Target::start(lab, Some(SERVER), false)?;
    let script = lab.script(&[target.url()], "1.1")?;
    let warm: Vec<f64> =
        (0..WARM).map(|_| wall(lab, &script, &lab.folder().join("cache"))).collect::<Result<_, _>>()?;
    let empty = lab.folder().join("cold");
    let cold: Vec<f64> = (0..COLD).map(|_| wall(lab, &script, fresh(&empty)?)).collect::<Result<_, _>>()?;
    let size = fs::metadata(lab.binary()).map(|metadata| metadata.len() as f64 / f64::from(1 << 20));
    let mut findings = Findings::new(format!(
        "From the start of the program to its end, with one user and one request, so that the first request was sent \
         somewhat earlier: {WARM} times with its plugins compiled and cached, {COLD} times with an empty cache. It may use \
         all cores."
    ));
    findings.hold("warm start, ms", Spread::of(warm), Bound::AtMost(30.0));
    findings.hold("cold start, ms", Spread::of(cold), Bound::AtMost(300.0));
    findings.hold("binary, MiB", Spread::of(size), Bound::AtMost(25.0));
    Ok(findings)
}

/// An empty folder.
fn fresh(folder: &Path) -> Result<&Path, Failure> {
    let emptied = if folder.exists() { fs::remove_dir_all(folder) } else { Ok(()) };
    let made = emptied.and_then(|()| fs::create_dir(folder));
    made.map_err(|error| Failure(format!("cannot empty `{}`: {error}", folder.display())))?;
    Ok(folder)
}

/// Milliseconds. Nothing stands between: no tool that pins or limits the program.
fn wall(lab: &Lab, script: &Path, cache: &Path) -> Result<f64, Failure> {
    let mut command = Command::new(lab.binary());
    command.args(["--users", "1", "--iterations", "1", "--script"]).arg(script).env("STAMPEDE_CACHE_DIR", cache);
    Ok(process::wall(&mut command, &lab.folder().join("client.log"))?.as_secs_f64() * 1e3)
}
