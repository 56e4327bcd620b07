//! Compiles the plugins of `plugins/` to components and generates `builtin.rs`, which embeds them:
//!
//! ```text
//! pub const BUILTIN: &[(&str, &[u8])] = &[("http", include_bytes!(…)), …];
//! ```
//!
//! That takes a second cargo. It has a target folder of its own, since the first one holds the lock of the other, and
//! it must not inherit what is meant for the host alone, such as flags for its processor or clippy as the compiler.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

const TARGET: &str = "wasm32-wasip2";

/// The custom profile of the workspace's `Cargo.toml`.
const PROFILE: &str = "plugin";

/// What the components are linked with: 32 KiB of stack instead of 1 MiB, since every instance has its own.
const RUSTFLAGS: &str = "-Clink-arg=-zstack-size=32768";

/// Set by an outer cargo, or by a user for the host. `CARGO_ENCODED_RUSTFLAGS` is replaced and wins over the other ways
/// to give flags.
const NOT_FOR_GUESTS: [&str; 6] = [
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_RUSTC_WORKSPACE_WRAPPER",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_TARGET_DIR",
    "CARGO_BUILD_BUILD_DIR",
];

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() {
    if let Err(error) = build() {
        println!("cargo::error={error}");
    }
}

fn build() -> Result<()> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("..").canonicalize()?;
    for input in ["plugins", "plugin-sdk", "wit", "Cargo.toml", "Cargo.lock"] {
        println!("cargo::rerun-if-changed={}", root.join(input).display());
    }
    println!("cargo::rerun-if-changed=build.rs");
    require_target()?;
    let plugins = plugins(&root.join("plugins"))?;
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let target = guest_target(&out);
    compile(&root, &target, &plugins)?;
    embed(&out, &target.join(TARGET).join(PROFILE), &plugins)
}

/// One line with the remedy, instead of a page of errors about a missing `core`.
fn require_target() -> Result<()> {
    let output = Command::new(env::var("RUSTC")?).args(["--print", "target-libdir", "--target", TARGET]).output()?;
    if Path::new(String::from_utf8(output.stdout)?.trim()).is_dir() {
        return Ok(());
    }
    Err(format!("the plugins need the Rust target `{TARGET}`, which this command adds: rustup target add {TARGET}")
        .into())
}

/// The folders' names, in order.
fn plugins(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// `<target>/plugins`, shared by all profiles, where `OUT_DIR` is `<target>/[<triple>/]<profile>/build/<package>/out`.
fn guest_target(out: &Path) -> PathBuf {
    let build = out.ancestors().find(|folder| folder.ends_with("build"));
    let Some(mut target) = build.and_then(Path::parent).and_then(Path::parent) else {
        return out.join("plugins");
    };
    if env::var("TARGET").is_ok_and(|triple| target.ends_with(triple)) {
        target = target.parent().unwrap_or(target);
    }
    target.join("plugins")
}

fn compile(root: &Path, target: &Path, plugins: &[String]) -> Result<()> {
    let mut cargo = Command::new(env::var("CARGO")?);
    cargo.current_dir(root).args(["build", "--locked", "--profile", PROFILE, "--target", TARGET]);
    cargo.arg("--target-dir").arg(target);
    for plugin in plugins {
        cargo.args(["--package", &format!("stampede-plugin-{plugin}")]);
    }
    NOT_FOR_GUESTS.iter().for_each(|name| {
        cargo.env_remove(name);
    });
    let output = cargo.env("CARGO_ENCODED_RUSTFLAGS", RUSTFLAGS).output()?;
    if output.status.success() {
        return Ok(());
    }
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    Err("the plugins did not compile, see above".into())
}

/// Copies the components beside a generated file that includes them.
fn embed(out: &Path, compiled: &Path, plugins: &[String]) -> Result<()> {
    let mut source =
        "/// The built-in plugins: name and component.\npub const BUILTIN: &[(&str, &[u8])] = &[\n".to_owned();
    for plugin in plugins {
        let component = format!("{plugin}.wasm");
        fs::copy(compiled.join(format!("stampede_plugin_{plugin}.wasm")), out.join(&component))?;
        writeln!(source, "    ({plugin:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{component}\"))),")?;
    }
    source.push_str("];\n");
    Ok(fs::write(out.join("builtin.rs"), source)?)
}
