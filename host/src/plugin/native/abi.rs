//! The contract with native plugins in C. `plugin-sdk/include/stampede_native.h` is generated from this file, including
//! the comments, and a test compares the two. The WIT files define the meaning of each function; this file describes
//! only the differences in C.
//!
//! Structures that the library fills in hold plain numbers where Rust would have an enumeration: the library may give
//! any number.

#![expect(dead_code, unreachable_pub, reason = "some are here for the header alone, which has what is public")]

use std::ffi::{c_char, c_void};

/// The version of this contract, which is also in the name of the function that a library exports. A library with
/// another version is refused.
pub const STAMPEDE_VERSION: u32 = 1;

/// Success: the result is in the out parameter.
pub const STAMPEDE_OK: u32 = 0;
/// Failure for a reason that the contract defines. The reason is in the last out parameter.
pub const STAMPEDE_REFUSED: u32 = 1;
/// The contract was broken: an unknown number, a null pointer, a text that is not UTF-8, a function called at the wrong
/// time. Out parameters are unchanged. When the library's function returns, its instance is destroyed, the tasks that
/// were pending in it fail, and the next task gets a new instance; so return as soon as you can.
pub const STAMPEDE_BROKEN: u32 = 2;

/// At least one operation is in flight; call `resume` when one has completed.
pub const STAMPEDE_PENDING: u32 = 0;
/// The task has passed.
pub const STAMPEDE_PASSED: u32 = 1;
/// The task has failed; `report_fail` may have given the reason.
pub const STAMPEDE_FAILED: u32 = 2;

/// A kind of failure: no reply arrived in time.
pub const STAMPEDE_KIND_TIMEOUT: u32 = 0;
/// A reply arrived, with a status the step does not accept.
pub const STAMPEDE_KIND_STATUS: u32 = 1;
/// The name did not resolve, the connection was refused, reset or closed early, or TLS failed.
pub const STAMPEDE_KIND_NETWORK: u32 = 2;
/// A reply arrived, with contents the step does not accept.
pub const STAMPEDE_KIND_CHECK: u32 = 3;
/// The bytes that arrived break the rules of the protocol.
pub const STAMPEDE_KIND_PROTOCOL: u32 = 4;
/// The plugin itself is at fault.
pub const STAMPEDE_KIND_PLUGIN: u32 = 5;
/// The run ended first. Set by the host only.
pub const STAMPEDE_KIND_CANCELLED: u32 = 6;

/// An HTTP version: HTTP/2 if the server picks it during the TLS handshake, otherwise HTTP/1.1.
pub const STAMPEDE_HTTP_NEGOTIATE: u32 = 0;
/// HTTP/1.1.
pub const STAMPEDE_HTTP_1: u32 = 1;
/// HTTP/2: over TLS by ALPN, in clear text with prior knowledge.
pub const STAMPEDE_HTTP_2: u32 = 2;

/// A request's body: none.
pub const STAMPEDE_BODY_NONE: u32 = 0;
/// The rendered text of `text`.
pub const STAMPEDE_BODY_TEXT: u32 = 1;
/// The rendered text of `text`, with `content-type: application/json`.
pub const STAMPEDE_BODY_JSON: u32 = 2;
/// The names and rendered values of `fields`, form-encoded.
pub const STAMPEDE_BODY_FORM: u32 = 3;
/// The contents of the file `path`, which must be among the step's parameters.
pub const STAMPEDE_BODY_FILE: u32 = 4;

/// Credentials: none.
pub const STAMPEDE_CREDENTIALS_NONE: u32 = 0;
/// RFC 7617: the templates `name` and `secret` are user name and password.
pub const STAMPEDE_CREDENTIALS_BASIC: u32 = 1;
/// RFC 6750: the template `secret` is the token.
pub const STAMPEDE_CREDENTIALS_BEARER: u32 = 2;

/// A metric is the sum of its values, and its rate per second.
pub const STAMPEDE_METRIC_COUNTER: u32 = 0;
/// The last value, the minimum and the maximum.
pub const STAMPEDE_METRIC_GAUGE: u32 = 1;
/// The share of the values that are not 0.
pub const STAMPEDE_METRIC_RATE: u32 = 2;
/// The distribution of the values.
pub const STAMPEDE_METRIC_TREND: u32 = 3;

/// A metric counts a plain number.
pub const STAMPEDE_UNIT_NUMBER: u32 = 0;
/// Nanoseconds.
pub const STAMPEDE_UNIT_NANOSECONDS: u32 = 1;
/// Bytes.
pub const STAMPEDE_UNIT_BYTES: u32 = 2;

