//! Of the four ways to give a body, a step may use one.

use stampede_plugin::ConfigError;
use stampede_plugin::http::Body;

use crate::Params;

/// The body, or an error that names the first two given.
pub fn choose(params: &Params) -> Result<Body, ConfigError> {
    let given = [
        ("json_body", params.json_body.map(Body::Json)),
        ("form_body", params.form_body.clone().map(Body::Form)),
        ("body", params.body.map(Body::Text)),
        ("body_file", params.body_file.clone().map(Body::File)),
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
