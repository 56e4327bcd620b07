// The contract between stampede-shooter and native plugins. Made from host/src/plugin/native/abi.rs: change that, and
// run the tests with BLESS=1.


#ifndef STAMPEDE_NATIVE_H
#define STAMPEDE_NATIVE_H

#include <stddef.h>
#include <stdint.h>
/// A text from a literal, for initializers.
#define STAMPEDE_TEXT(literal) {(literal), sizeof(literal) - 1}

#if defined(_WIN32)
#define STAMPEDE_EXPORT __declspec(dllexport)
#else
#define STAMPEDE_EXPORT __attribute__((visibility("default")))
#endif

// The version of this contract, which is also in the name of the function that a library exports. A library with
// another version is refused.
#define STAMPEDE_VERSION 1

// Success: the result is in the out parameter.
#define STAMPEDE_OK 0

// Failure for a reason that the contract defines. The reason is in the last out parameter.
#define STAMPEDE_REFUSED 1

// The contract was broken: an unknown number, a null pointer, a text that is not UTF-8, a function called at the wrong
// time. Out parameters are unchanged. When the library's function returns, its instance is destroyed, the tasks that
// were pending in it fail, and the next task gets a new instance; so return as soon as you can.
#define STAMPEDE_BROKEN 2

// At least one operation is in flight; call `resume` when one has completed.
#define STAMPEDE_PENDING 0

// The task has passed.
#define STAMPEDE_PASSED 1

// The task has failed; `report_fail` may have given the reason.
#define STAMPEDE_FAILED 2

// A kind of failure: no reply arrived in time.
#define STAMPEDE_KIND_TIMEOUT 0

// A reply arrived, with a status the step does not accept.
#define STAMPEDE_KIND_STATUS 1

// The name did not resolve, the connection was refused, reset or closed early, or TLS failed.
#define STAMPEDE_KIND_NETWORK 2

// A reply arrived, with contents the step does not accept.
#define STAMPEDE_KIND_CHECK 3

// The bytes that arrived break the rules of the protocol.
#define STAMPEDE_KIND_PROTOCOL 4

// The plugin itself is at fault.
#define STAMPEDE_KIND_PLUGIN 5

// The run ended first. Set by the host only.
#define STAMPEDE_KIND_CANCELLED 6

// An HTTP version: HTTP/2 if the server picks it during the TLS handshake, otherwise HTTP/1.1.
#define STAMPEDE_HTTP_NEGOTIATE 0

// HTTP/1.1.
#define STAMPEDE_HTTP_1 1

// HTTP/2: over TLS by ALPN, in clear text with prior knowledge.
#define STAMPEDE_HTTP_2 2

// A request's body: none.
#define STAMPEDE_BODY_NONE 0

// The rendered text of `text`.
#define STAMPEDE_BODY_TEXT 1

// The rendered text of `text`, with `content-type: application/json`.
#define STAMPEDE_BODY_JSON 2

// The names and rendered values of `fields`, form-encoded.
#define STAMPEDE_BODY_FORM 3

// The contents of the file `path`, which must be among the step's parameters.
#define STAMPEDE_BODY_FILE 4

// Credentials: none.
#define STAMPEDE_CREDENTIALS_NONE 0

// RFC 7617: the templates `name` and `secret` are user name and password.
#define STAMPEDE_CREDENTIALS_BASIC 1

// RFC 6750: the template `secret` is the token.
#define STAMPEDE_CREDENTIALS_BEARER 2

// A metric is the sum of its values, and its rate per second.
#define STAMPEDE_METRIC_COUNTER 0

// The last value, the minimum and the maximum.
#define STAMPEDE_METRIC_GAUGE 1

// The share of the values that are not 0.
#define STAMPEDE_METRIC_RATE 2

// The distribution of the values.
#define STAMPEDE_METRIC_TREND 3

// A metric counts a plain number.
#define STAMPEDE_UNIT_NUMBER 0

// Nanoseconds.
#define STAMPEDE_UNIT_NANOSECONDS 1

// Bytes.
#define STAMPEDE_UNIT_BYTES 2

// A log line: an error.
#define STAMPEDE_LOG_ERROR 0

// A warning.
#define STAMPEDE_LOG_WARN 1

