//! `auth:` `{basic: {user, password}}` or `{bearer: token}`.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor};

use crate::http::Credentials;
use crate::{ConfigError, Template};

/// Credentials of one kind: `{basic: {user: …, password: …}}` or `{bearer: …}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Auth(pub Credentials);

/// The value of `basic`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Basic {
    user: Template,
    password: Template,
}

impl<'de> Deserialize<'de> for Auth {
    fn deserialize<D: Deserializer<'de>>(source: D) -> Result<Self, D::Error> {
        source.deserialize_map(AuthVisitor)
    }
}

/// Reads the forms without a derive: the messages of a derived enum would name none of them.
struct AuthVisitor;

impl<'de> Visitor<'de> for AuthVisitor {
    type Value = Auth;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`{basic: {user: …, password: …}}` or `{bearer: …}`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Auth, A::Error> {
        let credentials = match map.next_key::<String>()?.as_deref() {
            Some("basic") => {
                let Basic { user, password } = map.next_value()?;
                Credentials::Basic { user, password }
            }
            Some("bearer") => Credentials::Bearer(map.next_value()?),
            Some(other) => return Err(unknown(other)),
            None => return Err(A::Error::custom("`auth` must be `{basic: {user: …, password: …}}` or `{bearer: …}`")),
        };
        match map.next_key::<String>()?.as_deref() {
            None => Ok(Auth(credentials)),
            Some("basic" | "bearer") => Err(A::Error::custom("`basic` and `bearer` exclude each other")),
            Some(other) => Err(unknown(other)),
        }
    }
}

fn unknown<E: Error>(key: &str) -> E {
    let error = ConfigError::new(format!("unknown kind of credentials `{key}`"));
    E::custom(error.help("expected `basic` or `bearer`"))
}

impl JsonSchema for Auth {
    fn schema_name() -> Cow<'static, str> {
        "Auth".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let text = generator.subschema_for::<Template>();
        json_schema!({
            "type": "object",
            "properties": {
                "basic": {
                    "type": "object",
                    "properties": { "user": text, "password": text },
                    "required": ["user", "password"],
                    "additionalProperties": false,
                },
                "bearer": text,
            },
            "additionalProperties": false,
            "minProperties": 1,
            "maxProperties": 1,
        })
    }
}
