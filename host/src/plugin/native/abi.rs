//! The contract with native plugins as C sees it. `plugin-sdk/include/stampede_native.h` is made from this file, comments
//! and all, and a test holds the two against each other. It says the same as the WIT files, in the same words: what a
//! function means is there, what differs in C is here.
//!
//! Structures that the library fills in hold plain numbers where Rust would have an enumeration: any number may come.

#![expect(dead_code, reason = "some are here for the header alone")]

use std::ffi::{c_char, c_void};

/// The version of this contract; it is also in the name of the function that a library exports. A library of another
/// version is refused.
pub const STAMPEDE_VERSION: u32 = 1;

/// It is done, and what was asked for is in the out parameter.
pub const STAMPEDE_OK: u32 = 0;
/// It is not done, for a reason that the contract foresees, which is in the last out parameter.
pub const STAMPEDE_REFUSED: u32 = 1;
/// The contract was broken: a number that nobody gave, a null pointer, a text that is not UTF-8, a function outside of
/// its time. Out parameters are left as they are. When the library's function returns, its instance is given up, the
/// tasks that were pending in it fail, and the next task gets a new one; so return as soon as you can.
pub const STAMPEDE_BROKEN: u32 = 2;

/// At least one operation is in flight; call `resume` when one has completed.
pub const STAMPEDE_PENDING: u32 = 0;
/// Done, and everything was as the step wants it.
pub const STAMPEDE_PASSED: u32 = 1;
/// Done, and something was not; `report_fail` may have said what.
pub const STAMPEDE_FAILED: u32 = 2;

/// A kind of failure: nothing came back in time.
pub const STAMPEDE_KIND_TIMEOUT: u32 = 0;
/// A reply arrived, with a status the step does not accept.
pub const STAMPEDE_KIND_STATUS: u32 = 1;
/// The name did not resolve, the connection was refused, reset or closed early, or TLS failed.
pub const STAMPEDE_KIND_NETWORK: u32 = 2;
/// A reply arrived, with contents the step does not accept.
pub const STAMPEDE_KIND_CHECK: u32 = 3;
/// What arrived breaks the rules of the protocol.
pub const STAMPEDE_KIND_PROTOCOL: u32 = 4;
/// The plugin itself is at fault.
pub const STAMPEDE_KIND_PLUGIN: u32 = 5;
/// The run ended first. Set by the host only.
pub const STAMPEDE_KIND_CANCELLED: u32 = 6;

/// An HTTP version: HTTP/2 if the server picks it during the TLS handshake, else HTTP/1.1.
pub const STAMPEDE_HTTP_NEGOTIATE: u32 = 0;
/// HTTP/1.1.
pub const STAMPEDE_HTTP_1: u32 = 1;
/// HTTP/2: over TLS by ALPN, in clear with prior knowledge.
pub const STAMPEDE_HTTP_2: u32 = 2;

/// A request's body: none.
pub const STAMPEDE_BODY_NONE: u32 = 0;
/// The rendered text of `text`.
pub const STAMPEDE_BODY_TEXT: u32 = 1;
/// The same, with `content-type: application/json`.
pub const STAMPEDE_BODY_JSON: u32 = 2;
/// The names and rendered values of `fields`, form-encoded.
pub const STAMPEDE_BODY_FORM: u32 = 3;
/// The contents of the file `path`, which stands among the step's parameters.
pub const STAMPEDE_BODY_FILE: u32 = 4;

/// Credentials: none.
pub const STAMPEDE_CREDENTIALS_NONE: u32 = 0;
/// RFC 7617: the templates `name` and `secret` are user name and password.
pub const STAMPEDE_CREDENTIALS_BASIC: u32 = 1;
/// RFC 6750: the template `secret` is the token.
pub const STAMPEDE_CREDENTIALS_BEARER: u32 = 2;

/// A metric is the sum of its values, and so many a second.
pub const STAMPEDE_METRIC_COUNTER: u32 = 0;
/// The last value, the least and the most.
pub const STAMPEDE_METRIC_GAUGE: u32 = 1;
/// The share of the values that is not 0.
pub const STAMPEDE_METRIC_RATE: u32 = 2;
/// The distribution of the values.
pub const STAMPEDE_METRIC_TREND: u32 = 3;

/// A metric counts a plain number.
pub const STAMPEDE_UNIT_NUMBER: u32 = 0;
/// Nanoseconds.
pub const STAMPEDE_UNIT_NANOSECONDS: u32 = 1;
/// Bytes.
pub const STAMPEDE_UNIT_BYTES: u32 = 2;

/// A line of the log: something is broken.
pub const STAMPEDE_LOG_ERROR: u32 = 0;
/// Something is odd.
pub const STAMPEDE_LOG_WARN: u32 = 1;
/// Something worth knowing.
pub const STAMPEDE_LOG_INFO: u32 = 2;
/// Something worth knowing while writing the plugin.
pub const STAMPEDE_LOG_DEBUG: u32 = 3;

/// A text in UTF-8, without a zero at its end. Where a text may be missing, `at` is null; an empty one may have any `at`
/// but null there, and null as well elsewhere.
///
/// What the host gives is valid until the function of the library that was called returns. What the library gives to a
/// function of the host is read before that returns; what it gives back must stay valid until it is called again.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct stampede_text {
    /// The first byte.
    pub at: *const c_char,
    /// How many bytes.
    pub length: usize,
}

