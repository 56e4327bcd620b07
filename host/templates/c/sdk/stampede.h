// The contract of stampede-shooter as straight-line code.
//
// An action is a function that is called again each time the operation that it awaits has completed, and goes on where
// it left off. Data that must survive an await is in a struct of its own, whose first member is `struct stampede_task`;
// all virtual users of a thread share the rest, so no call waits.
//
//     struct task { struct stampede_task base; uint32_t asked; };
//
//     static stampede_progress run(const void *step, void *of)
//     {
//         struct task *task = of;
//         stampede_reply reply;
//         STAMPEDE_BEGIN(task);
//         task->asked = stampede_plugin_http_send(((const struct step *)step)->request);
//         STAMPEDE_AWAIT(task, task->asked);
//         if (!stampede_replied(task->asked, &reply))
//             return STAMPEDE_FAILED;
//         if (reply.status != 200)
//             return stampede_fail(STAMPEDE_STATUS, "expected status 200, got %d", reply.status);
//         STAMPEDE_END();
//     }
//
// `stampede_connected` and the macros after it are for sockets. A task that fails, or is cut off by a timeout, closes the
// sockets that it has opened with them.
//
// `time` and `clock_gettime` read the run's clock, to a millisecond; `rand` draws the same numbers in every run, and
// `stampede_random` those of the user, which the run's seed decides.
//
// Several operations may be submitted before the first of them is awaited; they run concurrently. `plugin.h` has every
// call of the contract, which the folder `wit` documents; free the texts that it returns with `plugin_string_free`.

#ifndef STAMPEDE_H
#define STAMPEDE_H

#include <stddef.h>

#include "plugin.h"

typedef exports_stampede_plugin_action_progress_t stampede_progress;
typedef stampede_plugin_http_reply_summary_t stampede_reply;

#define STAMPEDE_PENDING EXPORTS_STAMPEDE_PLUGIN_ACTION_PROGRESS_PENDING
#define STAMPEDE_PASSED EXPORTS_STAMPEDE_PLUGIN_ACTION_PROGRESS_PASSED
#define STAMPEDE_FAILED EXPORTS_STAMPEDE_PLUGIN_ACTION_PROGRESS_FAILED

// Kinds of failure.
#define STAMPEDE_TIMEOUT STAMPEDE_PLUGIN_TYPES_FAILURE_KIND_TIMEOUT
#define STAMPEDE_STATUS STAMPEDE_PLUGIN_TYPES_FAILURE_KIND_STATUS
#define STAMPEDE_NETWORK STAMPEDE_PLUGIN_TYPES_FAILURE_KIND_NETWORK
#define STAMPEDE_CHECK STAMPEDE_PLUGIN_TYPES_FAILURE_KIND_CHECK
#define STAMPEDE_PROTOCOL STAMPEDE_PLUGIN_TYPES_FAILURE_KIND_PROTOCOL

// The first member of the data of a task.
struct stampede_task {
    // The line of the await where it left off; 0 before it begins.
    int at;
    // The operation that it awaits.
    uint32_t awaits;
    // The operation of `STAMPEDE_TURN`.
    uint32_t turn;
    // Operations that have completed before they were awaited.
    uint32_t *ended;
    size_t ended_count;
    // Sockets to close if the task fails or is cut off.
    uint32_t *sockets;
    size_t socket_count;
    // The operation of STAMPEDE_READ_EXACT, STAMPEDE_READ_UNTIL and STAMPEDE_SECURE.
    uint32_t reading;
    // The wait for the end of the user's time, from `stampede_watch_ending`.
    uint32_t ending;
    bool watches_ending;
    bool races_ending;
    // True once the user's time has ended.
    bool is_over;
};

// A socket, and the bytes that have arrived and were not taken so far. It may be kept from task to task.
struct stampede_stream {
    uint32_t socket;
    uint8_t *bytes;
    size_t length;
};

#define STAMPEDE_BEGIN(task) switch ((task)->base.at) { case 0:
#define STAMPEDE_AWAIT(task, operation) \
    do { \
        if (!stampede_has_ended(&(task)->base, (operation))) { \
            (task)->base.at = __LINE__; \
            return STAMPEDE_PENDING; \
        case __LINE__:; \
        } \
    } while (0)
