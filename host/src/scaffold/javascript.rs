//! The template of a plugin in JavaScript, which `componentize-js` turns into a component.

use super::template::{PluginTemplate, contract};

/// A module and a helper of one file.
pub(super) const TEMPLATE: PluginTemplate = PluginTemplate {
    component: "{{crate}}.wasm",
    limits: "\n    # Its engine collects the heap late: with the usual 64MiB the instance would be replaced now and then.\n    \
             limits: {memory: 128MiB}",
    files: &[
        ("build.mjs", include_str!("../../templates/javascript/build.mjs")),
        ("package.json", include_str!("../../templates/javascript/package.json")),
        ("README.md", include_str!("../../templates/javascript/README.md")),
        (".gitignore", include_str!("../../templates/javascript/gitignore")),
    ],
    source: (
        "action.js",
        [
            Some(include_str!("../../templates/javascript/action.js")),
            Some(include_str!("../../templates/javascript/socket.js")),
            Some(include_str!("../../templates/javascript/stream.js")),
        ],
    ),
    sdk: || {
        contract(&[
            ("hash.js", include_str!("../../templates/javascript/sdk/hash.js")),
            ("fake-host.js", include_str!("../../templates/javascript/sdk/fake-host.js")),
            ("stampede.js", include_str!("../../templates/javascript/sdk/stampede.js")),
            ("stampede.d.ts", include_str!("../../templates/javascript/sdk/stampede.d.ts")),
        ])
    },
};