/// A log line: an error.
pub const STAMPEDE_LOG_ERROR: u32 = 0;
/// A warning.
pub const STAMPEDE_LOG_WARN: u32 = 1;
/// Information for the user.
pub const STAMPEDE_LOG_INFO: u32 = 2;
/// Information for the author of the plugin.
pub const STAMPEDE_LOG_DEBUG: u32 = 3;

/// A text in UTF-8, without a terminating zero. A text that may be missing has a null `at` if it is; an empty one has
/// any other `at`. For other texts, an empty one may have any `at`.
///
/// A text from the host is valid until the function of the library that was called returns. A text that the library
/// gives to a function of the host is read before that returns; one that it returns must stay valid until it is called
/// again.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct stampede_text {
    /// The first byte.
    pub at: *const c_char,
    /// Number of bytes.
    pub length: usize,
}

/// Bytes of any kind, valid as long as a text.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct stampede_bytes {
    /// The first byte.
    pub at: *const u8,
    /// Number of elements.
    pub length: usize,
}

/// The error for a malformed template.
#[repr(C)]
pub struct stampede_template_error {
    /// The message.
    pub message: stampede_text,
    /// The fix; may be missing.
    pub help: stampede_text,
}

/// A name and a template for its value.
#[repr(C)]
pub struct stampede_named_template {
    /// The name.
    pub name: stampede_text,
    /// The template's number.
    pub value: u32,
}

/// A name and a value.
#[repr(C)]
pub struct stampede_field {
    /// The name.
    pub name: stampede_text,
    /// The value.
    pub value: stampede_text,
}

/// Options of a request and the handling of its reply.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct stampede_request_options {
    /// One of `STAMPEDE_HTTP_…`.
    pub version: u32,
    /// Maximum number of redirects to follow, 0 to 20.
    pub max_redirects: u8,
    /// 1 to send `accept-encoding` and to decode the kept body; otherwise 0.
    pub compression: u8,
    /// 1 if the body will be fetched; otherwise 0.
    pub keep_body: u8,
}

/// The body of a prepared request. Only the members for its `kind` are read.
#[repr(C)]
pub struct stampede_request_body {
    /// One of `STAMPEDE_BODY_…`.
    pub kind: u32,
    /// The number of a template.
    pub text: u32,
    /// The fields of a form.
    pub fields: *const stampede_named_template,
    /// Number of elements.
    pub field_count: usize,
    /// The path of a file.
    pub path: stampede_text,
}

/// Credentials for the `authorization` header.
#[repr(C)]
pub struct stampede_credentials {
    /// One of `STAMPEDE_CREDENTIALS_…`.
    pub kind: u32,
    /// The number of a template.
    pub name: u32,
    /// The number of a template.
    pub secret: u32,
}

/// A request whose shape is known before the run.
#[repr(C)]
pub struct stampede_request_template {
    /// A method token, in upper case.
    pub method: stampede_text,
    /// The template of the URL.
    pub url: u32,
    /// Appended to the URL's query, percent-encoded.
    pub query: *const stampede_named_template,
    /// Number of elements.
    pub query_count: usize,
    /// Header fields.
    pub headers: *const stampede_named_template,
    /// Number of elements.
    pub header_count: usize,
    /// The body.
    pub body: stampede_request_body,
    /// Adds an `authorization` field unless `headers` has one.
    pub credentials: stampede_credentials,
    /// Options.
    pub options: stampede_request_options,
}

/// A request decided at run time.
#[repr(C)]
pub struct stampede_dynamic_request {
    /// A method token, in upper case.
    pub method: stampede_text,
    /// An absolute URL, or a reference resolved against the script's `base_url`.
    pub url: stampede_text,
    /// Header fields.
    pub headers: *const stampede_field,
    /// Number of elements.
    pub header_count: usize,
    /// The body.
    pub body: stampede_bytes,
    /// Options.
    pub options: stampede_request_options,
}

/// Summary of a reply, without its texts.
#[repr(C)]
pub struct stampede_reply {
    /// The status code, 100 to 999.
    pub status: u16,
    /// Size of the content as transferred, in bytes.
    pub body_bytes: u64,
    /// Time from the start of the exchange to the last byte of the reply, in nanoseconds.
    pub duration: u64,
}

/// The destination of a socket.
#[repr(C)]
pub struct stampede_address {
    /// A name or an address.
    pub host: stampede_text,
    /// 1 to 65535.
    pub port: u16,
    /// 1 for TLS; otherwise 0, and the members below are not read.
    pub tls: u8,
    /// The name the certificate must be for; if missing, the host.
    pub server_name: stampede_text,
    /// The protocols offered (ALPN), the preferred one first.
    pub alpn: *const stampede_text,
    /// Number of elements.
    pub alpn_count: usize,
}

