// The `odd` action: does what its parameter `how` names, most of which a plugin cannot do.

#include "hash.h"
#include "stampede.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

struct step {
    char how[32];
    uint16_t port;
    uint32_t segment;
    uint32_t left;
    uint32_t watched;
};

struct task {
    struct stampede_task base;
    struct stampede_stream stream;
    uint32_t sent;
    time_t began;
};

static bool configure(void *of, const plugin_string_t *params)
{
    struct step *step = of;
    plugin_string_t how;
    if (!stampede_text(params, "how", &how))
        return stampede_refuse(NULL, "`how` is missing");
    snprintf(step->how, sizeof step->how, "%.*s", (int)how.len, how.ptr);
    step->port = (uint16_t)stampede_number(params, "port", 0);
    plugin_string_free(&how);
    if (strcmp(step->how, "configure") == 0)
        __builtin_trap();
    if (strcmp(step->how, "session") == 0) {
        plugin_string_t name, why;
        plugin_string_set(&name, "watched");
        stampede_plugin_lifetime_lasts(600000000000);
        return stampede_row("segment", false, &step->segment) && stampede_row("left", true, &step->left)
            && stampede_plugin_report_define(&name, STAMPEDE_PLUGIN_REPORT_METRIC_KIND_TREND,
                STAMPEDE_PLUGIN_REPORT_METRIC_UNIT_NANOSECONDS, &step->watched, &why);
    }
    return true;
}

static int deeper(volatile int *above)
{
    volatile int room[256];
    room[0] = *above + 1;
    if (*above < 0)
        return 0;
    return deeper(room) + room[0];
}

__attribute__((noinline)) static void look_up_nothing(void)
{
    __builtin_trap();
}

static stampede_progress run(const void *of, void *kept)
{
    const struct step *step = of;
    struct task *task = kept;
    size_t end;
    int depth = 0;
    STAMPEDE_BEGIN(task);
    if (strcmp(step->how, "exception") == 0)
        look_up_nothing();
    if (strcmp(step->how, "recurses") == 0)
        return deeper(&depth) == 0 ? STAMPEDE_PASSED : STAMPEDE_FAILED;
    if (strcmp(step->how, "clocks") == 0) {
        char text[25];
        stampede_iso_now(text);
        task->began = time(NULL);
        if (task->began < 1700000000 || text[23] != 'Z' || stampede_random() >= 1 || stampede_now() < 0)
            return stampede_fail(STAMPEDE_CHECK, "the clock says %s", text);
        return STAMPEDE_PASSED;
    }
    if (strcmp(step->how, "hashes") == 0) {
        static const char text[] = "The quick brown fox jumps over the lazy dog";
        uint8_t digest[STAMPEDE_SHA256];
        char digits[2 * STAMPEDE_SHA256 + 1];
        stampede_hmac(stampede_sha256, STAMPEDE_SHA256, "key", 3, text, sizeof text - 1, digest);
        stampede_hex(digest, STAMPEDE_SHA256, digits);
        if (strcmp(digits, "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8") != 0)
            return stampede_fail(STAMPEDE_CHECK, "the hash is %s", digits);
        return STAMPEDE_PASSED;
    }
    if (strcmp(step->how, "session") == 0) {
        stampede_plugin_transfers_transfer_progress_t progress;
        stampede_reply reply;
        stampede_watch_ending(&task->base);
        task->sent = stampede_begin(step->segment, "http://site/segment", false);
        STAMPEDE_AWAIT_OR_END(task, task->sent);
        if (task->base.is_over) {
            stampede_plugin_transfers_progress(task->sent, &progress);
            if (progress.content == 0 || progress.content >= 24)
                return stampede_fail(STAMPEDE_CHECK, "%d bytes have arrived", (int)progress.content);
            stampede_plugin_transfers_leave(task->sent, step->left);
        } else if (!stampede_replied(task->sent, &reply)) {
            return STAMPEDE_FAILED;
        }
        stampede_plugin_report_add(step->watched, stampede_now() * 1e9);
        return STAMPEDE_PASSED;
    }
    task->sent = stampede_connect("127.0.0.1", step->port);
    STAMPEDE_AWAIT(task, task->sent);
    if (!stampede_connected(&task->base, task->sent, &task->stream))
        return STAMPEDE_FAILED;
    if (strcmp(step->how, "breaks with a socket") == 0)
        return stampede_fail(STAMPEDE_PLUGIN_TYPES_FAILURE_KIND_PLUGIN, "broken");
    if (strcmp(step->how, "silent peer") == 0) {
        STAMPEDE_READ_EXACT(task, &task->stream, 1);
        return STAMPEDE_PASSED;
    }
    if (strcmp(step->how, "mail") == 0) {
        STAMPEDE_READ_UNTIL(task, &task->stream, "220 mail.test ready\r\n", 100, end);
        stampede_taken(&task->stream, end);
        task->sent = stampede_write(&task->stream, "EHLO client\r\n", 13);
        STAMPEDE_AWAIT(task, task->sent);
        STAMPEDE_READ_UNTIL(task, &task->stream, "250 STARTTLS\r\n", 100, end);
        stampede_taken(&task->stream, end);
        task->sent = stampede_write(&task->stream, "STARTTLS\r\n", 10);
        STAMPEDE_AWAIT(task, task->sent);
        STAMPEDE_READ_UNTIL(task, &task->stream, "220 go ahead\r\n", 100, end);
        stampede_taken(&task->stream, end);
        STAMPEDE_SECURE(task, &task->stream, NULL);
        task->sent = stampede_write(&task->stream, "EHLO client\r\n", 13);
        STAMPEDE_AWAIT(task, task->sent);
        STAMPEDE_READ_UNTIL(task, &task->stream, "250 mail.test\r\n", 100, end);
        stampede_close(&task->stream);
        return STAMPEDE_PASSED;
    }
    task->sent = stampede_write(&task->stream, "GET /bytes/5 HTTP/1.1\r\nhost: a\r\n\r\n", 34);
    STAMPEDE_AWAIT(task, task->sent);
    if (!stampede_written(task->sent))
        return STAMPEDE_FAILED;
    STAMPEDE_READ_UNTIL(task, &task->stream, "\r\n", 100, end);
    if (end != 17)
        return stampede_fail(STAMPEDE_CHECK, "a line of %zu bytes", end);
    stampede_taken(&task->stream, end);
    STAMPEDE_READ_UNTIL(task, &task->stream, "\r\n", 1000, end);
    while (end > 2) {
        stampede_taken(&task->stream, end);
        STAMPEDE_READ_UNTIL(task, &task->stream, "\r\n", 1000, end);
    }
    stampede_taken(&task->stream, end);
    STAMPEDE_READ_EXACT(task, &task->stream, 5);
    stampede_taken(&task->stream, 5);
    if (task->stream.length > 0)
        return stampede_fail(STAMPEDE_CHECK, "%zu bytes are left", task->stream.length);
    stampede_close(&task->stream);
    STAMPEDE_END();
}

static const char SCHEMA[] = "{\"type\": \"object\", \"properties\": {\"how\": {\"type\": \"string\"},"
                             " \"port\": {\"type\": \"integer\"}}, \"required\": [\"how\"]}";

const char *const stampede_name = "odd";
const char *const stampede_version = "0.1.0";
const struct stampede_action stampede_actions[] = {
    {"odd", "does what `how` names", SCHEMA, sizeof(struct step), sizeof(struct task), configure, run, NULL},
};
const size_t stampede_action_count = 1;
