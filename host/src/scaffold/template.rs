//! The form of a new plugin's template, in any language.

use std::path::{Path, PathBuf};

use super::sdk;
#[cfg(doc)]
use crate::cli::PluginKind;

/// The folder of the SDK in a plugin's folder.
pub(super) const SDK_FOLDER: &str = "sdk";

/// The template of a plugin in one language. Its texts contain `{{name}}`, `{{crate}}`, `{{action}}`, `{{component}}`
/// and `{{limits}}`. Files have other names here if cargo or git would take them for this repository's own.
pub(super) struct PluginTemplate {
    /// The path of the built component.
    pub component: &'static str,
    /// The limits that the script raises for it.
    pub limits: &'static str,
    /// The plugin's own files of any kind: paths in its folder, and texts.
    pub files: &'static [(&'static str, &'static str)],
    /// The source file, by kind: its path, and its text in the order of [`PluginKind`]; `None` if there is no template.
    pub source: (&'static str, [Option<&'static str>; 3]),
    /// The files of the SDK, which are copied unchanged.
    pub sdk: fn() -> Vec<ScaffoldFile>,
}

/// A file of a new plugin.
pub(crate) struct ScaffoldFile {
    /// The path in the plugin's folder.
    pub path: PathBuf,
    /// The content.
    pub text: String,
}

impl ScaffoldFile {
    /// Creates a file from path and content.
    pub(super) fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        Self { path: path.into(), text: text.into() }
    }
}

/// Returns the contract, for languages whose tools read it, and the files of the helper that hides it.
pub(super) fn contract(helper: &[(&str, &'static str)]) -> Vec<ScaffoldFile> {
    let contract = sdk::SDK.iter().filter(|(path, _)| path.starts_with("wit/"));
    let all = contract.chain(helper).map(|(path, text)| ScaffoldFile::new(Path::new(SDK_FOLDER).join(path), *text));
    all.collect()
}
