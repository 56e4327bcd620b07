//! The parameters that give a request its body.

use crate::http::Body;
use crate::{ConfigError, Fields, JsonTemplate, Template};

/// The parameters that give a request its body. A step uses one of them; each is a field of the action's own `Params`
/// under the name that it has here.
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
        let mut chosen: Option<(&str, Body)> = None;
        let mut offer = |key, body| match (&chosen, body) {
            (_, None) => Ok(()),
            (None, Some(body)) => {
                chosen = Some((key, body));
                Ok(())
            }
            (Some((first, _)), Some(_)) => Err(ConfigError::new(format!("`{first}` and `{key}` exclude each other"))
                .at(format!("/{key}"))
                .help("a request has one body: remove one of the two")),
        };
        offer("json_body", self.json_body.map(Body::Json))?;
        offer("form_body", self.form_body.map(Body::Form))?;
        offer("body", self.body.map(Body::Text))?;
        offer("body_file", self.body_file.map(Body::File))?;
        Ok(chosen.map_or(Body::None, |(_, body)| body))
    }
}