// Information for the user.
#define STAMPEDE_LOG_INFO 2

// Information for the author of the plugin.
#define STAMPEDE_LOG_DEBUG 3

// A text in UTF-8, without a terminating zero. A text that may be missing has a null `at` if it is; an empty one has
// any other `at`. For other texts, an empty one may have any `at`.
//
// A text from the host is valid until the function of the library that was called returns. A text that the library
// gives to a function of the host is read before that returns; one that it returns must stay valid until it is called
// again.
typedef struct stampede_text {
    // The first byte.
    const char *at;
    // Number of bytes.
    size_t length;
} stampede_text;

// One action a script can name.
typedef struct stampede_action {
    // The name used in `action:` of a step.
    struct stampede_text name;
    // One line for `stampede-shooter plugins`.
    struct stampede_text summary;
    // A JSON Schema (draft 2020-12, an object) of the parameters.
    struct stampede_text params_schema;
    // 1 if the action sets variables whose names the host cannot know from the script; otherwise 0.
    uint8_t sets_variables;
} stampede_action;

// The error for a malformed template.
typedef struct stampede_template_error {
    // The message.
    struct stampede_text message;
    // The fix; may be missing.
    struct stampede_text help;
} stampede_template_error;

// A name and a template for its value.
typedef struct stampede_named_template {
    // The name.
    struct stampede_text name;
    // The template's number.
    uint32_t value;
} stampede_named_template;

// The body of a prepared request. Only the members for its `kind` are read.
typedef struct stampede_request_body {
    // One of `STAMPEDE_BODY_…`.
    uint32_t kind;
    // The number of a template.
    uint32_t text;
    // The fields of a form.
    const struct stampede_named_template *fields;
    // Number of elements.
    size_t field_count;
    // The path of a file.
    struct stampede_text path;
} stampede_request_body;

// Credentials for the `authorization` header.
typedef struct stampede_credentials {
    // One of `STAMPEDE_CREDENTIALS_…`.
    uint32_t kind;
    // The number of a template.
    uint32_t name;
    // The number of a template.
    uint32_t secret;
} stampede_credentials;

// Options of a request and the handling of its reply.
typedef struct stampede_request_options {
    // One of `STAMPEDE_HTTP_…`.
    uint32_t version;
    // Maximum number of redirects to follow, 0 to 20.
    uint8_t max_redirects;
    // 1 to send `accept-encoding` and to decode the kept body; otherwise 0.
    uint8_t compression;
    // 1 if the body will be fetched; otherwise 0.
    uint8_t keep_body;
} stampede_request_options;

// A request whose shape is known before the run.
typedef struct stampede_request_template {
    // A method token, in upper case.
    struct stampede_text method;
    // The template of the URL.
    uint32_t url;
    // Appended to the URL's query, percent-encoded.
    const struct stampede_named_template *query;
    // Number of elements.
    size_t query_count;
    // Header fields.
    const struct stampede_named_template *headers;
    // Number of elements.
    size_t header_count;
    // The body.
    struct stampede_request_body body;
    // Adds an `authorization` field unless `headers` has one.
    struct stampede_credentials credentials;
    // Options.
    struct stampede_request_options options;
} stampede_request_template;

// A name and a value.
typedef struct stampede_field {
    // The name.
    struct stampede_text name;
    // The value.
    struct stampede_text value;
} stampede_field;

// Bytes of any kind, valid as long as a text.
typedef struct stampede_bytes {
    // The first byte.
    const uint8_t *at;
    // Number of elements.
    size_t length;
} stampede_bytes;

// A request decided at run time.
typedef struct stampede_dynamic_request {
    // A method token, in upper case.
    struct stampede_text method;
    // An absolute URL, or a reference resolved against the script's `base_url`.
    struct stampede_text url;
    // Header fields.
    const struct stampede_field *headers;
    // Number of elements.
    size_t header_count;
    // The body.
    struct stampede_bytes body;
    // Options.
    struct stampede_request_options options;
} stampede_dynamic_request;

// Summary of a reply, without its texts.
typedef struct stampede_reply {
    // The status code, 100 to 999.
    uint16_t status;
    // Size of the content as transferred, in bytes.
    uint64_t body_bytes;
    // Time from the start of the exchange to the last byte of the reply, in nanoseconds.
    uint64_t duration;
} stampede_reply;

