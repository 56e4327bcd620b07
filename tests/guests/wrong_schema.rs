//! Describes its parameters with an invalid JSON Schema.

use stampede_guests::{Misbehaviour, guest};

/// The guest.
pub struct WrongSchema;

impl Misbehaviour for WrongSchema {
    const SCHEMA: &'static str = r#"{"type": "nonsense"}"#;
}

guest!(WrongSchema);
