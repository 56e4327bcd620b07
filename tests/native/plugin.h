/* What the libraries of this folder have in common: one action, `misbehave`, which takes any parameters. Each says what
 * it does differently. */

#include <string.h>

#include "stampede_native.h"

#define UNUSED(name) (void)(name)

static const stampede_action misbehave = {
    .name = STAMPEDE_TEXT("misbehave"),
    .summary = STAMPEDE_TEXT("misbehaves"),
    .params_schema = STAMPEDE_TEXT("{\"type\": \"object\", \"additionalProperties\": true}"),
};

/* The members of a plugin that are the same in all. */
#define PLUGIN .name = STAMPEDE_TEXT("it"), .release = STAMPEDE_TEXT("0.1.0"), .actions = &misbehave, .action_count = 1

static inline stampede_text text(const char *zero_ended) {
    stampede_text text = {zero_ended, strlen(zero_ended)};
    return text;
}

static inline int contains(stampede_text params, const char *word) {
    for (size_t at = 0; at + strlen(word) <= params.length; at++) {
        if (memcmp(params.at + at, word, strlen(word)) == 0) return 1;
    }
    return 0;
}

static inline uint32_t accept(void *instance, const stampede_host *host, stampede_text action, stampede_text params,
                              uint32_t *step, stampede_config_error *error) {
    UNUSED(instance), UNUSED(host), UNUSED(action), UNUSED(params), UNUSED(error);
    *step = 0;
    return STAMPEDE_OK;
}

static inline uint32_t pass(void *instance, const stampede_host *host, uint32_t a, uint32_t b) {
    UNUSED(instance), UNUSED(host), UNUSED(a), UNUSED(b);
    return STAMPEDE_PASSED;
}