// The destination of a socket.
typedef struct stampede_address {
    // A name or an address.
    struct stampede_text host;
    // 1 to 65535.
    uint16_t port;
    // 1 for TLS; otherwise 0, and the members below are not read.
    uint8_t tls;
    // The name the certificate must be for; if missing, the host.
    struct stampede_text server_name;
    // The protocols offered (ALPN), the preferred one first.
    const struct stampede_text *alpn;
    // Number of elements.
    size_t alpn_count;
} stampede_address;

// The functions of the host: one for each function of the WIT files, named after interface and function. Each takes
// the table itself first, and returns `STAMPEDE_OK`, `STAMPEDE_REFUSED` or `STAMPEDE_BROKEN`; only those with a reason
// as their last parameter return `STAMPEDE_REFUSED`. A trap in the WIT files is `STAMPEDE_BROKEN` here.
//
// The table is valid only within `configure`, `start`, `resume`, `cancel` and `forget_user`, on the calling thread: a
// thread of the library's own must not call the host. A C++ exception must not leave the library.
typedef struct stampede_host {
    // Data of the host.
    void *context;
    // `templates.compile`.
    uint32_t (*templates_compile)(const struct stampede_host *host,
                                  struct stampede_text source,
                                  uint32_t *compiled,
                                  struct stampede_template_error *error);
    // `templates.render`.
    uint32_t (*templates_render)(const struct stampede_host *host, uint32_t compiled, struct stampede_text *text);
    // `http.prepare`.
    uint32_t (*http_prepare)(const struct stampede_host *host,
                             const struct stampede_request_template *wanted,
                             uint32_t *request,
                             struct stampede_text *error);
    // `http.send`.
    uint32_t (*http_send)(const struct stampede_host *host, uint32_t request, uint32_t *operation);
    // `http.send-dynamic`.
    uint32_t (*http_send_dynamic)(const struct stampede_host *host,
                                  const struct stampede_dynamic_request *request,
                                  uint32_t *operation);
    // `http.reply`; refused with a kind of failure.
    uint32_t (*http_reply)(const struct stampede_host *host,
                           uint32_t operation,
                           struct stampede_reply *reply,
                           uint32_t *kind);
    // `http.header`; the value may be missing.
    uint32_t (*http_header)(const struct stampede_host *host,
                            uint32_t operation,
                            struct stampede_text name,
                            struct stampede_text *value);
    // `http.body`.
    uint32_t (*http_body)(const struct stampede_host *host, uint32_t operation, struct stampede_bytes *body);
    // `timer.sleep`.
    uint32_t (*timer_sleep)(const struct stampede_host *host, uint64_t nanoseconds, uint32_t *operation);
    // `timer.now`.
    uint32_t (*timer_now)(const struct stampede_host *host, uint64_t *nanoseconds);
    // `user.id`.
    uint32_t (*user_id)(const struct stampede_host *host, uint32_t *user);
    // `user.iteration`.
    uint32_t (*user_iteration)(const struct stampede_host *host, uint64_t *iteration);
    // `user.variable`; the value may be missing.
    uint32_t (*user_variable)(const struct stampede_host *host, struct stampede_text name, struct stampede_text *value);
    // `user.set-variable`.
    uint32_t (*user_set_variable)(const struct stampede_host *host,
                                  struct stampede_text name,
                                  struct stampede_text value);
    // `user.set-header`.
    uint32_t (*user_set_header)(const struct stampede_host *host,
                                struct stampede_text name,
                                struct stampede_text value,
                                struct stampede_text *error);
    // `user.random`.
    uint32_t (*user_random)(const struct stampede_host *host, uint64_t *number);
    // `operations.cancel`.
    uint32_t (*operations_cancel)(const struct stampede_host *host, uint32_t operation);
    // `sockets.connect`.
    uint32_t (*sockets_connect)(const struct stampede_host *host,
                                const struct stampede_address *address,
                                uint32_t *operation);
    // `sockets.connected`; refused with a kind of failure, as the functions below.
    uint32_t (*sockets_connected)(const struct stampede_host *host, uint32_t operation, uint32_t *socket, uint32_t *kind);
    // `sockets.protocol`; the text may be missing.
    uint32_t (*sockets_protocol)(const struct stampede_host *host, uint32_t socket, struct stampede_text *protocol);
    // `sockets.write`.
    uint32_t (*sockets_write)(const struct stampede_host *host,
                              uint32_t socket,
                              struct stampede_bytes bytes,
                              uint32_t *operation);
    // `sockets.written`.
    uint32_t (*sockets_written)(const struct stampede_host *host, uint32_t operation, uint32_t *kind);
    // `sockets.read`.
    uint32_t (*sockets_read)(const struct stampede_host *host, uint32_t socket, uint32_t most, uint32_t *operation);
    // `sockets.received`.
    uint32_t (*sockets_received)(const struct stampede_host *host,
                                 uint32_t operation,
                                 struct stampede_bytes *bytes,
                                 uint32_t *kind);
    // `sockets.close`.
    uint32_t (*sockets_close)(const struct stampede_host *host, uint32_t socket);
    // `report.fail`.
    uint32_t (*report_fail)(const struct stampede_host *host, uint32_t kind, struct stampede_text detail);
    // `report.define`; `kind` is one of `STAMPEDE_METRIC_…`, `unit` of `STAMPEDE_UNIT_…`.
    uint32_t (*report_define)(const struct stampede_host *host,
                              struct stampede_text name,
                              uint32_t kind,
                              uint32_t unit,
                              uint32_t *metric,
                              struct stampede_text *error);
    // `report.add`.
    uint32_t (*report_add)(const struct stampede_host *host, uint32_t metric, double value);
    // `log.write`; `level` is one of `STAMPEDE_LOG_…`.
    uint32_t (*log_write)(const struct stampede_host *host, uint32_t level, struct stampede_text message);
} stampede_host;

