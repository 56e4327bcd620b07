//! The misbehaving plugins, as components.

use std::path::{Path, PathBuf};

/// Returns the path of the component of `tests/guests/<name>.rs`.
///
/// # Panics
/// There is no such guest.
#[track_caller]
pub fn guest(name: &str) -> PathBuf {
    let component = Path::new(env!("STAMPEDE_GUESTS")).join(format!("{name}.wasm"));
    assert!(component.is_file(), "there is no guest `{name}`");
    component
}
