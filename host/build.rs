//! Compiles the plugins of `plugins/` to components and generates `builtin.rs`, which embeds them:
//!
//! ```text
//! pub const BUILTIN: &[(&str, &[u8])] = &[("http", include_bytes!(…)), …];
//! ```

#[path = "build/component.rs"]
mod component;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use component::Result;

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
    println!("cargo::rerun-if-changed=build");
    let plugins = plugins(&root.join("plugins"))?;
    let packages: Vec<_> = plugins.iter().map(|plugin| format!("--package=stampede-plugin-{plugin}")).collect();
    let compiled = component::compile(&root, &packages)?;
    embed(&PathBuf::from(env::var("OUT_DIR")?), &compiled, &plugins)
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
