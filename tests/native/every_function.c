/* Calls every function of the host and looks at what comes of it: a request with a form, one decided at run time, words
 * over a socket, a wait that is given up and one that is not. Any surprise is told by its line. */
#include <stdio.h>

#include "plugin.h"

#define EXPECT(what)                                                                                                    \
    do {                                                                                                                \
        if (!(what)) return surprised(host, __LINE__);                                                                  \
    } while (0)

/* What the one step is made of, and what its one task has submitted last. */
static uint32_t request, who, metric, operation, given_up, number, stage;

static uint32_t surprised(const stampede_host *host, int line) {
    char detail[64];
    snprintf(detail, sizeof detail, "line %d", line);
    host->report_fail(host, STAMPEDE_KIND_CHECK, text(detail));
    return STAMPEDE_FAILED;
}

static int is(stampede_text found, const char *expected) {
    return found.at != NULL && found.length == strlen(expected) && memcmp(found.at, expected, found.length) == 0;
}

static int are(stampede_bytes found, const char *expected) {
    return is((stampede_text){(const char *)found.at, found.length}, expected);
}

static uint32_t configure(void *instance, const stampede_host *host, stampede_text action, stampede_text params,
                          uint32_t *step, stampede_config_error *error) {
    uint32_t url, user, password, ignored;
    stampede_template_error wrong;
    stampede_text why;
    UNUSED(instance), UNUSED(action), UNUSED(params);
    *step = 0;
    *error = (stampede_config_error){.pointer = text(""), .message = text("something is not as it should be")};
    int fine = host->templates_compile(host, text("/form"), &url, &wrong) == STAMPEDE_OK &&
               host->templates_compile(host, text("user {{userId}}"), &who, &wrong) == STAMPEDE_OK &&
               host->templates_compile(host, text("u"), &user, &wrong) == STAMPEDE_OK &&
               host->templates_compile(host, text("p"), &password, &wrong) == STAMPEDE_OK &&
               host->templates_compile(host, text("{{none"), &ignored, &wrong) == STAMPEDE_REFUSED &&
               wrong.message.length > 0;
    stampede_named_template query = {STAMPEDE_TEXT("q"), who}, field = {STAMPEDE_TEXT("who"), who};
    stampede_request_template wanted = {
        .method = STAMPEDE_TEXT("POST"),
        .url = url,
        .query = &query,
        .query_count = 1,
        .body = {.kind = STAMPEDE_BODY_FORM, .fields = &field, .field_count = 1},
        .credentials = {.kind = STAMPEDE_CREDENTIALS_BASIC, .name = user, .secret = password},
        .options = {.keep_body = 1},
    };
    fine = fine && host->http_prepare(host, &wanted, &request, &why) == STAMPEDE_OK;
    wanted.method = text("NO METHOD");
    fine = fine && host->http_prepare(host, &wanted, &ignored, &why) == STAMPEDE_REFUSED && why.length > 0 &&
           host->report_define(host, text("words"), STAMPEDE_METRIC_COUNTER, STAMPEDE_UNIT_NUMBER, &metric, &why) ==
               STAMPEDE_OK &&
           host->report_define(host, text("NO NAME"), STAMPEDE_METRIC_RATE, STAMPEDE_UNIT_BYTES, &ignored, &why) ==
               STAMPEDE_REFUSED;
    return fine ? STAMPEDE_OK : STAMPEDE_REFUSED;
}

static uint32_t start(void *instance, const stampede_host *host, uint32_t step, uint32_t task) {
    uint32_t id;
    uint64_t iteration, first, second;
    stampede_text found;
    UNUSED(instance), UNUSED(step), UNUSED(task);
    stage = 0;
    EXPECT(host->user_id(host, &id) == STAMPEDE_OK && id == 0);
    EXPECT(host->user_iteration(host, &iteration) == STAMPEDE_OK && iteration == 0);
    EXPECT(host->user_random(host, &first) == STAMPEDE_OK && host->user_random(host, &second) == STAMPEDE_OK);
    EXPECT(first != second);
    EXPECT(host->timer_now(host, &first) == STAMPEDE_OK);
    EXPECT(host->user_variable(host, text("none"), &found) == STAMPEDE_OK && found.at == NULL);
    EXPECT(host->user_set_variable(host, text("set"), text("value")) == STAMPEDE_OK);
    EXPECT(host->user_variable(host, text("set"), &found) == STAMPEDE_OK && is(found, "value"));
    EXPECT(host->user_set_header(host, text("x-native"), text("yes"), &found) == STAMPEDE_OK);
    EXPECT(host->user_set_header(host, text("no header"), text("yes"), &found) == STAMPEDE_REFUSED && found.length > 0);
    EXPECT(host->templates_render(host, who, &found) == STAMPEDE_OK && is(found, "user 0"));
    EXPECT(host->log_write(host, STAMPEDE_LOG_WARN, text("a line of the library")) == STAMPEDE_OK);
    EXPECT(host->http_send(host, request, &operation) == STAMPEDE_OK);
    return STAMPEDE_PENDING;
}

