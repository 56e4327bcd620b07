//! Compiles packages of the workspace to components; for the build scripts of the host (`plugins/`) and of the test
//! harness (`tests/guests/`).
//!
//! A build script runs a second cargo for this. That one has a target folder of its own, since the first cargo holds
//! the lock of the usual one, and it must not inherit settings that are meant for the host alone, such as flags for its
//! processor or clippy as the compiler.

use std::env;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The result of a part of a build script, whose errors are only ever shown.
pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

const TARGET: &str = "wasm32-wasip2";

/// The environment variable that names another profile, as `cargo xtask demo` does.
pub const PROFILE_VARIABLE: &str = "STAMPEDE_PLUGIN_PROFILE";

/// Links components with 32 KiB of stack instead of 1 MiB, since every instance has its own.
const STACK_SIZE: &str = "-Clink-arg=-zstack-size=32768";

/// Separates the flags in `CARGO_ENCODED_RUSTFLAGS`.
const FLAG_SEPARATOR: &str = "\u{1f}";

/// Variables that an outer cargo sets, or a user sets for the host. `CARGO_ENCODED_RUSTFLAGS` is not among them: it is
/// replaced, and wins over the other ways to give flags.
const NOT_FOR_GUESTS: [&str; 6] = [
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_BUILD_DIR",
];

/// Compiles the packages or examples that `arguments` of `cargo build` name, by a profile of the workspace's
/// `Cargo.toml` unless [`PROFILE_VARIABLE`] names another, and returns the folder of the components.
///
/// # Errors
/// The Rust target is missing (in one line with the remedy, instead of a page about a missing `core`), or the packages
/// do not compile.
pub fn compile(root: &Path, profile: &str, arguments: &[String]) -> Result<PathBuf> {
    require_target()?;
    let target = target_folder()?;
    println!("cargo::rerun-if-env-changed={PROFILE_VARIABLE}");
    let profile = env::var(PROFILE_VARIABLE).unwrap_or_else(|_| profile.to_owned());
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.current_dir(root).args(["build", "--locked", "--profile", &profile, "--target", TARGET]);
    cargo.arg("--target-dir").arg(&target).args(arguments);
    NOT_FOR_GUESTS.iter().for_each(|name| {
        cargo.env_remove(name);
    });
    let replaced = replaced_folders(root)?;
    let replaced = replaced.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display()));
    let flags: Vec<_> = [STACK_SIZE.to_owned()].into_iter().chain(replaced).collect();
    let output = cargo.env("CARGO_ENCODED_RUSTFLAGS", flags.join(FLAG_SEPARATOR)).output()?;
    if output.status.success() {
        return Ok(target.join(TARGET).join(&profile));
    }
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    Err("the plugins did not compile, see above".into())
}

/// Returns the folders of this machine that places of panics would name, each with what replaces it. Otherwise a
/// component would tell who built it, and would have another digest on each machine.
///
/// # Errors
/// The compiler does not tell its folder.
pub fn replaced_folders(root: &Path) -> Result<Vec<(PathBuf, String)>> {
    let rustc = |arguments: &[&str]| -> Result<String> {
        let compiler = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let output = Command::new(compiler).args(arguments).output()?;
        Ok(String::from_utf8(output.stdout)?.trim().to_owned())
    };
    // The standard library has such places, unless its sources are installed.
    let version = rustc(&["--version", "--verbose"])?;
    let commit = version.lines().find_map(|line| line.strip_prefix("commit-hash: ")).unwrap_or_default();
    let library = Path::new(&rustc(&["--print", "sysroot"])?).join("lib/rustlib/src/rust");
    let mut replaced = vec![(root.to_owned(), "/stampede-shooter".to_owned()), (library, format!("/rustc/{commit}"))];
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    // One for each registry, with a name that differs between a registry and its mirrors.
    let registries = home.and_then(|home| std::fs::read_dir(home.join("registry/src")).ok());
    replaced.extend(registries.into_iter().flatten().flatten().map(|entry| (entry.path(), "/crates".to_owned())));
    Ok(replaced)
}

fn require_target() -> Result<()> {
    let output = Command::new(env::var("RUSTC")?).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    if Path::new(String::from_utf8(output.stdout)?.trim()).is_dir() {
        return Ok(());
    }
    Err(format!("the plugins need the Rust target `{TARGET}`, which this command adds: rustup target add {TARGET}")
        .into())
}

/// Returns `<target>/plugins`, shared by all profiles, where `OUT_DIR` is
/// `<target>/[<triple>/]<profile>/build/<package>/out`.
fn target_folder() -> Result<PathBuf> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let build = out.ancestors().find(|folder| folder.ends_with("build"));
    let Some(mut target) = build.and_then(Path::parent).and_then(Path::parent) else {
        return Ok(out.join("plugins"));
    };
    if env::var("TARGET").is_ok_and(|triple| target.ends_with(triple)) {
        target = target.parent().unwrap_or(target);
    }
    Ok(target.join("plugins"))
}
