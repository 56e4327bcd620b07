//! Compiles the plugins of `plugins/` to components and generates `builtin.rs`, which embeds them:
//!
//! ```text
//! pub const BUILTIN: &[Builtin] = &[Builtin { name: "http", actions: &["http"], packed: include_bytes!(…) }, …];
//! ```
//!
//! A component is deflated to a third of its size: most runs need one or two of them, and these once per machine.
//! What a plugin offers is known from the files in its folder `schema`, one for each action, so that the program need
//! not ask a component for it. `sdk.rs` has the SDK for plugins that are begun with `plugin new`.

#[path = "build/component.rs"]
mod component;
#[path = "build/sdk.rs"]
mod sdk;

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use component::Result;
use flate2::Compression;
use flate2::write::DeflateEncoder;

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
    let folder = root.join("plugins");
    let plugins = plugins(&folder)?;
    let packages: Vec<_> = plugins.iter().map(|plugin| format!("--package=stampede-plugin-{plugin}")).collect();
    let compiled = component::compile(&root, &packages)?;
    let actions = plugins.iter().map(|plugin| actions(&folder.join(plugin).join("schema")));
    let offered = plugins.iter().cloned().zip(actions.collect::<Result<Vec<_>>>()?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    sdk::embed(&root, &out)?;
    embed(&out, &compiled, &offered.collect::<Vec<_>>())
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

/// The actions with a schema in this folder, in order.
fn actions(folder: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        if let Some(name) = entry?.file_name().to_string_lossy().strip_suffix(".json") {
            names.push(name.to_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// Packs the components beside a generated file that includes them.
fn embed(out: &Path, compiled: &Path, plugins: &[(String, Vec<String>)]) -> Result<()> {
    let mut source = "/// The built-in plugins.\npub const BUILTIN: &[Builtin] = &[\n".to_owned();
    for (plugin, actions) in plugins {
        let packed = format!("{plugin}.wasm.deflate");
        let component = fs::read(compiled.join(format!("stampede_plugin_{plugin}.wasm")))?;
        fs::write(out.join(&packed), pack(&component)?)?;
        let packed = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{packed}\"))");
        writeln!(source, "    Builtin {{ name: {plugin:?}, actions: &{actions:?}, packed: {packed} }},")?;
    }
    source.push_str("];\n");
    Ok(fs::write(out.join("builtin.rs"), source)?)
}

/// Deflates (RFC 1951) what the program inflates when it has to compile it.
fn pack(component: &[u8]) -> Result<Vec<u8>> {
    let mut packed = DeflateEncoder::new(Vec::new(), Compression::best());
    packed.write_all(component)?;
    Ok(packed.finish()?)
}
