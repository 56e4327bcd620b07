//! The template of a plugin in Python, which `componentize-py` turns into a component.

use super::template::{PluginTemplate, contract};

/// A module and a helper of one file.
pub(super) const TEMPLATE: PluginTemplate = PluginTemplate {
    component: "{{crate}}.wasm",
    limits: "",
    files: &[
        ("requirements.txt", include_str!("../../templates/python/requirements.txt")),
        ("README.md", include_str!("../../templates/python/README.md")),
        (".gitignore", include_str!("../../templates/python/gitignore")),
    ],
    source: (
        "action.py",
        [
            Some(include_str!("../../templates/python/action.py")),
            Some(include_str!("../../templates/python/socket.py")),
            Some(include_str!("../../templates/python/stream.py")),
        ],
    ),
    sdk: || {
        contract(&[
            ("stampede.py", include_str!("../../templates/python/sdk/stampede.py")),
            ("stampede.pyi", include_str!("../../templates/python/sdk/stampede.pyi")),
            ("fake_host.py", include_str!("../../templates/python/sdk/fake_host.py")),
        ])
    },
};
