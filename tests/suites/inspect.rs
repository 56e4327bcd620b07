//! `plugin inspect`: a component described before it runs.

use std::fs;

use crate::{assert_golden, shooter, tests_folder};

/// A component that is never rebuilt, so that its size and digest stay the same.
fn component() -> Vec<u8> {
    fs::read(tests_folder().join("fixtures/contract-0.1.0.wasm")).expect("the fixture is there")
}

#[test]
fn a_component_is_shown_in_words_and_in_json() {
    for (arguments, golden) in [("", "inspect.txt"), ("--json", "inspect.json")] {
        let run = shooter().file("it.wasm", component()).args("plugin inspect it.wasm").args(arguments);
        assert_golden(&tests_folder().join("suites/golden").join(golden), &run.finish().exits(0).stdout);
    }
}

#[test]
fn components_that_do_not_load_are_reported() {
    let run = shooter().file("it.wasm", "hello").args("plugin inspect it.wasm").finish().exits(4);
    assert_eq!(run.stderr, "error[plugin::load]: `it.wasm` does not load: it is not a WebAssembly file\n");
    let run = shooter().args("plugin inspect none.wasm").finish().exits(4);
    let reason = "cannot read `none.wasm`: no such file or directory";
    assert_eq!(run.stderr, format!("error[plugin::load]: `none.wasm` does not load: {reason}\n"));
}
