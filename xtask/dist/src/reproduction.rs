//! The proof that packages can be reproduced: the same commit, cloned into another folder and packed there with a
//! target folder of its own, gives the same bytes.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;
use xtask::step;
use xtask::workspace::{cargo, root};

use crate::targets::TargetSystem;

/// Packs the commit again and compares the sums with those in `folder`.
pub(crate) fn compare(folder: &Path, targets: &[&TargetSystem]) -> Result<()> {
    let mut status = Command::new("git");
    let changes = step::output("git status", status.args(["status", "--porcelain"]).current_dir(root()))?;
    ensure!(changes.is_empty(), "a clone has only what was committed: commit or undo first what `git status` lists");
    let second = TempDir::new()?;
    let clone = second.path().join("clone");
    step::succeed("git clone", Command::new("git").args(["clone", "--quiet"]).arg(root()).arg(&clone))?;
    let mut dist = cargo();
    dist.args(["xtask", "dist", "--no-trials"]).current_dir(&clone).env_remove("CARGO_TARGET_DIR");
    targets.iter().for_each(|target| {
        dist.args(["--target", target.triple]);
    });
    step::run("pack again", &mut dist)?;
    let sums = |folder: &Path| {
        let file = folder.join("SHA256SUMS");
        fs::read_to_string(&file).with_context(|| format!("cannot read `{}`", file.display()))
    };
    let (first, again) = (sums(folder)?, sums(&clone.join("dist"))?);
    let differing: Vec<_> = first.lines().filter(|line| !again.lines().any(|other| other == *line)).collect();
    ensure!(differing.is_empty() && first == again, "packages differ between two builds: {differing:#?}");
    eprintln!("{} packages are equal in two builds", first.lines().count());
    Ok(())
}
