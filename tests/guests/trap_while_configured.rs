//! Panics while a step is configured.

use stampede_guests::{ConfigError, Misbehaviour, guest};

/// The guest.
pub struct TrapWhileConfigured;

impl Misbehaviour for TrapWhileConfigured {
    fn configure(_: &str) -> Result<u32, ConfigError> {
        panic!("as it was made to");
    }
}

guest!(TrapWhileConfigured);
