//! The places in the workspace, the cargo that started this command, and the target that plugins are compiled for.

use std::env::{self, consts::EXE_SUFFIX};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::step::{self, Failure};

const TARGET: &str = "wasm32-wasip2";

/// Returns the folder of the workspace's `Cargo.toml`.
pub fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Returns a call of the cargo that started this command, in the folder of the caller.
pub fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// Returns a call of that cargo in the workspace's folder.
pub fn workspace_cargo(arguments: &[&str]) -> Command {
    let mut command = cargo();
    command.args(arguments).current_dir(root());
    command
}

/// Builds the load runner for release, and returns the path of the binary. `features` are more arguments of cargo.
///
/// # Errors
/// The build failed.
pub fn build_release(features: &[&str]) -> Result<PathBuf, Failure> {
    let arguments = [&["build", "--package", "stampede-shooter", "--release"], features].concat();
    step::run("build", &mut workspace_cargo(&arguments))?;
    Ok(binary("release"))
}

/// Builds the load runner for the demo, in a third of the time of a release build, and returns the path of the binary.
///
/// # Errors
/// The build failed.
pub fn build_demo() -> Result<PathBuf, Failure> {
    // Its guests are compiled quickly too, see `host/components/src/lib.rs`.
    let mut cargo = workspace_cargo(&["build", "--package", "stampede-shooter", "--profile", "demo"]);
    step::run("build", cargo.env("STAMPEDE_PLUGIN_PROFILE", "plugin-demo"))?;
    Ok(binary("demo"))
}

/// Returns the path of the load runner that a profile builds.
fn binary(profile: &str) -> PathBuf {
    target_folder().join(profile).join(format!("stampede-shooter{EXE_SUFFIX}"))
}

/// Returns the folder of cargo's output.
pub fn target_folder() -> PathBuf {
    root().join(env::var_os("CARGO_TARGET_DIR").map_or_else(|| "target".into(), PathBuf::from))
}

/// Ensures that plugins can be compiled: adds their target through rustup if it is missing.
///
/// # Errors
/// The target is missing and rustup cannot add it.
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

/// Asks the compiler, since rustup need not have installed it.
fn has_target() -> Result<bool, Failure> {
    let mut rustc = Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let rustc = rustc.args(["--print", "target-libdir", "--target", TARGET]).current_dir(root());
    let folder = step::output("rustc --print target-libdir", rustc)?;
    Ok(Path::new(String::from_utf8_lossy(&folder).trim_end()).exists())
}