// An error in a step's parameters.
typedef struct stampede_config_error {
    // JSON Pointer (RFC 6901) to the offending value, empty for the step as a whole. The host points at its line.
    struct stampede_text pointer;
    // The message: lower case, no final period, names in backticks.
    struct stampede_text message;
    // The fix; may be missing.
    struct stampede_text help;
} stampede_config_error;

// A plugin: its description and its functions. The table must not change.
//
// One instance serves all users of one worker thread (`isolation: user` gives each its own), and the instances of
// several workers are called at the same time. Calls never overlap within one instance, and always come from the
// thread that created it. No call may wait: while it does, all other users of that worker stand still.
typedef struct stampede_plugin {
    // `STAMPEDE_VERSION`.
    uint32_t version;
    // The plugin's name.
    struct stampede_text name;
    // The plugin's own version (semantic versioning).
    struct stampede_text release;
    // The actions it offers, at least one.
    const struct stampede_action *actions;
    // Number of elements.
    size_t action_count;
    // Creates an instance; the returned pointer is passed to all calls below. Null if it cannot be created. Without
    // this function that pointer is null.
    void *(*create)(void);
    // Destroys an instance. Called once for each that was created; may be missing.
    void (*destroy)(void *instance);
    // Prepares one step, in the script's order: `STAMPEDE_OK` and a number of the library's choice for the step, or
    // `STAMPEDE_REFUSED` and the error.
    uint32_t (*configure)(void *instance,
                          const struct stampede_host *host,
                          struct stampede_text action,
                          struct stampede_text params,
                          uint32_t *step,
                          struct stampede_config_error *error);
    // Begins a task: `STAMPEDE_PENDING`, `STAMPEDE_PASSED` or `STAMPEDE_FAILED`. Hot.
    uint32_t (*start)(void *instance, const struct stampede_host *host, uint32_t step, uint32_t task);
    // Tells the library that an operation of a pending task has completed; returns as `start`. Hot.
    uint32_t (*resume)(void *instance, const struct stampede_host *host, uint32_t task, uint32_t operation);
    // Tells the library that a pending task is over; may be missing.
    void (*cancel)(void *instance, const struct stampede_host *host, uint32_t task);
    // Tells the library that a user is gone for good; may be missing.
    void (*forget_user)(void *instance, const struct stampede_host *host, uint32_t user);
} stampede_plugin;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// The only function that a library must export.
extern const struct stampede_plugin *stampede_plugin_v1(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* STAMPEDE_NATIVE_H */
