//! Lines for the person who runs the test. A flood is cut short: each instance may write a number of lines a second.

use crate::plugin::bindings::log::{Host, Level};
use crate::plugin::limits;
use crate::plugin::state::State;

impl Host for State {
    fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let guest = self.guest();
        // Without a session there is no clock; such lines count towards the second of the last one.
        let second = guest.session.as_ref().map(|session| session.shared.clock.now() / 1_000_000_000);
        if let Some(second) = second.filter(|second| *second != guest.log_lines.0) {
            guest.log_lines = (second, 0);
        }
        guest.log_lines.1 = guest.log_lines.1.saturating_add(1);
        let plugin = &*guest.plugin;
        match guest.log_lines.1 {
            n if n == limits::LOG_LINES + 1 => tracing::warn!(plugin, "more log lines in this second are left out"),
            n if n > limits::LOG_LINES => {}
            _ => {
                let line = guest
                    .session
                    .as_ref()
                    .map_or_else(|| message.chars().take(limits::TEXT).collect(), |session| session.redact(&message));
                match level {
                    Level::Error => tracing::error!(plugin, "{line}"),
                    Level::Warn => tracing::warn!(plugin, "{line}"),
                    Level::Info => tracing::info!(plugin, "{line}"),
                    Level::Debug => tracing::debug!(plugin, "{line}"),
                }
            }
        }
        Ok(())
    }
}