/// The functions of the host: one for each function of the WIT files, named after interface and function. Each takes
/// the table itself first, and returns `STAMPEDE_OK`, `STAMPEDE_REFUSED` or `STAMPEDE_BROKEN`; only those with a reason
/// as their last parameter return `STAMPEDE_REFUSED`. A trap in the WIT files is `STAMPEDE_BROKEN` here.
///
/// The table is valid only within `configure`, `start`, `resume`, `cancel` and `forget_user`, on the calling thread: a
/// thread of the library's own must not call the host. A C++ exception must not leave the library.
#[repr(C)]
pub struct stampede_host {
    /// Data of the host.
    pub context: *mut c_void,
    /// `templates.compile`.
    pub templates_compile: unsafe extern "C" fn(
        host: *const stampede_host,
        source: stampede_text,
        compiled: *mut u32,
        error: *mut stampede_template_error,
    ) -> u32,
    /// `templates.render`.
    pub templates_render:
        unsafe extern "C" fn(host: *const stampede_host, compiled: u32, text: *mut stampede_text) -> u32,
    /// `http.prepare`.
    pub http_prepare: unsafe extern "C" fn(
        host: *const stampede_host,
        wanted: *const stampede_request_template,
        request: *mut u32,
        error: *mut stampede_text,
    ) -> u32,
    /// `http.send`.
    pub http_send: unsafe extern "C" fn(host: *const stampede_host, request: u32, operation: *mut u32) -> u32,
    /// `http.send-dynamic`.
    pub http_send_dynamic: unsafe extern "C" fn(
        host: *const stampede_host,
        request: *const stampede_dynamic_request,
        operation: *mut u32,
    ) -> u32,
    /// `http.reply`; refused with a kind of failure.
    pub http_reply: unsafe extern "C" fn(
        host: *const stampede_host,
        operation: u32,
        reply: *mut stampede_reply,
        kind: *mut u32,
    ) -> u32,
    /// `http.header`; the value may be missing.
    pub http_header: unsafe extern "C" fn(
        host: *const stampede_host,
        operation: u32,
        name: stampede_text,
        value: *mut stampede_text,
    ) -> u32,
    /// `http.body`.
    pub http_body: unsafe extern "C" fn(host: *const stampede_host, operation: u32, body: *mut stampede_bytes) -> u32,
    /// `timer.sleep`.
    pub timer_sleep: unsafe extern "C" fn(host: *const stampede_host, nanoseconds: u64, operation: *mut u32) -> u32,
    /// `timer.now`.
    pub timer_now: unsafe extern "C" fn(host: *const stampede_host, nanoseconds: *mut u64) -> u32,
    /// `user.id`.
    pub user_id: unsafe extern "C" fn(host: *const stampede_host, user: *mut u32) -> u32,
    /// `user.iteration`.
    pub user_iteration: unsafe extern "C" fn(host: *const stampede_host, iteration: *mut u64) -> u32,
    /// `user.variable`; the value may be missing.
    pub user_variable:
        unsafe extern "C" fn(host: *const stampede_host, name: stampede_text, value: *mut stampede_text) -> u32,
    /// `user.set-variable`.
    pub user_set_variable:
        unsafe extern "C" fn(host: *const stampede_host, name: stampede_text, value: stampede_text) -> u32,
    /// `user.set-header`.
    pub user_set_header: unsafe extern "C" fn(
        host: *const stampede_host,
        name: stampede_text,
        value: stampede_text,
        error: *mut stampede_text,
    ) -> u32,
    /// `user.random`.
    pub user_random: unsafe extern "C" fn(host: *const stampede_host, number: *mut u64) -> u32,
    /// `operations.cancel`.
    pub operations_cancel: unsafe extern "C" fn(host: *const stampede_host, operation: u32) -> u32,
    /// `sockets.connect`.
    pub sockets_connect:
        unsafe extern "C" fn(host: *const stampede_host, address: *const stampede_address, operation: *mut u32) -> u32,
    /// `sockets.connected`; refused with a kind of failure, as the functions below.
    pub sockets_connected:
        unsafe extern "C" fn(host: *const stampede_host, operation: u32, socket: *mut u32, kind: *mut u32) -> u32,
    /// `sockets.protocol`; the text may be missing.
    pub sockets_protocol:
        unsafe extern "C" fn(host: *const stampede_host, socket: u32, protocol: *mut stampede_text) -> u32,
    /// `sockets.write`.
    pub sockets_write: unsafe extern "C" fn(
        host: *const stampede_host,
        socket: u32,
        bytes: stampede_bytes,
        operation: *mut u32,
    ) -> u32,
    /// `sockets.written`.
    pub sockets_written: unsafe extern "C" fn(host: *const stampede_host, operation: u32, kind: *mut u32) -> u32,
    /// `sockets.read`.
    pub sockets_read:
        unsafe extern "C" fn(host: *const stampede_host, socket: u32, most: u32, operation: *mut u32) -> u32,
    /// `sockets.received`.
    pub sockets_received: unsafe extern "C" fn(
        host: *const stampede_host,
        operation: u32,
        bytes: *mut stampede_bytes,
        kind: *mut u32,
    ) -> u32,
    /// `sockets.close`.
    pub sockets_close: unsafe extern "C" fn(host: *const stampede_host, socket: u32) -> u32,
    /// `report.fail`.
    pub report_fail: unsafe extern "C" fn(host: *const stampede_host, kind: u32, detail: stampede_text) -> u32,
    /// `report.define`; `kind` is one of `STAMPEDE_METRIC_…`, `unit` of `STAMPEDE_UNIT_…`.
    pub report_define: unsafe extern "C" fn(
        host: *const stampede_host,
        name: stampede_text,
        kind: u32,
        unit: u32,
        metric: *mut u32,
        error: *mut stampede_text,
    ) -> u32,
    /// `report.add`.
    pub report_add: unsafe extern "C" fn(host: *const stampede_host, metric: u32, value: f64) -> u32,
    /// `log.write`; `level` is one of `STAMPEDE_LOG_…`.
    pub log_write: unsafe extern "C" fn(host: *const stampede_host, level: u32, message: stampede_text) -> u32,
}

