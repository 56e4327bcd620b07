// The `challenge-c` action: asks for a nonce, and answers with its checksum under a shared key.

#include "stampede.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT "\"type\": [\"string\", \"number\", \"boolean\"]"

static const char SCHEMA[] =
    "{\"$schema\": \"https://json-schema.org/draft/2020-12/schema\", \"type\": \"object\", \"properties\": {"
    "\"url\": {" TEXT ", \"description\": \"The URL that gives the nonce (GET) and takes the answer (POST).\"},"
    "\"key\": {" TEXT ", \"description\": \"The shared key.\"},"
    "\"digits\": {\"type\": \"integer\", \"default\": 8,"
    " \"description\": \"The number of digits of the checksum to send, 1 to 8; all if absent.\"}},"
    "\"required\": [\"url\", \"key\"], \"additionalProperties\": false}";

struct step {
    uint32_t url;
    uint32_t key;
    uint32_t ask;
    // The number of digits of the checksum to send.
    size_t digits;
};

struct task {
    struct stampede_task base;
    uint32_t asked;
    uint32_t answered;
};

static bool configure(void *of, const plugin_string_t *params)
{
    struct step *step = of;
    int64_t digits = stampede_number(params, "digits", 8);
    if (digits < 1 || digits > 8) {
        char message[64];
        snprintf(message, sizeof message, "`digits` must be from 1 to 8, got %lld", (long long)digits);
        return stampede_refuse("digits", message);
    }
    step->digits = (size_t)digits;
    return stampede_template(params, "url", &step->url) && stampede_template(params, "key", &step->key)
        && stampede_request("GET", step->url, true, &step->ask);
}

// Computes FNV-1a (32 bits).
static uint32_t checksum(uint32_t value, const uint8_t *data, size_t length)
{
    for (size_t index = 0; index < length; index++)
        value = (value ^ data[index]) * 0x01000193;
    return value;
}

// Submits the nonce and its checksum.
static uint32_t answer(const struct step *step, const plugin_list_u8_t *nonce)
{
    plugin_string_t url, key;
    stampede_plugin_templates_render(step->url, &url);
    stampede_plugin_templates_render(step->key, &key);
    uint32_t sum = checksum(checksum(0x811C9DC5, nonce->ptr, nonce->len), key.ptr, key.len);
    char *body = malloc(nonce->len + 10);
    memcpy(body, nonce->ptr, nonce->len);
    snprintf(body + nonce->len, 10, " %08lx", (unsigned long)sum);
    stampede_plugin_http_dynamic_request_t request = {.url = url, .body = {(uint8_t *)body, nonce->len + 1 + step->digits}};
    plugin_string_set(&request.method, "POST");
    uint32_t answered = stampede_plugin_http_send_dynamic(&request);
    free(body);
    plugin_string_free(&url);
    plugin_string_free(&key);
    return answered;
}

static stampede_progress run(const void *of, void *kept)
{
    const struct step *step = of;
    struct task *task = kept;
    stampede_reply reply;
    STAMPEDE_BEGIN(task);
    task->asked = stampede_plugin_http_send(step->ask);
    STAMPEDE_AWAIT(task, task->asked);
    if (!stampede_replied(task->asked, &reply))
        return STAMPEDE_FAILED;
    if (reply.status != 200)
        return stampede_fail(STAMPEDE_STATUS, "expected a nonce with status 200, got %d", reply.status);
    plugin_list_u8_t nonce;
    stampede_plugin_http_body(task->asked, &nonce);
    if (nonce.len == 0)
        return stampede_fail(STAMPEDE_PROTOCOL, "the nonce is empty");
    task->answered = answer(step, &nonce);
    plugin_list_u8_free(&nonce);
    STAMPEDE_AWAIT(task, task->answered);
    if (!stampede_replied(task->answered, &reply))
        return STAMPEDE_FAILED;
    if (reply.status == 403)
        return stampede_fail(STAMPEDE_CHECK, "the answer was refused");
    if (reply.status != 204)
        return stampede_fail(STAMPEDE_STATUS, "expected status 204, got %d", reply.status);
    STAMPEDE_END();
}

const char *const stampede_name = "challenge-c";
const char *const stampede_version = "0.1.0";
const struct stampede_action stampede_actions[] = {
    {"challenge-c", "answers a challenge, in C", SCHEMA, sizeof(struct step), sizeof(struct task), configure, run, NULL},
};
const size_t stampede_action_count = 1;
