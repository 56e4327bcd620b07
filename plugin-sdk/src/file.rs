//! Files that a step names, such as the schema of a protocol.

use crate::ConfigError;
use crate::bindings::files;

/// Reads a file, its path relative to the script's folder. The path must appear verbatim among the parameters of the
/// step. Only within [`Action::configure`](crate::Action::configure): later the host ends the instance.
///
/// # Errors
/// The file cannot be read, or the step does not name it.
pub fn read(path: &str) -> Result<Vec<u8>, ConfigError> {
    files::read(path).map_err(ConfigError::new)
}
