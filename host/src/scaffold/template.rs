//! The form of a plugin to begin with, in any language.

use std::path::{Path, PathBuf};

use super::sdk;

/// Where the SDK lies in a plugin's folder.
pub const SDK_FOLDER: &str = "sdk";

/// The plugin to begin with in one language. Its texts have `{{name}}`, `{{crate}}`, `{{action}}`, `{{component}}` and
/// `{{limits}}` in them; its files have other names here where cargo or git would take them for this repository's own.
pub struct PluginTemplate {
    /// Where the component is once it is built.
    pub component: &'static str,
    /// What the script allows it beyond the usual.
    pub limits: &'static str,
    /// Paths in the plugin's folder, and texts.
    pub files: &'static [(&'static str, &'static str)],
    /// What it is written on; taken as it is.
    pub sdk: fn() -> Vec<(PathBuf, &'static str)>,
}

/// The contract, for languages whose tools read it, beside the helper that hides it.
pub fn contract(helper: &[(&str, &'static str)]) -> Vec<(PathBuf, &'static str)> {
    let contract = sdk::SDK.iter().filter(|(path, _)| path.starts_with("wit/"));
    let all = contract.chain(helper).map(|(path, text)| (Path::new(SDK_FOLDER).join(path), *text));
    all.collect()
}
