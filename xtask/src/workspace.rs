//! Where things are, the cargo that called, and the target that plugins are compiled for.

use std::env::{self, consts::EXE_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::step::{self, Failure};

const TARGET: &str = "wasm32-wasip2";

/// The folder of the workspace's `Cargo.toml`.
pub fn root() -> &'static Path {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own)
}

/// A call of the same cargo that called this, in the workspace's folder.
pub fn cargo(arguments: &[&str]) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(root());
    command
}

/// Builds the load runner for release; the path of the binary.
pub fn build_release() -> Result<PathBuf, Failure> {
    step::run("build", &mut cargo(&["build", "--release", "--package", "stampede-shooter"]))?;
    Ok(target_folder().join("release").join(format!("stampede-shooter{EXE_SUFFIX}")))
}

/// Builds the load runner for release with the native twin of the `http` action in it; the path of a copy in `folder`.
pub fn build_twin(folder: &Path) -> Result<PathBuf, Failure> {
    let arguments = ["build", "--release", "--package", "stampede-shooter", "--features", "native-twin"];
    step::run("build with the native twin", &mut cargo(&arguments))?;
    let name = format!("stampede-shooter{EXE_SUFFIX}");
    let (built, copy) = (target_folder().join("release").join(&name), folder.join(format!("twin-{name}")));
    std::fs::copy(&built, &copy)
        .map(|_| copy)
        .map_err(|error| Failure(format!("cannot copy `{}`: {error}", built.display())))
}

/// Where cargo puts what it builds.
pub fn target_folder() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from))
}

/// Sees to it that plugins can be compiled: adds the target through rustup if it is missing.
pub fn ensure_target() -> Result<(), Failure> {
    if has_target()? {
        return Ok(());
    }
    let mut rustup = Command::new("rustup");
    let added = step::run("rustup target add", rustup.args(["target", "add", TARGET]).current_dir(root()));
    added.map_err(|_| {
        Failure(format!("the Rust target `{TARGET}` is missing: add it with `rustup target add {TARGET}`"))
    })
}

/// Asks the compiler, which knows wherever it was installed from.
fn has_target() -> Result<bool, Failure> {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let rustc = rustc.args(["--print", "target-libdir", "--target", TARGET]).current_dir(root());
    let folder = step::output("rustc --print target-libdir", rustc)?;
    Ok(Path::new(String::from_utf8_lossy(&folder).trim_end()).exists())
}
