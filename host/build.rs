//! Compiles the plugins of `plugins/` to components and generates `builtin.rs`, which embeds them:
//!
//! ```text
//! pub const BUILTIN: &[BuiltinPlugin] =
//!     &[BuiltinPlugin { name: "http", actions: &["http"], digest: "9f86d0…", deflated: include_bytes!(…) }, …];
//! ```
//!
//! The files in a plugin's folder `schema`, one for each action, tell which actions it offers, so that the program need
//! not ask the component. `sdk.rs` embeds the SDK for `plugin new`, `page.rs` the page of a run, `crates.rs` the list
//! of crates.

#[path = "build/crates.rs"]
mod crates;
#[path = "build/page.rs"]
mod page;
#[path = "build/sdk.rs"]
mod sdk;

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use flate2::Compression;
use flate2::write::DeflateEncoder;
use sha2::{Digest, Sha256};
use stampede_components::Result;

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
    let plugins = builtin(&fs::read_to_string(root.join("Cargo.toml"))?)?;
    let packages: Vec<_> = plugins.iter().map(|plugin| format!("--package=stampede-plugin-{plugin}")).collect();
    let compiled = stampede_components::compile(&root, "plugin", &packages)?;
    let actions = plugins.iter().map(|plugin| actions(&folder.join(plugin).join("schema")));
    let offered = plugins.iter().cloned().zip(actions.collect::<Result<Vec<_>>>()?);
    let out = PathBuf::from(env::var("OUT_DIR")?);
    sdk::embed(&root, &out)?;
    page::embed(&root, &out)?;
    crates::embed(&out)?;
    embed(&out, &compiled, &offered.collect::<Vec<_>>())
}

/// Reads the list of built-in plugins from the workspace's manifest: `builtin-plugins = ["grpc", …]`, on one line or
/// several.
///
/// A list, because a folder below `plugins/` may also be a crate that plugins share, which is not a component. It is in
/// the manifest, so that adding a plugin changes no file of the host.
fn builtin(manifest: &str) -> Result<Vec<String>> {
    let list = manifest.split_once("\nbuiltin-plugins = [").and_then(|(_, rest)| rest.split_once(']'));
    let (list, _) = list.ok_or("the workspace's manifest has no `builtin-plugins`")?;
    Ok(list.split('"').skip(1).step_by(2).map(str::to_owned).collect())
}

/// Lists the actions with a schema in this folder, sorted.
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

/// Writes the components, deflated, and the generated file that includes them.
fn embed(out: &Path, compiled: &Path, plugins: &[(String, Vec<String>)]) -> Result<()> {
    let mut source = "/// The built-in plugins.\npub const BUILTIN: &[BuiltinPlugin] = &[\n".to_owned();
    for (plugin, actions) in plugins {
        let component = fs::read(compiled.join(format!("stampede_plugin_{plugin}.wasm")))?;
        let digest: String = Sha256::digest(&component).iter().map(|byte| format!("{byte:02x}")).collect();
        let file = format!("{plugin}.deflated");
        let mut deflated = DeflateEncoder::new(File::create(out.join(&file))?, Compression::best());
        deflated.write_all(&component)?;
        deflated.finish()?;
        let deflated = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{file}\"))");
        writeln!(
            source,
            "    BuiltinPlugin {{ name: {plugin:?}, actions: &{actions:?}, digest: {digest:?}, deflated: {deflated} }},"
        )?;
    }
    source.push_str("];\n");
    Ok(fs::write(out.join("builtin.rs"), source)?)
}
