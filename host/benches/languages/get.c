// The `get-c` action: one prepared request, and a check of its status. The rest is the cost of the language.

#include "stampede.h"

struct step {
    uint32_t request;
};

struct task {
    struct stampede_task base;
    uint32_t sent;
};

static bool configure(void *of, const plugin_string_t *params)
{
    struct step *step = of;
    uint32_t url;
    return stampede_template(params, "url", &url) && stampede_request("GET", url, false, &step->request);
}

static stampede_progress run(const void *of, void *kept)
{
    struct task *task = kept;
    stampede_reply reply;
    STAMPEDE_BEGIN(task);
    task->sent = stampede_plugin_http_send(((const struct step *)of)->request);
    STAMPEDE_AWAIT(task, task->sent);
    if (!stampede_replied(task->sent, &reply))
        return STAMPEDE_FAILED;
    if (reply.status != 200)
        return stampede_fail(STAMPEDE_STATUS, "expected status 200, got %d", reply.status);
    STAMPEDE_END();
}

static const char SCHEMA[] =
    "{\"type\": \"object\", \"properties\": {\"url\": {\"type\": \"string\"}}, \"required\": [\"url\"]}";

const char *const stampede_name = "get-c";
const char *const stampede_version = "0.1.0";
const struct stampede_action stampede_actions[] = {
    {"get-c", "sends a request", SCHEMA, sizeof(struct step), sizeof(struct task), configure, run, NULL},
};
const size_t stampede_action_count = 1;