// Awaits an operation, or the end of the user's time if the task has called `stampede_watch_ending`. If
// `task->base.is_over` is true then, the operation has not completed: the task counts what it has seen, and ends.
#define STAMPEDE_AWAIT_OR_END(task, operation) \
    do { \
        if (!stampede_has_ended_or_is_over(&(task)->base, (operation))) { \
            (task)->base.at = __LINE__; \
            return STAMPEDE_PENDING; \
        case __LINE__:; \
        } \
    } while (0)
// Waits for the user's turn under its rate limit. The request or the first operation on sockets that comes next takes
// the turn, and begins at once. A time that is measured from then on has no wait in it.
#define STAMPEDE_TURN(task) \
    do { \
        if (stampede_plugin_task_turn(&(task)->base.turn)) \
            STAMPEDE_AWAIT(task, (task)->base.turn); \
    } while (0)

// Reads exactly `count` bytes into `stream->bytes`, which `stampede_taken` removes. Fails the task if the peer ends first.
#define STAMPEDE_READ_EXACT(task, stream, count) \
    while ((stream)->length < (size_t)(count)) { \
        (task)->base.reading = stampede_plugin_sockets_read((stream)->socket, 16384); \
        STAMPEDE_AWAIT(task, (task)->base.reading); \
        if (!stampede_filled(stream, (task)->base.reading)) \
            return STAMPEDE_FAILED; \
    }
// Reads until a text such as "\r\n" is among `stream->bytes`, and sets `end` behind it, for `stampede_taken`; fails the
// task if it does not come within `most` bytes.
#define STAMPEDE_READ_UNTIL(task, stream, text, most, end) \
    while (((end) = stampede_end_of(stream, text, most)) == 0) { \
        if ((stream)->length >= (size_t)(most)) \
            return stampede_fail(STAMPEDE_PROTOCOL, "the expected delimiter did not come within %zu bytes", (size_t)(most)); \
        (task)->base.reading = stampede_plugin_sockets_read((stream)->socket, 16384); \
        STAMPEDE_AWAIT(task, (task)->base.reading); \
        if (!stampede_filled(stream, (task)->base.reading)) \
            return STAMPEDE_FAILED; \
    }

// Begins TLS on a stream in clear, as SMTP does after STARTTLS. The certificate must be for the host of the connect, or
// for `name` if that is not NULL. Fails the task if bytes that came in clear are left: anyone on the way may have added
// them.
#define STAMPEDE_SECURE(task, stream, name) \
    do { \
        if (!stampede_is_drained(stream)) \
            return STAMPEDE_FAILED; \
        (task)->base.reading = stampede_secure(stream, name); \
        STAMPEDE_AWAIT(task, (task)->base.reading); \
        if (!stampede_secured((task)->base.reading)) \
            return STAMPEDE_FAILED; \
    } while (0)

#define STAMPEDE_END() } return STAMPEDE_PASSED

// An action. The file of a plugin defines `stampede_actions`, `stampede_name` and `stampede_version`.
struct stampede_action {
    const char *name;
    const char *summary;
    // A JSON Schema of the parameters.
    const char *schema;
    // The sizes of the data of a step, and of a task, which are zeroed first.
    size_t step_size;
    size_t task_size;
    // Configures a step from its parameters as JSON. Calls `stampede_refuse` and returns false if they are wrong.
    bool (*configure)(void *step, const plugin_string_t *params);
    // Runs the step for one user. Called again each time the operation that it awaits has completed.
    stampede_progress (*run)(const void *step, void *task);
    // Frees the data of a task that has ended or was cancelled; may be NULL.
    void (*drop)(void *task);
};

extern const char *const stampede_name;
extern const char *const stampede_version;
extern const struct stampede_action stampede_actions[];
extern const size_t stampede_action_count;

// Configuring.

