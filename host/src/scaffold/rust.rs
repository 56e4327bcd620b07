//! A plugin in Rust, on a copy of the SDK.

use std::path::{Path, PathBuf};

use super::sdk::SDK;
use super::template::{PluginTemplate, SDK_FOLDER};

/// A plugin in Rust; the manifest says too where the SDK is.
pub const TEMPLATE: PluginTemplate = PluginTemplate {
    component: "target/wasm32-wasip2/release/{{crate}}.wasm",
    limits: "",
    files: &[
        ("Cargo.toml", include_str!("../../templates/rust/Cargo.toml.in")),
        ("src/lib.rs", include_str!("../../templates/rust/src/lib.rs")),
        ("README.md", include_str!("../../templates/rust/README.md")),
        (".gitignore", include_str!("../../templates/rust/gitignore")),
        (".cargo/config.toml", include_str!("../../templates/rust/cargo-config.toml")),
    ],
    sdk,
};

/// The crate, and the contract that it is made from.
fn sdk() -> Vec<(PathBuf, &'static str)> {
    SDK.iter().map(|(path, text)| (Path::new(SDK_FOLDER).join(path), *text)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::files;
    use super::*;
    use crate::cli::PluginLanguage;

    fn text<'f>(files: &'f [(PathBuf, String)], path: &str) -> &'f str {
        let file = files.iter().find(|(known, _)| known == Path::new(path));
        file.map_or_else(|| panic!("no `{path}`"), |(_, text)| text)
    }

    #[test]
    fn the_name_is_written_as_each_place_wants_it() {
        let files = files("my_plugin-2", PluginLanguage::Rust);
        assert!(text(&files, "Cargo.toml").contains("name = \"my_plugin-2\""));
        let script = text(&files, "script.yml");
        assert!(script.contains("release/my_plugin_2.wasm") && script.contains("action: my-plugin-2"));
        assert!(text(&files, "src/lib.rs").contains("const NAME: &'static str = \"my-plugin-2\";"));
        for (path, text) in &files {
            assert!(
                !["{{name}}", "{{crate}}", "{{action}}"].iter().any(|mark| text.contains(mark))
                    || path.starts_with("sdk")
            );
        }
    }

    #[test]
    fn the_sdk_stands_by_itself() {
        let files = files("hello", PluginLanguage::Rust);
        let manifest = text(&files, "sdk/plugin-sdk/Cargo.toml");
        assert!(!["workspace", "[lints]", "example"].iter().any(|mark| manifest.contains(mark)), "{manifest}");
        assert!(manifest.contains("edition = \"2024\"\n") && manifest.contains("wit-bindgen = "));
        let rust = |manifest: &str| manifest.lines().find(|line| line.starts_with("rust-version")).map(str::to_owned);
        assert_eq!(rust(manifest), rust(text(&files, "Cargo.toml")));
        assert!(text(&files, "sdk/wit/world.wit").contains("package stampede:plugin@"));
        let tests = files.iter().filter(|(path, text)| path.ends_with("tests.rs") || text.contains("mod tests;"));
        assert_eq!(tests.count(), 0);
    }
}
