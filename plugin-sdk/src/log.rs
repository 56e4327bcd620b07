//! Lines for the person who runs the test: on standard error under the plugin's name, as `--log` allows. Long lines and
//! floods are cut short by the host. Never log a secret.

use crate::bindings::log::write;
use crate::bindings::log_types::Level;

/// Logs that something is broken.
pub fn error(message: &str) {
    write(Level::Error, message);
}

/// Logs that something is odd.
pub fn warn(message: &str) {
    write(Level::Warn, message);
}

/// Logs a line that is useful to the person who runs the test.
pub fn info(message: &str) {
    write(Level::Info, message);
}

/// Logs a line that is useful while writing the plugin.
pub fn debug(message: &str) {
    write(Level::Debug, message);
}
