//! Accepts any parameters, even against its own schema, and breaks on a count that is not a number.

use stampede_guests::{ConfigError, Misbehaviour, guest};

/// The guest.
pub struct IgnoresItsSchema;

impl Misbehaviour for IgnoresItsSchema {
    const SCHEMA: &'static str = r##"{
        "type": "object",
        "properties": {
            "count": {"type": "integer", "minimum": 1},
            "mode": {"enum": ["fast", "slow"]},
            "topics": {"type": "array", "items": {"$ref": "#/$defs/topic"}}
        },
        "required": ["mode"],
        "additionalProperties": false,
        "$defs": {"topic": {"type": "string", "pattern": "^[a-z/]+$"}}
    }"##;

    fn configure(params: &str) -> Result<u32, ConfigError> {
        assert!(!params.contains("\"count\":\""), "a count is a number");
        Ok(0)
    }
}

guest!(IgnoresItsSchema);
