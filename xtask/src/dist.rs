//! `cargo xtask dist`: the contents of a package of the load runner for this machine, in `dist/`.

use std::fs;
use std::path::Path;
use std::process::Command;

use xtask::step::{self, Failure};
use xtask::workspace::{build_release, ensure_target, root};

/// Files of `dist/` that the binary prints, each with the arguments that print it.
const PRINTED: [(&str, &[&str]); 6] = [
    ("stampede-shooter.1", &["man"]),
    ("completions/stampede-shooter.bash", &["completions", "bash"]),
    ("completions/_stampede-shooter", &["completions", "zsh"]),
    ("completions/stampede-shooter.fish", &["completions", "fish"]),
    ("completions/stampede-shooter.elv", &["completions", "elvish"]),
    ("completions/_stampede-shooter.ps1", &["completions", "powershell"]),
];

/// Builds, then replaces the contents of `dist/`.
pub(crate) fn run() -> Result<(), Failure> {
    ensure_target()?;
    let binary = build_release(&[])?;
    step::step("dist", || fill(&binary, &root().join("dist")))
}

fn fill(binary: &Path, folder: &Path) -> Result<(), Failure> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| failed(folder, &error))?;
    }
    fs::create_dir_all(folder.join("completions")).map_err(|error| failed(folder, &error))?;
    let copy = folder.join(binary.file_name().unwrap_or_default());
    fs::copy(binary, &copy).map_err(|error| failed(&copy, &error))?;
    fs::copy(root().join("LICENSE"), folder.join("LICENSE")).map_err(|error| failed(folder, &error))?;
    PRINTED.iter().try_for_each(|(name, arguments)| {
        let file = folder.join(name);
        let text = step::output(name, Command::new(binary).args(*arguments))?;
        fs::write(&file, text).map_err(|error| failed(&file, &error))
    })
}

fn failed(path: &Path, error: &std::io::Error) -> Failure {
    Failure(format!("step `dist` failed: `{}`: {error}", path.display()))
}
