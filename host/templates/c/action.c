// The `{{action}}` action: fetches a page and expects a status and a text.

#include "stampede.h"

#include <stdio.h>
#include <string.h>

// One configured step; all virtual users of a thread share it.
struct step {
    uint32_t page;
    uint32_t text;
    int64_t status;
};

struct task {
    struct stampede_task base;
    plugin_string_t text;
    uint32_t sent;
};

// Checks the parameters, once per step, before the run.
static bool configure(void *of, const plugin_string_t *params)
{
    struct step *step = of;
    uint32_t url;
    step->status = stampede_number(params, "status", 200);
    if (step->status < 100 || step->status > 599) {
        char message[80];
        snprintf(message, sizeof message, "`status` must be from 100 to 599, got %lld", (long long)step->status);
        return stampede_refuse("status", message);
    }
    // The body is kept because `run` searches it.
    return stampede_template(params, "text", &step->text) && stampede_template(params, "url", &url)
        && stampede_request("GET", url, true, &step->page);
}

static bool contains(const plugin_list_u8_t *page, const plugin_string_t *text)
{
    for (size_t at = 0; at + text->len <= page->len; at++) {
        if (memcmp(page->ptr + at, text->ptr, text->len) == 0)
            return true;
    }
    return false;
}

// Runs the step for one user.
static stampede_progress run(const void *of, void *kept)
{
    const struct step *step = of;
    struct task *task = kept;
    stampede_reply reply;
    STAMPEDE_BEGIN(task);
    stampede_plugin_templates_render(step->text, &task->text);
    task->sent = stampede_plugin_http_send(step->page);
    STAMPEDE_AWAIT(task, task->sent);
    // The load runner has recorded its own failure, such as a refused connection.
    if (!stampede_replied(task->sent, &reply))
        return STAMPEDE_FAILED;
    if (reply.status != step->status)
        return stampede_fail(STAMPEDE_STATUS, "expected status %lld, got %d", (long long)step->status, reply.status);
    plugin_list_u8_t page;
    stampede_plugin_http_body(task->sent, &page);
    bool found = contains(&page, &task->text);
    plugin_list_u8_free(&page);
    if (!found)
        return stampede_fail(STAMPEDE_CHECK, "expected `%.*s` in the page", (int)task->text.len, task->text.ptr);
    STAMPEDE_END();
}

// Frees the data of a task that has ended or was cancelled.
static void drop(void *kept)
{
    plugin_string_free(&((struct task *)kept)->text);
}

#define TEXT "\"type\": [\"string\", \"number\", \"boolean\"]"

// The step's own keys. `stampede-shooter plugins --script script.yml` shows their descriptions.
static const char SCHEMA[] =
    "{\"type\": \"object\", \"properties\": {"
    "\"url\": {" TEXT ", \"description\": \"The page, absolute or relative to the script's `base_url`.\"},"
    "\"status\": {\"type\": \"integer\", \"default\": 200,"
    " \"description\": \"The expected status; 200 if absent.\"},"
    "\"text\": {" TEXT ", \"description\": \"The text that the page must contain.\"}},"
    "\"required\": [\"url\", \"text\"], \"additionalProperties\": false}";

const char *const stampede_name = "{{action}}";
const char *const stampede_version = "0.1.0";
const struct stampede_action stampede_actions[] = {
    {"{{action}}", "fetches a page and expects a text in it", SCHEMA, sizeof(struct step), sizeof(struct task),
     configure, run, drop},
};
const size_t stampede_action_count = 1;
