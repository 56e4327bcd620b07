//! Describes its parameters by what is no JSON Schema.

use stampede_guests::{Misbehaviour, guest};

/// The guest.
pub struct WrongSchema;

impl Misbehaviour for WrongSchema {
    const SCHEMA: &'static str = r#"{"type": "nonsense"}"#;
}

guest!(WrongSchema);
