//! Assumes that its parameter `who` is a text of a few letters, and breaks where it is not.

use stampede_guests::{ConfigError, Misbehaviour, guest};

/// The guest.
pub struct TrustsItsParameters;

impl Misbehaviour for TrustsItsParameters {
    fn configure(params: &str) -> Result<u32, ConfigError> {
        let (_, after) = params.split_once("\"who\":\"").expect("a text");
        let (who, _) = after.split_once('"').expect("its end");
        assert!(who.len() < 100, "a few letters");
        Ok(0)
    }
}

guest!(TrustsItsParameters);
