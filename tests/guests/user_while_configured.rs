//! Asks for the user's number while a step is configured, when there is no user.

use stampede_guests::{ConfigError, Misbehaviour, guest, user};

/// The guest.
pub struct UserWhileConfigured;

impl Misbehaviour for UserWhileConfigured {
    fn configure(_: &str) -> Result<u32, ConfigError> {
        Ok(user::id())
    }
}

guest!(UserWhileConfigured);