static uint32_t resume(void *instance, const stampede_host *host, uint32_t task, uint32_t announced) {
    stampede_reply reply;
    stampede_text found;
    stampede_bytes bytes;
    uint32_t kind;
    stampede_field field = {STAMPEDE_TEXT("x-time"), STAMPEDE_TEXT("run")};
    stampede_dynamic_request dynamic = {
        .method = STAMPEDE_TEXT("PUT"),
        .url = STAMPEDE_TEXT("/dynamic"),
        .headers = &field,
        .header_count = 1,
        .body = {(const uint8_t *)"bytes", 5},
    };
    stampede_address address = {.host = STAMPEDE_TEXT("site"), .port = 7};
    UNUSED(instance), UNUSED(task);
    EXPECT(announced == operation);
    switch (stage++) {
    case 0:
        EXPECT(host->http_reply(host, operation, &reply, &kind) == STAMPEDE_OK && reply.status == 201);
        EXPECT(reply.body_bytes == 3);
        EXPECT(host->http_header(host, operation, text("X-Kind"), &found) == STAMPEDE_OK && is(found, "good"));
        EXPECT(host->http_header(host, operation, text("x-none"), &found) == STAMPEDE_OK && found.at == NULL);
        EXPECT(host->http_body(host, operation, &bytes) == STAMPEDE_OK && are(bytes, "yes"));
        EXPECT(host->http_send_dynamic(host, &dynamic, &operation) == STAMPEDE_OK);
        return STAMPEDE_PENDING;
    case 1:
        EXPECT(host->http_reply(host, operation, &reply, &kind) == STAMPEDE_OK && reply.status == 200);
        EXPECT(host->sockets_connect(host, &address, &operation) == STAMPEDE_OK);
        return STAMPEDE_PENDING;
    case 2:
        EXPECT(host->sockets_connected(host, operation, &number, &kind) == STAMPEDE_OK);
        EXPECT(host->sockets_protocol(host, number, &found) == STAMPEDE_OK && found.at == NULL);
        bytes = (stampede_bytes){(const uint8_t *)"PING", 4};
        EXPECT(host->sockets_write(host, number, bytes, &operation) == STAMPEDE_OK);
        return STAMPEDE_PENDING;
    case 3:
        EXPECT(host->sockets_written(host, operation, &kind) == STAMPEDE_OK);
        EXPECT(host->sockets_read(host, number, 100, &operation) == STAMPEDE_OK);
        return STAMPEDE_PENDING;
    case 4:
        EXPECT(host->sockets_received(host, operation, &bytes, &kind) == STAMPEDE_OK && are(bytes, "PONG"));
        EXPECT(host->sockets_close(host, number) == STAMPEDE_OK);
        EXPECT(host->sockets_read(host, number, 100, &operation) == STAMPEDE_OK);
        return STAMPEDE_PENDING;
    case 5:
        EXPECT(host->sockets_received(host, operation, &bytes, &kind) == STAMPEDE_REFUSED);
        EXPECT(host->timer_sleep(host, 1000000, &given_up) == STAMPEDE_OK);
        EXPECT(host->operations_cancel(host, given_up) == STAMPEDE_OK);
        EXPECT(host->timer_sleep(host, 5000000000, &operation) == STAMPEDE_OK);
        return STAMPEDE_PENDING;
    default:
        EXPECT(host->report_add(host, metric, 2) == STAMPEDE_OK);
        return STAMPEDE_PASSED;
    }
}

const stampede_plugin *stampede_plugin_v1(void) {
    static const stampede_plugin plugin = {
        .version = STAMPEDE_VERSION, PLUGIN, .configure = configure, .start = start, .resume = resume};
    return &plugin;
}
