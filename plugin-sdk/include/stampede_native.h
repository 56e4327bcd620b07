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

// The version of this contract; it is also in the name of the function that a library exports. A library of another
// version is refused.
#define STAMPEDE_VERSION 1

// It is done, and what was asked for is in the out parameter.
#define STAMPEDE_OK 0

// It is not done, for a reason that the contract foresees, which is in the last out parameter.
#define STAMPEDE_REFUSED 1

// The contract was broken: a number that nobody gave, a null pointer, a text that is not UTF-8, a function outside of
// its time. Out parameters are left as they are. When the library's function returns, its instance is given up, the
// tasks that were pending in it fail, and the next task gets a new one; so return as soon as you can.
#define STAMPEDE_BROKEN 2

// At least one operation is in flight; call `resume` when one has completed.
#define STAMPEDE_PENDING 0

// Done, and everything was as the step wants it.
#define STAMPEDE_PASSED 1

// Done, and something was not; `report_fail` may have said what.
#define STAMPEDE_FAILED 2

// A kind of failure: nothing came back in time.
#define STAMPEDE_KIND_TIMEOUT 0

// A reply arrived, with a status the step does not accept.
#define STAMPEDE_KIND_STATUS 1

// The name did not resolve, the connection was refused, reset or closed early, or TLS failed.
#define STAMPEDE_KIND_NETWORK 2

// A reply arrived, with contents the step does not accept.
#define STAMPEDE_KIND_CHECK 3

// What arrived breaks the rules of the protocol.
#define STAMPEDE_KIND_PROTOCOL 4

// The plugin itself is at fault.
#define STAMPEDE_KIND_PLUGIN 5

// The run ended first. Set by the host only.
#define STAMPEDE_KIND_CANCELLED 6

// An HTTP version: HTTP/2 if the server picks it during the TLS handshake, else HTTP/1.1.
#define STAMPEDE_HTTP_NEGOTIATE 0

// HTTP/1.1.
#define STAMPEDE_HTTP_1 1

// HTTP/2: over TLS by ALPN, in clear with prior knowledge.
#define STAMPEDE_HTTP_2 2

// A request's body: none.
#define STAMPEDE_BODY_NONE 0

// The rendered text of `text`.
#define STAMPEDE_BODY_TEXT 1

// The same, with `content-type: application/json`.
#define STAMPEDE_BODY_JSON 2

// The names and rendered values of `fields`, form-encoded.
#define STAMPEDE_BODY_FORM 3

// The contents of the file `path`, which stands among the step's parameters.
#define STAMPEDE_BODY_FILE 4

// Credentials: none.
#define STAMPEDE_CREDENTIALS_NONE 0

// RFC 7617: the templates `name` and `secret` are user name and password.
#define STAMPEDE_CREDENTIALS_BASIC 1

// RFC 6750: the template `secret` is the token.
#define STAMPEDE_CREDENTIALS_BEARER 2

// A metric is the sum of its values, and so many a second.
#define STAMPEDE_METRIC_COUNTER 0

// The last value, the least and the most.
#define STAMPEDE_METRIC_GAUGE 1

// The share of the values that is not 0.
#define STAMPEDE_METRIC_RATE 2

// The distribution of the values.
#define STAMPEDE_METRIC_TREND 3

// A metric counts a plain number.
#define STAMPEDE_UNIT_NUMBER 0

// Nanoseconds.
#define STAMPEDE_UNIT_NANOSECONDS 1

// Bytes.
#define STAMPEDE_UNIT_BYTES 2

// A line of the log: something is broken.
#define STAMPEDE_LOG_ERROR 0

// Something is odd.
#define STAMPEDE_LOG_WARN 1

// Something worth knowing.
#define STAMPEDE_LOG_INFO 2

// Something worth knowing while writing the plugin.
#define STAMPEDE_LOG_DEBUG 3

// A text in UTF-8, without a zero at its end. Where a text may be missing, `at` is null; an empty one may have any `at`
// but null there, and null as well elsewhere.
//
// What the host gives is valid until the function of the library that was called returns. What the library gives to a
// function of the host is read before that returns; what it gives back must stay valid until it is called again.
typedef struct stampede_text {
    // The first byte.
    const char *at;
    // How many bytes.
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
    // Whether the action sets variables whose names the host cannot know from the script: 0 or 1.
    uint8_t sets_variables;
} stampede_action;

// Why a text is no template.
typedef struct stampede_template_error {
    // What is wrong.
    struct stampede_text message;
    // How to put it right; may be missing.
    struct stampede_text help;
} stampede_template_error;

// A name and a template for its value.
typedef struct stampede_named_template {
    // The name.
    struct stampede_text name;
    // The template's number.
    uint32_t value;
} stampede_named_template;

