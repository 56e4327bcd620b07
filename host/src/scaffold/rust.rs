//! A plugin in Rust, on a copy of the SDK.

use std::path::{Path, PathBuf};

use super::sdk::SDK;

/// Where the SDK lies in the plugin's folder; the template's manifest says the same.
const SDK_FOLDER: &str = "sdk";

/// Paths in the plugin's folder, and texts with `{{name}}`, `{{crate}}` and `{{action}}` in them. The files have other
/// names here where cargo or git would take them for this repository's own.
const TEMPLATE: [(&str, &str); 7] = [
    ("Cargo.toml", include_str!("../../templates/rust/Cargo.toml.in")),
    ("src/lib.rs", include_str!("../../templates/rust/src/lib.rs")),
    ("script.yml", include_str!("../../templates/rust/script.yml")),
    ("cases.yml", include_str!("../../templates/rust/cases.yml")),
    ("README.md", include_str!("../../templates/rust/README.md")),
    (".gitignore", include_str!("../../templates/rust/gitignore")),
    (".cargo/config.toml", include_str!("../../templates/rust/cargo-config.toml")),
];

/// The plugin's own files, then those of the SDK.
pub fn files(name: &str) -> Vec<(PathBuf, String)> {
    let fill = |text: &str| {
        let text = text.replace("{{name}}", name).replace("{{crate}}", &name.replace('-', "_"));
        text.replace("{{action}}", &name.replace('_', "-"))
    };
    let own = TEMPLATE.iter().map(|(path, text)| (PathBuf::from(path), fill(text)));
    let sdk = SDK.iter().map(|(path, text)| (Path::new(SDK_FOLDER).join(path), (*text).to_owned()));
    own.chain(sdk).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text<'f>(files: &'f [(PathBuf, String)], path: &str) -> &'f str {
        let file = files.iter().find(|(known, _)| known == Path::new(path));
        file.map_or_else(|| panic!("no `{path}`"), |(_, text)| text)
    }

    #[test]
    fn the_name_is_written_as_each_place_wants_it() {
        let files = files("my_plugin-2");
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
        let files = files("hello");
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
