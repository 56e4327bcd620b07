//! `cargo xtask dist`: builds the load runner for other machines, packs it, and proves of each package what it claims:
//! that the binary needs nothing that is not said, that it tells nothing about the machine that built it, and that it
//! runs.
//!
//! ```text
//! targets ─▶ build ─▶ checks ─▶ contents ─▶ packages ─▶ trials
//! ```
//!
//! Every file in a package has the time of the commit, and every list is sorted, so that two builds of one commit are
//! equal byte by byte.

mod build;
mod checks;
mod contents;
mod crate_list;
mod notices;
mod options;
mod packages;
mod reproduction;
mod sbom;
mod targets;
mod tools;
mod trials;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::Parser;
use xtask::step;
use xtask::workspace::{ensure_target, root};

use crate::build::Builder;
use crate::contents::{Contents, Release};
use crate::options::PackOptions;
use crate::packages::Package;
use crate::targets::TargetSystem;

fn main() -> ExitCode {
    match run(&PackOptions::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dist: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Builds, checks and packs each target, and writes the sums of all packages.
fn run(options: &PackOptions) -> Result<()> {
    ensure_target()?;
    let folder = root().join("dist");
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove `{}`", folder.display()))?;
    }
    fs::create_dir_all(&folder)?;
    let release = Release::of_workspace()?;
    let builder = Builder::new(&release)?;
    let targets = options.targets();
    let mut binaries = Vec::new();
    for target in &targets {
        binaries.push(binary(&builder, target)?);
    }
    let printer = targets.iter().zip(&binaries).find(|(target, _)| target.runs_here());
    let (_, printer) = printer.context("none of the targets runs here to print the man page: add one that does")?;
    let mut packages: Vec<_> = packages::pack_launcher(&release, &targets)?.into_iter().collect();
    packages.iter().try_for_each(|package| package.write(&folder))?;
    for (target, binary) in targets.iter().zip(&binaries) {
        let contents = Contents::collect(&release, target, binary, printer)?;
        for package in packages::pack(&release, target, &contents)? {
            package.write(&folder)?;
            packages.push(package);
        }
        if !options.no_trials {
            step::step(&format!("try {}", target.triple), || {
                trials::run(target, &folder, &packages).map_err(|error| step::Failure(format!("{error:#}")))
            })?;
        }
    }
    write_sums(&folder, &packages)?;
    if options.reproduce { reproduction::compare(&folder, &targets) } else { Ok(()) }
}

/// Builds a target and checks the binary.
fn binary(builder: &Builder, target: &TargetSystem) -> Result<PathBuf> {
    let metadata = contents::metadata(target)?;
    let binary = builder.build(target, &crate_list::write(target, &metadata)?)?;
    let checked = checks::check(target, &binary).and_then(|()| crate_list::check(&binary, &metadata));
    checked.with_context(|| format!("the binary for {} is not as it must be", target.triple))?;
    Ok(binary)
}

/// Writes the sums of the packages in the form of `sha256sum`.
fn write_sums(folder: &Path, packages: &[Package]) -> Result<()> {
    ensure!(!packages.is_empty(), "nothing was packed");
    let mut lines: Vec<_> =
        packages.iter().map(|package| format!("{}  {}\n", package.sha256(), package.name)).collect();
    lines.sort_by(|a, b| a[66..].cmp(&b[66..]));
    fs::write(folder.join("SHA256SUMS"), lines.concat())?;
    for package in packages {
        eprintln!("{:>8.1} MiB  {}", package.bytes.len() as f64 / f64::from(1 << 20), package.name);
    }
    Ok(())
}
