// The `{{action}}` action: sends a line over a socket and expects a text in the line that comes back.

#include "stampede.h"

#include <stdlib.h>
#include <string.h>

// One configured step; all virtual users of a thread share it.
struct step {
    char host[256];
    uint16_t port;
    uint32_t send;
    uint32_t expect;
};

struct task {
    struct stampede_task base;
    struct stampede_stream stream;
    uint32_t waits;
};

// Checks the parameters, once per step, before the run.
static bool configure(void *of, const plugin_string_t *params)
{
    struct step *step = of;
    plugin_string_t address;
    if (!stampede_text(params, "address", &address))
        return stampede_refuse(NULL, "`address` is missing");
    bool valid = stampede_host_and_port(&address, step->host, &step->port);
    plugin_string_free(&address);
    if (!valid)
        return stampede_refuse("address", "expected `HOST:PORT`");
    return stampede_template(params, "send", &step->send) && stampede_template(params, "expect", &step->expect);
}

static uint32_t send_line(const struct step *step, const struct stampede_stream *stream)
{
    plugin_string_t text;
    stampede_plugin_templates_render(step->send, &text);
    char *line = malloc(text.len + 2);
    if (line == NULL)
        abort();
    memcpy(line, text.ptr, text.len);
    memcpy(line + text.len, "\r\n", 2);
    uint32_t sent = stampede_write(stream, line, text.len + 2);
    plugin_string_free(&text);
    free(line);
    return sent;
}

// Returns true if the line that ends at `end` contains the expected text; otherwise reports the failure.
static bool is_expected(const struct step *step, const struct stampede_stream *stream, size_t end)
{
    plugin_string_t text;
    bool found = false;
    stampede_plugin_templates_render(step->expect, &text);
    for (size_t at = 0; at + text.len <= end && !found; at++)
        found = memcmp(stream->bytes + at, text.ptr, text.len) == 0;
    if (!found)
        stampede_fail(STAMPEDE_CHECK, "expected `%.*s`, got `%.*s`", (int)text.len, text.ptr, (int)end - 2, stream->bytes);
    plugin_string_free(&text);
    return found;
}

// Runs the step for one user. After a failure or a timeout the helper closes the socket.
static stampede_progress run(const void *of, void *kept)
{
    const struct step *step = of;
    struct task *task = kept;
    size_t end;
    STAMPEDE_BEGIN(task);
    task->waits = stampede_connect(step->host, step->port);
    STAMPEDE_AWAIT(task, task->waits);
    // The load runner has recorded its own failure, such as a refused connection.
    if (!stampede_connected(&task->base, task->waits, &task->stream))
        return STAMPEDE_FAILED;
    task->waits = send_line(step, &task->stream);
    STAMPEDE_AWAIT(task, task->waits);
    if (!stampede_written(task->waits))
        return STAMPEDE_FAILED;
    STAMPEDE_READ_UNTIL(task, &task->stream, "\r\n", 4096, end);
    if (!is_expected(step, &task->stream, end))
        return STAMPEDE_FAILED;
    stampede_close(&task->stream);
    STAMPEDE_END();
}

// Frees the data of a task that has ended or was cancelled.
static void drop(void *kept)
{
    free(((struct task *)kept)->stream.bytes);
}

#define TEXT "\"type\": [\"string\", \"number\", \"boolean\"]"

// The step's own keys. `stampede-shooter plugins --script script.yml` shows their descriptions.
static const char SCHEMA[] =
    "{\"type\": \"object\", \"properties\": {"
    "\"address\": {\"type\": \"string\", \"description\": \"The peer as `HOST:PORT`.\"},"
    "\"send\": {" TEXT ", \"description\": \"The line to send, without its end.\"},"
    "\"expect\": {" TEXT ", \"description\": \"The text that the answer must contain.\"}},"
    "\"required\": [\"address\", \"send\", \"expect\"], \"additionalProperties\": false}";

const char *const stampede_name = "{{action}}";
const char *const stampede_version = "0.1.0";
const struct stampede_action stampede_actions[] = {
    {"{{action}}", "sends a line and expects a text in the answer", SCHEMA, sizeof(struct step), sizeof(struct task),
     configure, run, drop},
};
const size_t stampede_action_count = 1;
