//! The template of a plugin in C, on the bindings that `wit-bindgen` generates from the contract.

use super::template::{PluginTemplate, contract};

/// A source file, a helper for it, and the bindings.
pub(super) const TEMPLATE: PluginTemplate = PluginTemplate {
    component: "{{crate}}.wasm",
    limits: "",
    files: &[
        ("Makefile", include_str!("../../templates/c/Makefile")),
        ("README.md", include_str!("../../templates/c/README.md")),
        (".gitignore", include_str!("../../templates/c/gitignore")),
    ],
    source: (
        "action.c",
        [Some(include_str!("../../templates/c/action.c")), Some(include_str!("../../templates/c/socket.c")), None],
    ),
    sdk: || {
        contract(&[
            ("hash.c", include_str!("../../templates/c/sdk/hash.c")),
            ("hash.h", include_str!("../../templates/c/sdk/hash.h")),
            ("plugin.c", include_str!("../../templates/c/sdk/plugin.c")),
            ("plugin.h", include_str!("../../templates/c/sdk/plugin.h")),
            ("stampede.c", include_str!("../../templates/c/sdk/stampede.c")),
            ("stampede.h", include_str!("../../templates/c/sdk/stampede.h")),
        ])
    },
};
