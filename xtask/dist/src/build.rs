//! Builds the binary for a target with the profile `release`.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow};
use xtask::step;
use xtask::workspace::{cargo, root, target_folder};

use crate::contents::Release;
use crate::crate_list;
use crate::targets::{Needs, TargetSystem};
use crate::tools::{self, MINGW};

/// Separates the flags in `CARGO_ENCODED_RUSTFLAGS`.
const FLAG_SEPARATOR: &str = "\u{1f}";

/// Builds binaries that tell nothing about this machine.
pub(crate) struct Builder {
    /// The folder of zig's programs.
    zig: PathBuf,
    /// The time that compilers take for the present, in seconds since the Unix epoch.
    time: u64,
    /// The flags that replace the folders of this machine, for rustc.
    rust_flags: String,
    /// The flags that do so for C compilers.
    c_flags: String,
}

impl Builder {
    /// Installs what is needed to build.
    pub(crate) fn new(release: &Release) -> Result<Self> {
        let replaced = stampede_components::replaced_folders(root()).map_err(|error| anyhow!("{error}"))?;
        let flags = |name: &str, separator: &str| {
            let flags = replaced.iter().map(|(from, to)| format!("-{name}={}={to}", from.display()));
            flags.collect::<Vec<_>>().join(separator)
        };
        Ok(Self {
            zig: tools::ensure_zig()?,
            time: release.time,
            rust_flags: flags("-remap-path-prefix", FLAG_SEPARATOR),
            c_flags: flags("ffile-prefix-map", " "),
        })
    }

    /// Builds the binary of a target, with the list of its crates, and returns its path.
    pub(crate) fn build(&self, target: &TargetSystem, crates: &Path) -> Result<PathBuf> {
        tools::ensure_rust_target(target.triple)?;
        let mut build = match target.needs {
            Needs::Windows => {
                let compiler = MINGW.ensure()?;
                let mut build = cargo();
                build.arg("build").env(linker_variable(target), &compiler);
                build.env("CC_x86_64_pc_windows_gnu", &compiler);
                build
            }
            Needs::Nothing => {
                let mut build = self.zigbuild()?;
                // zig links static binaries for one address; with the compiler's own linker they are static-pie.
                build.env(linker_variable(target), "rust-lld");
                build
            }
            Needs::Glibc(..) => self.zigbuild()?,
        };
        let triple = match target.needs {
            Needs::Glibc(major, minor) => format!("{}.{major}.{minor}", target.triple),
            Needs::Nothing | Needs::Windows => target.triple.to_owned(),
        };
        build.args(["--release", "--package", "stampede-shooter", "--locked", "--target", &triple]);
        build.env("CARGO_ENCODED_RUSTFLAGS", &self.rust_flags).env("CFLAGS", &self.c_flags);
        build.env(crate_list::VARIABLE, crates).env("SOURCE_DATE_EPOCH", self.time.to_string()).current_dir(root());
        step::run(&format!("build {}", target.triple), &mut build)?;
        Ok(target_folder().join(target.triple).join("release").join(target.binary()))
    }

    /// Returns a call of cargo with zig as C compiler and linker.
    fn zigbuild(&self) -> Result<Command> {
        let mut build = Command::new(self.zig.join("cargo-zigbuild"));
        build.arg("zigbuild").env("PATH", self.path()?);
        Ok(build)
    }

    /// Returns the `PATH` on which cargo-zigbuild finds zig.
    fn path(&self) -> Result<OsString> {
        let rest = env::var_os("PATH").unwrap_or_default();
        let folders = [self.zig.clone()].into_iter().chain(env::split_paths(&rest));
        env::join_paths(folders).context("a folder of zig cannot be in PATH")
    }
}

/// Returns the variable that names cargo's linker for a target.
fn linker_variable(target: &TargetSystem) -> String {
    format!("CARGO_TARGET_{}_LINKER", target.triple.to_uppercase().replace('-', "_"))
}
