//! A plugin to begin with: a folder that builds, passes its tests and has a script that uses it. It carries its SDK,
//! which is the one of this program, so that the two always speak the same contract.

mod name;
mod rust;
mod sdk;
mod write;

use std::path::PathBuf;

use crate::cli::Language;

pub use name::check_name;
pub use write::write;

/// The files of a plugin with this name, each by its path within the plugin's folder.
pub fn files(name: &str, language: Language) -> Vec<(PathBuf, String)> {
    match language {
        Language::Rust => rust::files(name),
    }
}
