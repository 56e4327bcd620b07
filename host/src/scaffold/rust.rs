//! The template of a plugin in Rust, on a copy of the SDK.

use std::path::Path;

use super::sdk::SDK;
use super::template::{PluginTemplate, SDK_FOLDER, ScaffoldFile};

/// A crate; its manifest names the folder of the SDK.
pub(super) const TEMPLATE: PluginTemplate = PluginTemplate {
    component: "target/wasm32-wasip2/release/{{crate}}.wasm",
    limits: "",
    files: &[
        ("Cargo.toml", include_str!("../../templates/rust/Cargo.toml.in")),
        ("README.md", include_str!("../../templates/rust/README.md")),
        (".gitignore", include_str!("../../templates/rust/gitignore")),
        (".cargo/config.toml", include_str!("../../templates/rust/cargo-config.toml")),
    ],
    source: (
        "src/lib.rs",
        [
            Some(include_str!("../../templates/rust/src/lib.rs")),
            Some(include_str!("../../templates/rust/src/socket.rs")),
            Some(include_str!("../../templates/rust/src/stream.rs")),
        ],
    ),
    sdk,
};

/// Returns the SDK's crate, and the contract that it is made from.
fn sdk() -> Vec<ScaffoldFile> {
    SDK.iter().map(|(path, text)| ScaffoldFile::new(Path::new(SDK_FOLDER).join(path), *text)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::files;
    use super::*;
    use crate::cli::{PluginKind, PluginLanguage};

    fn text<'f>(files: &'f [ScaffoldFile], path: &str) -> &'f str {
        let file = files.iter().find(|file| file.path == Path::new(path));
        file.map_or_else(|| panic!("no `{path}`"), |file| &file.text)
    }

    #[test]
    fn the_name_is_written_as_each_place_wants_it() {
        let files = files("my_plugin-2", PluginLanguage::Rust, PluginKind::Http).expect("a template");
        assert!(text(&files, "Cargo.toml").contains("name = \"my_plugin-2\""));
        let script = text(&files, "script.yml");
        assert!(script.contains("release/my_plugin_2.wasm") && script.contains("action: my-plugin-2"));
        assert!(text(&files, "src/lib.rs").contains("const NAME: &'static str = \"my-plugin-2\";"));
        for ScaffoldFile { path, text } in &files {
            assert!(
                !["{{name}}", "{{crate}}", "{{action}}"].iter().any(|mark| text.contains(mark))
                    || path.starts_with("sdk")
            );
        }
    }

    #[test]
    fn the_sdk_is_self_contained() {
        let files = files("hello", PluginLanguage::Rust, PluginKind::Http).expect("a template");
        let manifest = text(&files, "sdk/plugin-sdk/Cargo.toml");
        assert!(!["workspace", "[lints]", "[[example]]"].iter().any(|mark| manifest.contains(mark)), "{manifest}");
        assert!(text(&files, "sdk/plugin-sdk/examples/05_socket.rs").contains("impl Action for Line"));
        assert!(text(&files, "sdk/plugin-sdk/wit/world.wit").contains("package stampede:plugin@"));
        assert!(manifest.contains("edition = \"2024\"\n") && manifest.contains("wit-bindgen = "));
        let rust = |manifest: &str| manifest.lines().find(|line| line.starts_with("rust-version")).map(str::to_owned);
        assert_eq!(rust(manifest), rust(text(&files, "Cargo.toml")));
        assert!(text(&files, "sdk/wit/world.wit").contains("package stampede:plugin@"));
        let tests = files.iter().filter(|file| file.path.ends_with("tests.rs") || file.text.contains("mod tests;"));
        assert_eq!(tests.count(), 0);
    }
}
