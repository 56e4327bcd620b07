//! Preparation of requests while a step is configured: templates are looked up, and files are read.

use bytes::Bytes;

use super::bindings::http::{Credentials, RequestBody as Body, RequestTemplate};
use super::prepared_parts::{PreparedBody, PreparedCredentials};
use super::request::{JSON, PreparedRequest, RequestParts};
use super::state::GuestState;
use crate::diagnostic::io_reason;
use crate::template::Template;

/// Checks and prepares a request. The inner error is a message for the user.
///
/// # Errors
/// The guest is at fault (a template does not exist); it traps.
pub(crate) fn request(
    request: RequestTemplate,
    guest: &mut GuestState,
) -> wasmtime::Result<Result<PreparedRequest, String>> {
    let url = guest.copy_template(request.url)?;
    let query = copy_templates(request.query, guest)?;
    let headers = copy_templates(request.headers, guest)?;
    let credentials = match request.credentials {
        None => None,
        Some(Credentials::Basic((user, password))) => {
            Some(PreparedCredentials::Basic(guest.copy_template(user)?, guest.copy_template(password)?))
        }
        Some(Credentials::Bearer(token)) => Some(PreparedCredentials::Bearer(guest.copy_template(token)?)),
    };
    let (body, content_type) = match request.body {
        Body::None => (Ok(PreparedBody::Fixed(Bytes::new())), None),
        Body::Text(id) => (Ok(PreparedBody::text(guest.copy_template(id)?)), None),
        Body::Json(id) => (Ok(PreparedBody::text(guest.copy_template(id)?)), Some(JSON)),
        Body::Form(pairs) => {
            (Ok(PreparedBody::form(copy_templates(pairs, guest)?)), Some("application/x-www-form-urlencoded"))
        }
        Body::File(path) => (read_step_file(&path, guest).map(PreparedBody::Fixed), None),
    };
    let parts = RequestParts { method: request.method, url, query, headers, credentials, content_type };
    Ok(body.and_then(|body| parts.check(body, request.options, &guest.worker_plugin)))
}

/// Copies the templates of named values.
fn copy_templates(pairs: Vec<(String, u32)>, guest: &mut GuestState) -> wasmtime::Result<Vec<(String, Template)>> {
    let copied = pairs.into_iter().map(|(name, id)| {
        guest.charge(name.len())?;
        Ok((name, guest.copy_template(id)?))
    });
    copied.collect()
}

/// Reads a file, whose path must be among the parameters of the step being configured.
///
/// # Errors
/// A message for the user.
pub(crate) fn read_step_file(path: &str, guest: &mut GuestState) -> Result<Bytes, String> {
    let named = guest.configuring.as_ref().is_some_and(|step| step.texts.iter().any(|text| text == path));
    if !named {
        return Err(format!("the file `{path}` is not among the step's parameters"));
    }
    let file = guest.worker_plugin.script_context.folder.join(path);
    let cannot = |error| format!("cannot read `{path}`: {}", io_reason(&error));
    let bytes = std::fs::read(file).map_err(cannot)?;
    guest.charge(bytes.len()).map_err(|error| error.to_string())?;
    Ok(bytes.into())
}