// What is sent after the header section of a prepared request. Only the members that `kind` tells of are looked at.
typedef struct stampede_request_body {
    // One of `STAMPEDE_BODY_…`.
    uint32_t kind;
    // The number of a template.
    uint32_t text;
    // The fields of a form.
    const struct stampede_named_template *fields;
    // How many.
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

// How a request is sent and its reply treated.
typedef struct stampede_request_options {
    // One of `STAMPEDE_HTTP_…`.
    uint32_t version;
    // How many redirects are followed, 0 to 20.
    uint8_t max_redirects;
    // Whether to send `accept-encoding` and to decode the kept body: 0 or 1.
    uint8_t compression;
    // Whether the body will be asked for: 0 or 1.
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
    // How many.
    size_t query_count;
    // Header fields.
    const struct stampede_named_template *headers;
    // How many.
    size_t header_count;
    // What is sent.
    struct stampede_request_body body;
    // Adds an `authorization` field unless `headers` has one.
    struct stampede_credentials credentials;
    // How it is sent.
    struct stampede_request_options options;
} stampede_request_template;

// A name and a value.
typedef struct stampede_field {
    // The name.
    struct stampede_text name;
    // The value.
    struct stampede_text value;
} stampede_field;

// Bytes of any kind; as long valid as a text.
typedef struct stampede_bytes {
    // The first byte.
    const uint8_t *at;
    // How many.
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
    // How many.
    size_t header_count;
    // What is sent.
    struct stampede_bytes body;
    // How it is sent.
    struct stampede_request_options options;
} stampede_dynamic_request;

// What is known of a reply without its texts.
typedef struct stampede_reply {
    // The status code, 100 to 999.
    uint16_t status;
    // Size of the content as transferred, in bytes.
    uint64_t body_bytes;
    // From the start of the exchange to the last byte of the reply, in nanoseconds.
    uint64_t duration;
} stampede_reply;

// Where a socket leads to.
typedef struct stampede_address {
    // A name or an address.
    struct stampede_text host;
    // 1 to 65535.
    uint16_t port;
    // With TLS: 0 or 1. Without it the members below are not looked at.
    uint8_t tls;
    // The name the certificate must be for; if missing, the host.
    struct stampede_text server_name;
    // The protocols offered (ALPN), the favourite first.
    const struct stampede_text *alpn;
    // How many.
    size_t alpn_count;
} stampede_address;

// What the host does for a plugin: one function for each of the WIT files, named after interface and function. Every
// one takes the table itself first, and answers `STAMPEDE_OK`, `STAMPEDE_REFUSED` or `STAMPEDE_BROKEN`; only those with
// a reason as their last parameter refuse. What the WIT files call a trap is `STAMPEDE_BROKEN`.
//
// The table is valid within `configure`, `start`, `resume`, `cancel` and `forget_user`, in the thread that called, and
// nowhere else: a thread of the library's own must not call the host. A C++ exception must not leave the library.
typedef struct stampede_host {
    // The host's own.
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
    // `sockets.protocol`; it may be missing.
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

// What is wrong with a step's parameters.
typedef struct stampede_config_error {
    // JSON Pointer (RFC 6901) to the offending value, empty for the step as a whole. The host points at its line.
    struct stampede_text pointer;
    // What is wrong: lower case, no full stop, names in backticks.
    struct stampede_text message;
    // How to put it right; may be missing.
    struct stampede_text help;
} stampede_config_error;

// What a library is. It must not change.
//
// One instance serves all users of one worker thread (`isolation: user` gives each its own), and the instances of
// several workers are called at the same time. Calls never overlap within one instance, and always come from the thread
// that made it. None may wait: while it does, no other user of that worker goes on.
typedef struct stampede_plugin {
    // `STAMPEDE_VERSION`.
    uint32_t version;
    // The plugin's name.
    struct stampede_text name;
    // The plugin's own version (semantic versioning).
    struct stampede_text release;
    // The actions it offers, at least one.
    const struct stampede_action *actions;
    // How many.
    size_t action_count;
    // Makes an instance; the pointer is handed to all calls below. Null if it cannot be made. Without this function
    // that pointer is null.
    void *(*create)(void);
    // An instance is no longer needed, or is given up. Called once for each that was made; may be missing.
    void (*destroy)(void *instance);
    // Prepares one step, in the script's order: `STAMPEDE_OK` and a number of the library's own choice for the step, or
    // `STAMPEDE_REFUSED` and what is wrong.
    uint32_t (*configure)(void *instance,
                          const struct stampede_host *host,
                          struct stampede_text action,
                          struct stampede_text params,
                          uint32_t *step,
                          struct stampede_config_error *error);
    // Begins a task: `STAMPEDE_PENDING`, `STAMPEDE_PASSED` or `STAMPEDE_FAILED`. Hot.
    uint32_t (*start)(void *instance, const struct stampede_host *host, uint32_t step, uint32_t task);
    // Says that an operation of a pending task has completed; answers as `start`. Hot.
    uint32_t (*resume)(void *instance, const struct stampede_host *host, uint32_t task, uint32_t operation);
    // Says that a pending task is over; may be missing.
    void (*cancel)(void *instance, const struct stampede_host *host, uint32_t task);
    // Says that a user is gone for good; may be missing.
    void (*forget_user)(void *instance, const struct stampede_host *host, uint32_t user);
} stampede_plugin;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

// What a library exports, and all that it must.
extern const struct stampede_plugin *stampede_plugin_v1(void);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* STAMPEDE_NATIVE_H */
