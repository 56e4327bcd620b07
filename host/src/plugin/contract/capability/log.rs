//! Log lines for the user.

use crate::plugin::contract::bindings::log::{Host, Level};
use crate::plugin::contract::state::StoreData;

impl Host for StoreData {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let level = match level {
            Level::Error => tracing::Level::ERROR,
            Level::Warn => tracing::Level::WARN,
            Level::Info => tracing::Level::INFO,
            Level::Debug => tracing::Level::DEBUG,
        };
        self.guest().log(level, &message);
        Ok(())
    }
}
