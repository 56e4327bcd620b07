//! Embeds the list of the crates that the binary is made of, where `cargo xtask dist` has written one.

use std::path::Path;
use std::{env, fs};

use stampede_components::Result;

/// The variable that names the file with the list, in the form of cargo-auditable.
const VARIABLE: &str = "STAMPEDE_CRATE_LIST";

/// Writes the file that the binary includes: a static in the section `.dep-v0`, and a function that refers to it so
/// that linkers keep it. Without a list the function does nothing.
pub(crate) fn embed(out: &Path) -> Result<()> {
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    let mut list = String::new();
    let mut reference = "";
    if let Some(file) = env::var_os(VARIABLE) {
        let file = Path::new(&file);
        println!("cargo::rerun-if-changed={}", file.display());
        let length = fs::copy(file, out.join("crates.zlib"))?;
        let section = if env::var("CARGO_CFG_TARGET_VENDOR")? == "apple" { "__DATA,.dep-v0" } else { ".dep-v0" };
        list = format!(
            "#[used]\n#[unsafe(link_section = {section:?})]\n\
             static CRATES: [u8; {length}] = *include_bytes!(concat!(env!(\"OUT_DIR\"), \"/crates.zlib\"));\n"
        );
        reference = "std::hint::black_box(&CRATES);";
    }
    let source = format!("{list}\n/// Keeps the list of crates in the binary.\nfn keep_crates() {{ {reference} }}\n");
    Ok(fs::write(out.join("crates.rs"), source)?)
}
