//! Behaves well, but refuses every value of its parameter `colour`.

use stampede_guests::{ConfigError, Misbehaviour, guest};

/// The guest.
pub struct RefusesItsStep;

impl Misbehaviour for RefusesItsStep {
    fn configure(_: &str) -> Result<u32, ConfigError> {
        Err(ConfigError {
            pointer: "/colour".into(),
            message: "`colour` must be a colour of the rainbow".into(),
            help: Some("try `indigo`".into()),
        })
    }
}

guest!(RefusesItsStep);
