//! The files that every package has: the binary, its licence and those of all that it is made of, and its documents.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand};
use xtask::step;
use xtask::workspace::root;

use crate::targets::TargetSystem;
use crate::{notices, sbom};

/// Documents that the binary prints, each with the arguments that print it.
const PRINTED: [(&str, &[&str]); 6] = [
    ("man/stampede-shooter.1", &["man"]),
    ("completions/stampede-shooter.bash", &["completions", "bash"]),
    ("completions/_stampede-shooter", &["completions", "zsh"]),
    ("completions/stampede-shooter.fish", &["completions", "fish"]),
    ("completions/stampede-shooter.elv", &["completions", "elvish"]),
    ("completions/_stampede-shooter.ps1", &["completions", "powershell"]),
];

/// Documents of the repository.
const DOCUMENTS: [&str; 3] = ["CHANGELOG.md", "LICENSE", "README.md"];

/// The version that is packed.
pub(crate) struct Release {
    /// The version, such as `0.1.0`.
    pub(crate) version: String,
    /// The time of the commit, in seconds since the Unix epoch.
    pub(crate) time: u64,
    /// The URL of the repository.
    pub(crate) repository: String,
    /// The one-line description.
    pub(crate) description: String,
}

impl Release {
    /// Reads the manifest and the commit of the workspace.
    pub(crate) fn of_workspace() -> Result<Self> {
        let mut git = Command::new("git");
        let time = step::output("git log", git.args(["log", "-1", "--format=%ct"]).current_dir(root()))?;
        let metadata = MetadataCommand::new().current_dir(root()).no_deps().exec()?;
        let package = metadata.packages.iter().find(|package| package.name.as_str() == "stampede-shooter");
        let package = package.context("the workspace has no package `stampede-shooter`")?;
        Ok(Self {
            version: package.version.to_string(),
            time: String::from_utf8(time)?.trim().parse().context("the commit has no time")?,
            repository: package.repository.clone().unwrap_or_default(),
            description: package.description.clone().unwrap_or_default(),
        })
    }
}

/// A file of a package.
#[derive(Clone, Debug)]
pub(crate) struct PackedFile {
    /// Its path, with slashes.
    pub(crate) path: String,
    /// Its contents.
    pub(crate) bytes: Vec<u8>,
    /// `true` if it can be executed.
    pub(crate) is_program: bool,
}

/// The files of a package, sorted by their paths.
pub(crate) struct Contents {
    /// The files.
    pub(crate) files: Vec<PackedFile>,
}

impl Contents {
    /// Collects the files for a target. `printer` is a binary that runs here.
    pub(crate) fn collect(release: &Release, target: &TargetSystem, binary: &Path, printer: &Path) -> Result<Self> {
        let mut files = Vec::new();
        let mut add =
            |path: &str, bytes: Vec<u8>| files.push(PackedFile { path: path.into(), bytes, is_program: false });
        for (path, arguments) in PRINTED {
            add(path, step::output(path, Command::new(printer).args(arguments))?);
        }
        for path in DOCUMENTS {
            add(path, read(&root().join(path))?);
        }
        let metadata = metadata(target)?;
        add("NOTICES.txt", notices::text(&metadata)?.into_bytes());
        add("sbom.cdx.json", sbom::text(release, target, &metadata)?.into_bytes());
        files.push(PackedFile { path: target.binary().into(), bytes: read(binary)?, is_program: true });
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { files })
    }

    /// Returns the binary.
    pub(crate) fn binary(&self) -> Result<&PackedFile> {
        self.files.iter().find(|file| file.is_program).context("the package has no binary")
    }
}

/// Returns the packages that a target's binary is made of.
pub(crate) fn metadata(target: &TargetSystem) -> Result<Metadata> {
    let mut command = MetadataCommand::new();
    let options = ["--locked", "--filter-platform", target.triple].map(str::to_owned).to_vec();
    Ok(command.current_dir(root()).other_options(options).exec()?)
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))
}
