//! The misbehaving plugins, as components.

use std::path::{Path, PathBuf};

/// The component of `tests/guests/<name>.rs`.
///
/// # Panics
/// There is none.
#[track_caller]
pub fn guest(name: &str) -> PathBuf {
    let component = Path::new(env!("STAMPEDE_GUESTS")).join(format!("{name}.wasm"));
    assert!(component.is_file(), "there is no guest `{name}`");
    component
}
