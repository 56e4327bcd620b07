//! The parameters of which one gives a request its body.

use crate::http::Body;
use crate::{ConfigError, Fields, JsonTemplate, Template};

/// The parameters of which one gives a request its body, each a field of the action's own `Params` under this name.
///
/// An action without one of them leaves it out: `BodyParameters { json_body, ..BodyParameters::default() }`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyParameters {
    /// A JSON document; see [`Body::Json`].
    pub json_body: Option<JsonTemplate>,
    /// The fields of a form; see [`Body::Form`].
    pub form_body: Option<Fields>,
    /// A text without a `content-type`; see [`Body::Text`].
    pub body: Option<Template>,
    /// The path of a file; see [`Body::File`].
    pub body_file: Option<String>,
}

impl BodyParameters {
    /// Returns the body, [`Body::None`] if the step gives none.
    ///
    /// # Errors
    /// The step gives two. The message names the first two in the order of the fields and points at the second.
    pub fn choose(self) -> Result<Body, ConfigError> {
        let given = [
            ("json_body", self.json_body.map(Body::Json)),
            ("form_body", self.form_body.map(Body::Form)),
            ("body", self.body.map(Body::Text)),
            ("body_file", self.body_file.map(Body::File)),
        ];
        let mut given = given.into_iter().filter_map(|(key, body)| body.map(|body| (key, body)));
        match (given.next(), given.next()) {
            (None, _) => Ok(Body::None),
            (Some((_, body)), None) => Ok(body),
            (Some((first, _)), Some((second, _))) => {
                Err(ConfigError::new(format!("`{first}` and `{second}` exclude each other"))
                    .at(format!("/{second}"))
                    .help("a request has one body: remove one of the two"))
            }
        }
    }
}
