//! The host's HTTP client for native plugins: converts texts and structures of C to the arguments of the capability.

use super::abi::{
    STAMPEDE_BODY_FILE, STAMPEDE_BODY_FORM, STAMPEDE_BODY_JSON, STAMPEDE_BODY_NONE, STAMPEDE_BODY_TEXT,
    STAMPEDE_CREDENTIALS_BASIC, STAMPEDE_CREDENTIALS_BEARER, STAMPEDE_CREDENTIALS_NONE, stampede_bytes,
    stampede_credentials, stampede_dynamic_request, stampede_host, stampede_named_template, stampede_reply,
    stampede_request_body, stampede_request_options, stampede_request_template, stampede_text,
};
use super::bridge::{call, call_fallible};
use super::pointer_reader::{PointerReader, flag, from_number};
use crate::plugin::contract::bindings::http::{
    Credentials, DynamicRequest, Host, RequestBody, RequestOptions, RequestTemplate, Version,
};

/// `http.prepare`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn prepare(
    host: *const stampede_host,
    wanted: *const stampede_request_template,
    request: *mut u32,
    error: *mut stampede_text,
) -> u32 {
    // SAFETY: as above.
    unsafe {
        call_fallible(host, request, error, |bridge, reader| {
            let wanted = template(reader.one(wanted)?, reader)?;
            Ok(bridge.state.prepare(wanted)?.map_err(|message| bridge.text(message)))
        })
    }
}

/// `http.send`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn send(host: *const stampede_host, request: u32, operation: *mut u32) -> u32 {
    // SAFETY: as above.
    unsafe { call(host, operation, |bridge, _| bridge.state.send(request)) }
}

/// `http.send-dynamic`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn send_dynamic(
    host: *const stampede_host,
    request: *const stampede_dynamic_request,
    operation: *mut u32,
) -> u32 {
    // SAFETY: as above.
    unsafe {
        call(host, operation, |bridge, reader| {
            let request = dynamic(reader.one(request)?, reader)?;
            bridge.state.send_dynamic(request)
        })
    }
}

/// `http.reply`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn reply(
    host: *const stampede_host,
    operation: u32,
    reply: *mut stampede_reply,
    kind: *mut u32,
) -> u32 {
    // SAFETY: as above.
    unsafe {
        call_fallible(host, reply, kind, |bridge, _| {
            let result = bridge.state.reply(operation)?;
            let summary = result.map(|summary| stampede_reply {
                status: summary.status,
                body_bytes: summary.body_bytes,
                duration: summary.duration,
            });
            Ok(summary.map_err(|kind| kind as u32))
        })
    }
}

/// `http.header`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn header(
    host: *const stampede_host,
    operation: u32,
    name: stampede_text,
    value: *mut stampede_text,
) -> u32 {
    // SAFETY: as above.
    unsafe {
        call(host, value, |bridge, reader| {
            let value = bridge.state.header(operation, reader.text(name)?)?;
            Ok(bridge.optional_text(value))
        })
    }
}

/// `http.body`.
///
/// # Safety
/// All pointers must be as the contract requires of every function of the table.
pub(super) unsafe extern "C" fn body(host: *const stampede_host, operation: u32, body: *mut stampede_bytes) -> u32 {
    // SAFETY: as above.
    unsafe {
        call(host, body, |bridge, _| {
            let content = bridge.state.body(operation)?;
            Ok(bridge.bytes(content))
        })
    }
}

unsafe fn template(
    wanted: &stampede_request_template,
    reader: &mut PointerReader,
) -> wasmtime::Result<RequestTemplate> {
    // SAFETY: data given by a library is valid until the host returns.
    unsafe {
        Ok(RequestTemplate {
            method: reader.text(wanted.method)?,
            url: wanted.url,
            query: named(wanted.query, wanted.query_count, reader)?,
            headers: named(wanted.headers, wanted.header_count, reader)?,
            body: request_body(&wanted.body, reader)?,
            credentials: credentials(&wanted.credentials)?,
            options: options(wanted.options)?,
        })
    }
}

unsafe fn dynamic(request: &stampede_dynamic_request, reader: &mut PointerReader) -> wasmtime::Result<DynamicRequest> {
    // SAFETY: as above.
    unsafe {
        let fields = reader.list(request.headers, request.header_count)?.iter();
        let headers = fields.map(|field| Ok((reader.text(field.name)?, reader.text(field.value)?)));
        Ok(DynamicRequest {
            headers: headers.collect::<wasmtime::Result<_>>()?,
            method: reader.text(request.method)?,
            url: reader.text(request.url)?,
            body: reader.bytes(request.body)?,
            options: options(request.options)?,
        })
    }
}

unsafe fn named(
    first: *const stampede_named_template,
    count: usize,
    reader: &mut PointerReader,
) -> wasmtime::Result<Vec<(String, u32)>> {
    // SAFETY: as above.
    unsafe { reader.list(first, count)?.iter().map(|field| Ok((reader.text(field.name)?, field.value))).collect() }
}

unsafe fn request_body(body: &stampede_request_body, reader: &mut PointerReader) -> wasmtime::Result<RequestBody> {
    // SAFETY: as above.
    unsafe {
        match body.kind {
            STAMPEDE_BODY_NONE => Ok(RequestBody::None),
            STAMPEDE_BODY_TEXT => Ok(RequestBody::Text(body.text)),
            STAMPEDE_BODY_JSON => Ok(RequestBody::Json(body.text)),
            STAMPEDE_BODY_FORM => Ok(RequestBody::Form(named(body.fields, body.field_count, reader)?)),
            STAMPEDE_BODY_FILE => Ok(RequestBody::File(reader.text(body.path)?)),
            other => Err(wasmtime::format_err!("a body cannot be of kind {other}")),
        }
    }
}

fn credentials(given: &stampede_credentials) -> wasmtime::Result<Option<Credentials>> {
    match given.kind {
        STAMPEDE_CREDENTIALS_NONE => Ok(None),
        STAMPEDE_CREDENTIALS_BASIC => Ok(Some(Credentials::Basic((given.name, given.secret)))),
        STAMPEDE_CREDENTIALS_BEARER => Ok(Some(Credentials::Bearer(given.secret))),
        other => Err(wasmtime::format_err!("credentials cannot be of kind {other}")),
    }
}

fn options(given: stampede_request_options) -> wasmtime::Result<RequestOptions> {
    Ok(RequestOptions {
        version: from_number(&[Version::Negotiate, Version::Http1, Version::Http2], given.version)?,
        max_redirects: given.max_redirects,
        compression: flag(given.compression)?,
        keep_body: flag(given.keep_body)?,
    })
}
