//! A parameter that is a text, or a mapping for those who want to say more. By hand: the messages of an untagged enum
//! would name none of the forms. Every plugin with an `expect` has this file as a module.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use stampede_plugin::ConfigError;

/// Reads one. `forms` follows "expected" where it is something else.
pub fn read<'de, D: Deserializer<'de>, M: Deserialize<'de>, T>(
    source: D,
    forms: &'static str,
    of_text: fn(&str) -> Result<T, ConfigError>,
    of_mapping: fn(M) -> Result<T, ConfigError>,
) -> Result<T, D::Error> {
    source.deserialize_any(Forms { forms, of_text, of_mapping })
}

struct Forms<M, T> {
    forms: &'static str,
    of_text: fn(&str) -> Result<T, ConfigError>,
    of_mapping: fn(M) -> Result<T, ConfigError>,
}

impl<'de, M: Deserialize<'de>, T> Visitor<'de> for Forms<M, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.forms)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.of_text)(text).map_err(E::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        (self.of_mapping)(M::deserialize(MapAccessDeserializer::new(map))?).map_err(A::Error::custom)
    }
}
