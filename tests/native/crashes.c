/* Its task crashes the process in the way that the parameter `how` names. */
#include <stdlib.h>

#include "plugin.h"

enum { FAULT, OVERFLOW, ABORT };

static uint32_t configure(void *instance, const stampede_host *host, stampede_text action, stampede_text params,
                          uint32_t *step, stampede_config_error *error) {
    UNUSED(instance), UNUSED(host), UNUSED(action), UNUSED(error);
    *step = contains(params, "overflow") ? OVERFLOW : contains(params, "abort") ? ABORT : FAULT;
    return STAMPEDE_OK;
}

/* Recurses until the stack is full. */
static uint32_t deeper(volatile uint32_t *above) {
    volatile uint32_t frame[256];
    frame[0] = *above + 1;
    if (frame[0] == 0)
        return 0;
    return deeper(frame) + frame[0];
}

static uint32_t start(void *instance, const stampede_host *host, uint32_t step, uint32_t task) {
    UNUSED(instance), UNUSED(host), UNUSED(task);
    volatile uint32_t depth = 0;
    switch (step) {
    case OVERFLOW:
        return deeper(&depth);
    case ABORT:
        abort();
    default:
        return *(volatile uint32_t *)(uintptr_t)depth;
    }
}

const stampede_plugin *stampede_plugin_v1(void) {
    static const stampede_plugin plugin = {
        .version = STAMPEDE_VERSION, PLUGIN, .configure = configure, .start = start, .resume = pass};
    return &plugin;
}