/// Bytes of any kind; as long valid as a text.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct stampede_bytes {
    /// The first byte.
    pub at: *const u8,
    /// How many.
    pub length: usize,
}

/// Why a text is no template.
#[repr(C)]
pub struct stampede_template_error {
    /// What is wrong.
    pub message: stampede_text,
    /// How to put it right; may be missing.
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

/// How a request is sent and its reply treated.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct stampede_request_options {
    /// One of `STAMPEDE_HTTP_…`.
    pub version: u32,
    /// How many redirects are followed, 0 to 20.
    pub max_redirects: u8,
    /// Whether to send `accept-encoding` and to decode the kept body: 0 or 1.
    pub compression: u8,
    /// Whether the body will be asked for: 0 or 1.
    pub keep_body: u8,
}

/// What is sent after the header section of a prepared request. Only the members that `kind` tells of are looked at.
#[repr(C)]
pub struct stampede_request_body {
    /// One of `STAMPEDE_BODY_…`.
    pub kind: u32,
    /// The number of a template.
    pub text: u32,
    /// The fields of a form.
    pub fields: *const stampede_named_template,
    /// How many.
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
    /// How many.
    pub query_count: usize,
    /// Header fields.
    pub headers: *const stampede_named_template,
    /// How many.
    pub header_count: usize,
    /// What is sent.
    pub body: stampede_request_body,
    /// Adds an `authorization` field unless `headers` has one.
    pub credentials: stampede_credentials,
    /// How it is sent.
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
    /// How many.
    pub header_count: usize,
    /// What is sent.
    pub body: stampede_bytes,
    /// How it is sent.
    pub options: stampede_request_options,
}

/// What is known of a reply without its texts.
#[repr(C)]
pub struct stampede_reply {
    /// The status code, 100 to 999.
    pub status: u16,
    /// Size of the content as transferred, in bytes.
    pub body_bytes: u64,
    /// From the start of the exchange to the last byte of the reply, in nanoseconds.
    pub duration: u64,
}

/// Where a socket leads to.
#[repr(C)]
pub struct stampede_address {
    /// A name or an address.
    pub host: stampede_text,
    /// 1 to 65535.
    pub port: u16,
    /// With TLS: 0 or 1. Without it the members below are not looked at.
    pub tls: u8,
    /// The name the certificate must be for; if missing, the host.
    pub server_name: stampede_text,
    /// The protocols offered (ALPN), the favourite first.
    pub alpn: *const stampede_text,
    /// How many.
    pub alpn_count: usize,
}

/// What the host does for a plugin: one function for each of the WIT files, named after interface and function. Every
/// one takes the table itself first, and answers `STAMPEDE_OK`, `STAMPEDE_REFUSED` or `STAMPEDE_BROKEN`; only those with
/// a reason as their last parameter refuse. What the WIT files call a trap is `STAMPEDE_BROKEN`.
///
/// The table is valid within `configure`, `start`, `resume`, `cancel` and `forget_user`, in the thread that called, and
/// nowhere else: a thread of the library's own must not call the host. A C++ exception must not leave the library.
#[repr(C)]
pub struct stampede_host {
    /// The host's own.
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
    /// `sockets.protocol`; it may be missing.
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
    /// Whether the action sets variables whose names the host cannot know from the script: 0 or 1.
    pub sets_variables: u8,
}

/// What is wrong with a step's parameters.
#[repr(C)]
pub struct stampede_config_error {
    /// JSON Pointer (RFC 6901) to the offending value, empty for the step as a whole. The host points at its line.
    pub pointer: stampede_text,
    /// What is wrong: lower case, no full stop, names in backticks.
    pub message: stampede_text,
    /// How to put it right; may be missing.
    pub help: stampede_text,
}

/// What a library is. It must not change.
///
/// One instance serves all users of one worker thread (`isolation: user` gives each its own), and the instances of
/// several workers are called at the same time. Calls never overlap within one instance, and always come from the thread
/// that made it. None may wait: while it does, no other user of that worker goes on.
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
    /// How many.
    pub action_count: usize,
    /// Makes an instance; the pointer is handed to all calls below. Null if it cannot be made. Without this function
    /// that pointer is null.
    pub create: Option<unsafe extern "C" fn() -> *mut c_void>,
    /// An instance is no longer needed, or is given up. Called once for each that was made; may be missing.
    pub destroy: Option<unsafe extern "C" fn(instance: *mut c_void)>,
    /// Prepares one step, in the script's order: `STAMPEDE_OK` and a number of the library's own choice for the step, or
    /// `STAMPEDE_REFUSED` and what is wrong.
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
    /// Says that an operation of a pending task has completed; answers as `start`. Hot.
    pub resume: Option<
        unsafe extern "C" fn(instance: *mut c_void, host: *const stampede_host, task: u32, operation: u32) -> u32,
    >,
    /// Says that a pending task is over; may be missing.
    pub cancel: Option<unsafe extern "C" fn(instance: *mut c_void, host: *const stampede_host, task: u32)>,
    /// Says that a user is gone for good; may be missing.
    pub forget_user: Option<unsafe extern "C" fn(instance: *mut c_void, host: *const stampede_host, user: u32)>,
}

unsafe extern "C" {
    /// What a library exports, and all that it must.
    pub fn stampede_plugin_v1() -> *const stampede_plugin;
}
