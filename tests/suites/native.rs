//! Native plugins: refused unless the user vouches for them, and then as good as components. Libraries are built here by
//! the C compiler that the host's own build needs too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use stampede_tests::{Finished, Run, settled, site};
use tempfile::TempDir;

use crate::{assert_golden, shooter, tests_folder};

/// Where the header is.
const INCLUDE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../plugin-sdk/include");
/// The example.
const GREET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/native-greet");

/// Says that the header is not to be written by hand, and what it needs.
const HEAD: &str = "// The contract between stampede-shooter and native plugins. Made from host/src/plugin/native/abi.rs: change that, and
// run the tests with BLESS=1.
";

/// What C wants besides.
const HELPERS: &str = "/// A text from a literal, for initializers.
#define STAMPEDE_TEXT(literal) {(literal), sizeof(literal) - 1}

#if defined(_WIN32)
#define STAMPEDE_EXPORT __declspec(dllexport)
#else
#define STAMPEDE_EXPORT __attribute__((visibility(\"default\")))
#endif";

#[test]
fn the_header_is_what_its_definition_says() {
    let mut config = cbindgen::Config {
        language: cbindgen::Language::C,
        header: Some(HEAD.into()),
        include_guard: Some("STAMPEDE_NATIVE_H".into()),
        after_includes: Some(HELPERS.into()),
        no_includes: true,
        sys_includes: vec!["stddef.h".into(), "stdint.h".into()],
        cpp_compat: true,
        usize_is_size_t: true,
        documentation_style: cbindgen::DocumentationStyle::C99,
        line_length: 120,
        tab_width: 4,
        ..cbindgen::Config::default()
    };
    config.function.prefix = Some("STAMPEDE_EXPORT".into());
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/plugin/native/abi.rs");
    let bindings = cbindgen::Builder::new().with_config(config).with_src(source).generate();
    let mut header = Vec::new();
    bindings.expect("the definition is understood").write(&mut header);
    let header = String::from_utf8(header).expect("it is a text");
    assert_golden(&Path::new(INCLUDE).join("stampede_native.h"), &header);
}

/// Builds a library.
#[track_caller]
fn build(source: &Path, folder: &Path) -> PathBuf {
    let library = folder.join("it.so");
    let mut compiler = Command::new(std::env::var_os("CC").unwrap_or_else(|| "cc".into()));
    compiler.args(["-std=c11", "-Wall", "-Wextra", "-Werror", "-O2", "-fPIC", "-shared", "-I", INCLUDE, "-o"]);
    let output = compiler.arg(&library).arg(source).output().expect("there is a C compiler");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    library
}
