//! The time of a start, and the size of the binary that has to be copied to a machine for it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::figures::{Bound, Spread};
use crate::findings::Findings;
use crate::process;
use crate::setup::{SERVER, Setup};
use crate::target::Target;

const WARM: usize = 10;
const COLD: usize = 5;

/// Measures runs of one request, with compiled plugins in the cache and without, and the size of the binary.
pub(crate) fn measure(setup: &Setup) -> Result<Findings> {
    let target = Target::start(setup, Some(SERVER), false)?;
    let script = setup.script(&[target.url()], "1.1")?;
    let warm: Vec<f64> =
        (0..WARM).map(|_| wall(setup, &script, &setup.folder().join("cache"))).collect::<Result<_, _>>()?;
    let empty = setup.folder().join("cold");
    let cold: Vec<f64> = (0..COLD).map(|_| wall(setup, &script, fresh(&empty)?)).collect::<Result<_, _>>()?;
    let size = fs::metadata(setup.binary()).map(|metadata| metadata.len() as f64 / f64::from(1 << 20));
    let mut findings = Findings::new(format!(
        "From the start of the program to its end, with one user and one request, so that the first request was sent \
         somewhat earlier: {WARM} times with its plugins compiled and cached, {COLD} times with an empty cache. It may \
         use all cores."
    ));
    findings.compare("warm start, ms", Spread::of(warm), Bound::AtMost(30.0));
    findings.compare("cold start, ms", Spread::of(cold), Bound::AtMost(300.0));
    findings.compare("binary, MiB", Spread::of(size), Bound::AtMost(25.0));
    Ok(findings)
}

/// Creates the folder, or empties it.
fn fresh(folder: &Path) -> Result<&Path> {
    let emptied = if folder.exists() { fs::remove_dir_all(folder) } else { Ok(()) };
    emptied.and_then(|()| fs::create_dir(folder)).with_context(|| format!("cannot empty `{}`", folder.display()))?;
    Ok(folder)
}

/// Returns the milliseconds of a run. The program is started directly, without a tool that pins or limits it.
fn wall(setup: &Setup, script: &Path, cache: &Path) -> Result<f64> {
    let mut command = Command::new(setup.binary());
    command.args(["--users", "1", "--iterations", "1", "--script"]).arg(script).env("STAMPEDE_CACHE_DIR", cache);
    Ok(process::wall(&mut command, &setup.folder().join("client.log"))?.as_secs_f64() * 1e3)
}
