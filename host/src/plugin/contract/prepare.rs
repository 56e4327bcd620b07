//! Requests that a guest prepares while a step is configured: its templates are looked up, and its files are read.

use bytes::Bytes;

use super::bindings::http::{Credentials, RequestBody as Body, RequestTemplate};
use super::request::{Login, Parts, Payload, PreparedRequest};
use super::state::Guest;
use crate::diagnostic::reason;
use crate::template::Template;

/// Checks and prepares. The inner error is for the user.
///
/// # Errors
/// The outer error is the guest's fault (a template that does not exist) and traps.
pub fn request(request: RequestTemplate, guest: &mut Guest) -> wasmtime::Result<Result<PreparedRequest, String>> {
    let url = guest.copy(request.url)?;
    let query = named(request.query, guest)?;
    let headers = named(request.headers, guest)?;
    let credentials = match request.credentials {
        None => None,
        Some(Credentials::Basic((user, password))) => Some(Login::Basic(guest.copy(user)?, guest.copy(password)?)),
        Some(Credentials::Bearer(token)) => Some(Login::Bearer(guest.copy(token)?)),
    };
    let (body, content_type) = match request.body {
        Body::None => (Ok(Payload::Fixed(Bytes::new())), None),
        Body::Text(id) => (Ok(Payload::text(guest.copy(id)?)), None),
        Body::Json(id) => (Ok(Payload::text(guest.copy(id)?)), Some("application/json")),
        Body::Form(pairs) => (Ok(Payload::Form(named(pairs, guest)?)), Some("application/x-www-form-urlencoded")),
        Body::File(path) => (read(&path, guest).map(Payload::Fixed), None),
    };
    let parts = Parts { method: request.method, url, query, headers, credentials, content_type };
    Ok(body.and_then(|body| parts.check(body, request.options, &guest.family)))
}

/// Names with copies of their templates.
fn named(pairs: Vec<(String, u32)>, guest: &mut Guest) -> wasmtime::Result<Vec<(String, Template)>> {
    let copied = pairs.into_iter().map(|(name, id)| {
        guest.charge(name.len())?;
        Ok((name, guest.copy(id)?))
    });
    copied.collect()
}

/// A file, which must stand among the parameters of the step being configured.
///
/// # Errors
/// A message for the user.
pub fn read(path: &str, guest: &mut Guest) -> Result<Bytes, String> {
    let named = guest.configuring.as_ref().is_some_and(|step| step.texts.iter().any(|text| text == path));
    if !named {
        return Err(format!("the file `{path}` is not among the step's parameters"));
    }
    let file = guest.family.scripting.folder.join(path);
    let cannot = |error| format!("cannot read `{path}`: {}", reason(&error));
    let bytes = std::fs::read(file).map_err(cannot)?;
    guest.charge(bytes.len()).map_err(|error| error.to_string())?;
    Ok(bytes.into())
}