/// One action a script can name.
#[repr(C)]
pub struct stampede_action {
    /// The name used in `action:` of a step.
    pub name: stampede_text,
    /// One line for `stampede-shooter plugins`.
    pub summary: stampede_text,
    /// A JSON Schema (draft 2020-12, an object) of the parameters.
    pub params_schema: stampede_text,
    /// 1 if the action sets variables whose names the host cannot know from the script; otherwise 0.
    pub sets_variables: u8,
}

/// An error in a step's parameters.
#[repr(C)]
pub struct stampede_config_error {
    /// JSON Pointer (RFC 6901) to the offending value, empty for the step as a whole. The host points at its line.
    pub pointer: stampede_text,
    /// The message: lower case, no final period, names in backticks.
    pub message: stampede_text,
    /// The fix; may be missing.
    pub help: stampede_text,
}

/// A plugin: its description and its functions. The table must not change.
///
/// One instance serves all users of one worker thread (`isolation: user` gives each its own), and the instances of
/// several workers are called at the same time. Calls never overlap within one instance, and always come from the
/// thread that created it. No call may wait: while it does, all other users of that worker stand still.
#[repr(C)]
pub struct stampede_plugin {
    /// `STAMPEDE_VERSION`.
    pub version: u32,
    /// The plugin's name.
    pub name: stampede_text,
    /// The plugin's own version (semantic versioning).
    pub release: stampede_text,
    /// The actions it offers, at least one.
    pub actions: *const stampede_action,
    /// Number of elements.
    pub action_count: usize,
    /// Creates an instance; the returned pointer is passed to all calls below. Null if it cannot be created. Without
    /// this function that pointer is null.
    pub create: Option<unsafe extern "C" fn() -> *mut c_void>,
    /// Destroys an instance. Called once for each that was created; may be missing.
    pub destroy: Option<unsafe extern "C" fn(instance: *mut c_void)>,
    /// Prepares one step, in the script's order: `STAMPEDE_OK` and a number of the library's choice for the step, or
    /// `STAMPEDE_REFUSED` and the error.
    pub configure: Option<
        unsafe extern "C" fn(
            instance: *mut c_void,
            host: *const stampede_host,
            action: stampede_text,
            params: stampede_text,
            step: *mut u32,
            error: *mut stampede_config_error,
        ) -> u32,
    >,
    /// Begins a task: `STAMPEDE_PENDING`, `STAMPEDE_PASSED` or `STAMPEDE_FAILED`. Hot.
    pub start:
        Option<unsafe extern "C" fn(instance: *mut c_void, host: *const stampede_host, step: u32, task: u32) -> u32>,
    /// Tells the library that an operation of a pending task has completed; returns as `start`. Hot.
    pub resume: Option<
        unsafe extern "C" fn(instance: *mut c_void, host: *const stampede_host, task: u32, operation: u32) -> u32,
    >,
    /// Tells the library that a pending task is over; may be missing.
    pub cancel: Option<unsafe extern "C" fn(instance: *mut c_void, host: *const stampede_host, task: u32)>,
    /// Tells the library that a user is gone for good; may be missing.
    pub forget_user: Option<unsafe extern "C" fn(instance: *mut c_void, host: *const stampede_host, user: u32)>,
}

unsafe extern "C" {
    /// The only function that a library must export.
    pub fn stampede_plugin_v1() -> *const stampede_plugin;
}
