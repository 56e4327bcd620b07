/* Its every third task breaks the contract in the way that the parameter `how` names, and says that all is well. The
 * others wait a moment. */
#include <stdlib.h>

#include "plugin.h"

static const char *const ways[] = {"operation", "utf8",    "nowhere", "no_place", "too_long",
                                   "answer",    "message", "kind",    "flag",     "configure"};
enum { WAYS = sizeof ways / sizeof ways[0] };

/* An instance: how many tasks it has begun. */
struct instance {
    uint32_t tasks;
};

static void *create(void) { return calloc(1, sizeof(struct instance)); }

static uint32_t configure(void *instance, const stampede_host *host, stampede_text action, stampede_text params,
                          uint32_t *step, stampede_config_error *error) {
    UNUSED(instance), UNUSED(host), UNUSED(action), UNUSED(error);
    for (*step = 0; *step < WAYS && !contains(params, ways[*step]); (*step)++) {
    }
    return STAMPEDE_OK;
}

static uint32_t start(void *state, const stampede_host *host, uint32_t step, uint32_t task) {
    struct instance *instance = state;
    uint32_t operation;
    stampede_text found;
    stampede_bytes body;
    stampede_dynamic_request request = {.method = STAMPEDE_TEXT("GET"), .url = STAMPEDE_TEXT("/")};
    UNUSED(task);
    if (++instance->tasks % 3 != 0) {
        return host->timer_sleep(host, 1, &operation) == STAMPEDE_OK ? STAMPEDE_PENDING : STAMPEDE_FAILED;
    }
    switch (step) {
    case 0: /* An operation number that the host never gave. */
        host->http_body(host, 7, &body);
        break;
    case 1:
        host->log_write(host, STAMPEDE_LOG_INFO, text("\xff"));
        break;
    case 2: /* Three bytes that are nowhere. */
        host->user_variable(host, (stampede_text){NULL, 3}, &found);
        break;
    case 3:
        host->timer_sleep(host, 1, NULL);
        break;
    case 4: /* More than the memory of any machine. */
        host->user_variable(host, (stampede_text){"x", (size_t)-1}, &found);
        break;
    case 5:
        return 99;
    case 6: /* No request at all. */
        host->http_send_dynamic(host, NULL, &operation);
        break;
    case 7:
        host->report_fail(host, 77, text("no kind of that number"));
        break;
    case 8:
        request.options.compression = 2;
        host->http_send_dynamic(host, &request, &operation);
        break;
    case 9: /* A template, at the wrong time. */
        host->templates_compile(host, text("x"), &operation, &(stampede_template_error){0});
        break;
    }
    return STAMPEDE_PASSED;
}

const stampede_plugin *stampede_plugin_v1(void) {
    static const stampede_plugin plugin = {.version = STAMPEDE_VERSION, PLUGIN,        .create = create,
                                           .destroy = free,             .configure = configure,
                                           .start = start,              .resume = pass};
    return &plugin;
}
