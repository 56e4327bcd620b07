//! The plugin that `plugin new` writes: a folder that builds, passes its tests and has a script that uses it. It has a
//! copy of this program's SDK, so that the two always speak the same contract.

mod c;
mod javascript;
mod name;
mod python;
mod rust;
mod sdk;
mod template;
mod write;

use crate::cli::{PluginKind, PluginLanguage};

pub(crate) use name::check_name;
pub(crate) use template::ScaffoldFile;
pub(crate) use write::write;

/// The script and the cases of each kind, which are the same in every language, in the order of [`PluginKind`].
const COMMON_FILES: [[(&str, &str); 2]; 3] = [
    [
        ("script.yml", include_str!("../../templates/common/script.yml")),
        ("cases.yml", include_str!("../../templates/common/cases.yml")),
    ],
    [
        ("script.yml", include_str!("../../templates/common/socket_script.yml")),
        ("cases.yml", include_str!("../../templates/common/socket_cases.yml")),
    ],
    [
        ("script.yml", include_str!("../../templates/common/stream_script.yml")),
        ("cases.yml", include_str!("../../templates/common/stream_cases.yml")),
    ],
];

/// The words in which READMEs say what the action of each kind does.
const PURPOSES: [&str; 3] = [
    "it fetches a page and expects a status and a text",
    "it sends a line over a socket and expects a text in the answer",
    "it reads a reply as it arrives until a text is in it",
];

/// Returns the files of a plugin with this name: its own, then those of the SDK; `None` if there is no template of the
/// kind in the language.
pub(crate) fn files(name: &str, language: PluginLanguage, kind: PluginKind) -> Option<Vec<ScaffoldFile>> {
    let template = match language {
        PluginLanguage::Rust => rust::TEMPLATE,
        PluginLanguage::Python => python::TEMPLATE,
        PluginLanguage::Javascript => javascript::TEMPLATE,
        PluginLanguage::C => c::TEMPLATE,
    };
    let fill = |text: &str| {
        let text = text.replace("{{component}}", template.component).replace("{{limits}}", template.limits);
        let text = text.replace(PURPOSES[0], PURPOSES[kind as usize]);
        let text = text.replace("{{name}}", name).replace("{{crate}}", &name.replace('-', "_"));
        text.replace("{{action}}", &name.replace('_', "-"))
    };
    let (path, sources) = template.source;
    let source = (path, sources[kind as usize]?);
    let own = [source].into_iter().chain(template.files.iter().copied()).chain(COMMON_FILES[kind as usize]);
    Some(own.map(|(path, text)| ScaffoldFile::new(path, fill(text))).chain((template.sdk)()).collect())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::template::SDK_FOLDER;
    use super::*;

    #[test]
    fn every_language_comes_with_the_contract() {
        for (language, helper) in [
            (PluginLanguage::Rust, "plugin-sdk/src/lib.rs"),
            (PluginLanguage::Python, "stampede.py"),
            (PluginLanguage::Javascript, "stampede.js"),
            (PluginLanguage::C, "stampede.h"),
        ] {
            let files = files("my_plugin-2", language, PluginKind::Socket).expect("a template");
            for path in ["sdk/wit/world.wit", "sdk/wit/action.wit", "script.yml", "README.md", ".gitignore"] {
                assert!(files.iter().any(|file| file.path == Path::new(path)), "{language:?}: {path}");
            }
            assert!(files.iter().any(|file| file.path == Path::new(SDK_FOLDER).join(helper)), "{language:?}");
            let own = files.iter().filter(|file| !file.path.starts_with(SDK_FOLDER));
            for ScaffoldFile { path, text } in own {
                let marks = ["{{name}}", "{{crate}}", "{{action}}", "{{component}}", "{{limits}}"];
                assert!(!marks.iter().any(|mark| text.contains(mark)), "{language:?}: {}", path.display());
            }
        }
    }
}