// Refuses a step with a message, about a key if `key` is not NULL; returns false.
bool stampede_refuse(const char *key, const char *message);
// Reads the text under a key, which the caller frees; returns false if there is none, or it is a list or a mapping. A
// number is taken as its text: YAML reads `page: 7` as one, and its author meant a text.
bool stampede_text(const plugin_string_t *params, const char *key, plugin_string_t *text);
// Returns the whole number under a key; `otherwise` if there is none.
int64_t stampede_number(const plugin_string_t *params, const char *key, int64_t otherwise);
// Compiles the text under a key as a template; returns false after `stampede_refuse`.
bool stampede_template(const plugin_string_t *params, const char *key, uint32_t *template_number);
// Prepares a request without fields or a body; returns false after `stampede_refuse`.
bool stampede_request(const char *method, uint32_t url, bool keep_body, uint32_t *request);

// Defines a row of the report below the step's, for `stampede_plugin_transfers_begin`; the times of a row that is by
// design, such as that of a long poll, are in no total. Returns false after `stampede_refuse`.
bool stampede_row(const char *name, bool by_design, uint32_t *row);

// Running.

// Submits a GET request that counts in a row of its own. `stampede_plugin_transfers_progress` and `_leave` take its
// number.
uint32_t stampede_begin(uint32_t row, const char *url, bool keep_body);
// Has STAMPEDE_AWAIT_OR_END end when the user's time does.
void stampede_watch_ending(struct stampede_task *task);
// Reads the reply of an exchange that has completed; returns false if there is none, whose reason the host has
// recorded.
bool stampede_replied(uint32_t operation, stampede_reply *reply);
// Reports a failure, with a detail formatted as by `printf`; returns STAMPEDE_FAILED.
stampede_progress stampede_fail(uint8_t kind, const char *format, ...) __attribute__((format(printf, 2, 3)));
// Submits a connect in clear.
uint32_t stampede_connect(const char *host, uint16_t port);
// Takes the socket of a connect that has completed into an empty stream; returns false if there is none, whose reason
// the host has recorded.
bool stampede_connected(struct stampede_task *task, uint32_t operation, struct stampede_stream *stream);
// Submits a write of a text or bytes.
uint32_t stampede_write(const struct stampede_stream *stream, const void *bytes, size_t length);
// Returns true if a write has succeeded.
bool stampede_written(uint32_t operation);
// Adds the bytes of a read that has completed; returns false, with a failure reported, if the peer has closed its side.
bool stampede_filled(struct stampede_stream *stream, uint32_t operation);
// Returns the end of the first occurrence of a text within the first `most` bytes; 0 if there is none.
size_t stampede_end_of(const struct stampede_stream *stream, const char *text, size_t most);
// Submits a TLS handshake for a name, or for the host of the connect if it is NULL. STAMPEDE_SECURE does all that is
// needed.
uint32_t stampede_secure(const struct stampede_stream *stream, const char *name);
// Returns true if a handshake has succeeded.
bool stampede_secured(uint32_t operation);
// Returns true if no bytes are left; otherwise reports a failure.
bool stampede_is_drained(const struct stampede_stream *stream);
// Removes bytes from the front.
void stampede_taken(struct stampede_stream *stream, size_t count);
// Closes a stream, and frees its bytes. May be called in `drop`, too.
void stampede_close(struct stampede_stream *stream);
// Splits `mail.site:25` or `[::1]:25`; returns false if it is not that. `host` has room for 256 characters.
bool stampede_host_and_port(const plugin_string_t *text, char *host, uint16_t *port);
// Returns the seconds since the run began, from the clock that also times the requests.
double stampede_now(void);
// Writes the time in UTC, such as `2026-01-31T09:05:00.250Z`, and a zero.
void stampede_iso_now(char text[25]);
// Returns the next of the user's random numbers, from 0 up to, but not including, 1.
double stampede_random(void);
// Returns true if an operation has completed already; otherwise the task awaits it.
bool stampede_has_ended(struct stampede_task *task, uint32_t operation);
// Returns true if an operation has completed already, or the user's time is over; otherwise the task awaits them.
bool stampede_has_ended_or_is_over(struct stampede_task *task, uint32_t operation);

#endif
