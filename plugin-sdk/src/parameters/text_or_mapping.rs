//! A parameter that is a text in the usual case and a mapping otherwise.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::ConfigError;

/// Reads a parameter that is a text in the usual case and a mapping otherwise; for a `Deserialize` that is not derived.
/// An untagged enum reads the same, but its messages name none of the forms.
///
/// `forms` completes "expected …" where the script has neither.
///
/// ```
/// # use stampede_plugin::{ConfigError, parameters::text_or_mapping};
/// # use serde::{Deserialize, Deserializer};
/// struct Topic {
///     name: String,
///     quality: u8,
/// }
///
/// #[derive(Deserialize)]
/// #[serde(deny_unknown_fields)]
/// struct Mapping {
///     name: String,
///     quality: u8,
/// }
///
/// impl<'de> Deserialize<'de> for Topic {
///     fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
///         let forms = "a text, or `{name: …, quality: …}`";
///         text_or_mapping(source, forms, |text| Ok(Self { name: text.to_owned(), quality: 0 }), Self::checked)
///     }
/// }
///
/// impl Topic {
///     fn checked(Mapping { name, quality }: Mapping) -> Result<Self, ConfigError> {
///         if quality > 2 {
///             return Err(ConfigError::new("`quality` must be from 0 to 2"));
///         }
///         Ok(Self { name, quality })
///     }
/// }
/// # let topic: Topic = serde_json::from_str("\"news\"").expect("a text");
/// # assert_eq!((topic.name.as_str(), topic.quality), ("news", 0));
/// # assert!(serde_json::from_str::<Topic>(r#"{"name": "news", "quality": 3}"#).is_err());
/// ```
///
/// # Errors
/// The parameter is neither a text nor a mapping, or the function for its form rejects it.
pub fn text_or_mapping<'de, D: Deserializer<'de>, M: Deserialize<'de>, T>(
    source: D,
    forms: &'static str,
    of_text: fn(&str) -> Result<T, ConfigError>,
    of_mapping: fn(M) -> Result<T, ConfigError>,
) -> Result<T, D::Error> {
    source.deserialize_any(TextOrMappingVisitor { forms, of_text, of_mapping })
}

struct TextOrMappingVisitor<M, T> {
    forms: &'static str,
    of_text: fn(&str) -> Result<T, ConfigError>,
    of_mapping: fn(M) -> Result<T, ConfigError>,
}

impl<'de, M: Deserialize<'de>, T> Visitor<'de> for TextOrMappingVisitor<M, T> {
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
