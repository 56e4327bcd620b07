// Implements stampede.h: keeps steps and tasks, finds texts in JSON, and answers the calls of the contract.

// For `clock_gettime` and `gmtime_r`.
#define _POSIX_C_SOURCE 200809L

#include "stampede.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct step {
    const struct stampede_action *action;
    void *kept;
};

// Numbers of tasks are dense and reused, and so is their memory.
struct slot {
    const struct step *step;
    void *kept;
    size_t size;
};

static struct step *steps;
static size_t step_count;
static struct slot *slots;
static size_t slot_count;
static exports_stampede_plugin_action_config_error_t refusal;

// The linker gets the type of the component as text, not as an object.
void __component_type_object_force_link_plugin(void) {}

static void *grown(void *memory, size_t size)
{
    void *more = realloc(memory, size);
    if (more == NULL)
        abort();
    return more;
}

// Configuring.

bool stampede_refuse(const char *key, const char *message)
{
    char pointer[128];
    snprintf(pointer, sizeof pointer, "%s%s", key == NULL ? "" : "/", key == NULL ? "" : key);
    plugin_string_dup(&refusal.pointer, pointer);
    plugin_string_dup(&refusal.message, message);
    refusal.help.is_some = false;
    return false;
}

// Returns the end of a JSON value, or NULL. The host gives valid JSON: it is walked, not checked.
static const char *after(const char *at, const char *end)
{
    size_t depth = 0;
    do {
        if (at >= end)
            return NULL;
        if (*at == '"') {
            for (at++; at < end && *at != '"'; at++)
                at += *at == '\\';
            at++;
        } else if (*at == '{' || *at == '[') {
            depth++, at++;
        } else if (*at == '}' || *at == ']') {
            depth--, at++;
        } else if (depth > 0) {
            at++;
        } else {
            at += strcspn(at, ",}]");
        }
    } while (depth > 0);
    return at;
}

static uint32_t hex(const char *digits)
{
    char text[5] = {digits[0], digits[1], digits[2], digits[3], 0};
    return (uint32_t)strtoul(text, NULL, 16);
}

static char *put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xC0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        *out++ = (char)(0xE0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    } else {
        *out++ = (char)(0xF0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3F));
        *out++ = (char)(0x80 | (code >> 6 & 0x3F));
        *out++ = (char)(0x80 | (code & 0x3F));
    }
    return out;
}

// Decodes a JSON string, whose text takes no more room than the JSON.
static void unescaped(const char *at, plugin_string_t *text)
{
    static const char plain[] = "bfnrt", meant[] = "\b\f\n\r\t";
    const char *end = at + strlen(at);
    char *out = grown(NULL, (size_t)(end - at) + 1), *begin = out;
    for (; at < end && *at != '"'; at++) {
        const char *letter;
        if (*at != '\\') {
            *out++ = *at;
        } else if (*++at == 'u') {
            uint32_t code = hex(at + 1);
            at += 4;
            if (code >= 0xD800 && code < 0xDC00) {
                code = 0x10000 + ((code - 0xD800) << 10) + (hex(at + 3) - 0xDC00);
                at += 6;
            }
            out = put_utf8(out, code);
        } else {
            letter = strchr(plain, *at);
            *out++ = letter == NULL ? *at : meant[letter - plain];
        }
    }
    text->ptr = (uint8_t *)begin;
    text->len = (size_t)(out - begin);
}

bool stampede_text(const plugin_string_t *params, const char *key, plugin_string_t *text)
{
    // Ends with a zero, at which every search stops.
    char *json = grown(NULL, params->len + 1);
    memcpy(json, params->ptr, params->len);
    json[params->len] = 0;
    const char *at = json + 1, *end = json + params->len;
    size_t length = strlen(key);
    bool found = false;
    while (at != NULL && at < end && *at == '"') {
        bool wanted = strncmp(at + 1, key, length) == 0 && at[length + 1] == '"';
        at = after(at, end);
        if (at == NULL)
            break;
        at++;
        const char *value = at;
        at = after(at, end);
        if (wanted && at != NULL) {
            found = strchr("{[n", *value) == NULL;
            if (*value == '"')
                unescaped(value + 1, text);
            else if (found)
                plugin_string_dup_n(text, value, (size_t)(at - value));
            break;
        }
        if (at != NULL)
            at++;
    }
    free(json);
    return found;
}

int64_t stampede_number(const plugin_string_t *params, const char *key, int64_t otherwise)
{
    plugin_string_t text;
    if (!stampede_text(params, key, &text))
        return otherwise;
    char digits[24] = {0};
    memcpy(digits, text.ptr, text.len < sizeof digits ? text.len : sizeof digits - 1);
    plugin_string_free(&text);
    return strtoll(digits, NULL, 10);
}

bool stampede_template(const plugin_string_t *params, const char *key, uint32_t *template_number)
{
    plugin_string_t text;
    stampede_plugin_templates_template_error_t error;
    if (!stampede_text(params, key, &text)) {
        char message[160];
        snprintf(message, sizeof message, "`%s` is missing, or not a text", key);
        return stampede_refuse(NULL, message);
    }
    bool compiled = stampede_plugin_templates_compile(&text, template_number, &error);
    plugin_string_free(&text);
    if (compiled)
        return true;
    stampede_refuse(key, "");
    plugin_string_free(&refusal.message);
    refusal.message = error.message;
    refusal.help = error.help;
    return false;
}

// Refuses a step with a message of the host; returns false.
static bool refused(plugin_string_t why)
{
    stampede_refuse(NULL, "");
    plugin_string_free(&refusal.message);
    refusal.message = why;
    return false;
}

bool stampede_request(const char *method, uint32_t url, bool keep_body, uint32_t *request)
{
    stampede_plugin_http_request_template_t wanted = {.url = url};
    plugin_string_t why;
    plugin_string_set(&wanted.method, method);
    wanted.body.tag = STAMPEDE_PLUGIN_HTTP_REQUEST_BODY_NONE;
    wanted.options.version = STAMPEDE_PLUGIN_HTTP_VERSION_NEGOTIATE;
    wanted.options.keep_body = keep_body;
    return stampede_plugin_http_prepare(&wanted, request, &why) || refused(why);
}

bool stampede_row(const char *name, bool by_design, uint32_t *row)
{
    plugin_string_t text, why;
    plugin_string_set(&text, name);
    return stampede_plugin_transfers_define_row(&text, by_design, row, &why) || refused(why);
}

// Running.

bool stampede_replied(uint32_t operation, stampede_reply *reply)
{
    stampede_plugin_types_failure_kind_t kind;
    return stampede_plugin_http_reply(operation, reply, &kind);
}

stampede_progress stampede_fail(uint8_t kind, const char *format, ...)
{
    char text[256];
    plugin_string_t detail;
    va_list values;
    va_start(values, format);
    vsnprintf(text, sizeof text, format, values);
    va_end(values);
    plugin_string_set(&detail, text);
    stampede_plugin_report_fail(kind, &detail);
    return STAMPEDE_FAILED;
}

bool stampede_has_ended(struct stampede_task *task, uint32_t operation)
{
    task->awaits = operation;
    for (size_t index = 0; index < task->ended_count; index++) {
        if (task->ended[index] == operation) {
            task->ended[index] = task->ended[--task->ended_count];
            return true;
        }
    }
    return false;
}

bool stampede_has_ended_or_is_over(struct stampede_task *task, uint32_t operation)
{
    if (task->watches_ending && !task->is_over)
        task->is_over = stampede_has_ended(task, task->ending);
    task->races_ending = task->watches_ending && !task->is_over;
    return task->is_over || stampede_has_ended(task, operation);
}

void stampede_watch_ending(struct stampede_task *task)
{
    task->ending = stampede_plugin_lifetime_ending();
    task->watches_ending = true;
}

uint32_t stampede_begin(uint32_t row, const char *url, bool keep_body)
{
    stampede_plugin_http_dynamic_request_t request = {.options = {.keep_body = keep_body}};
    plugin_string_set(&request.method, "GET");
    plugin_string_set(&request.url, url);
    return stampede_plugin_transfers_begin(&request, row);
}

uint32_t stampede_connect(const char *host, uint16_t port)
{
    stampede_plugin_sockets_address_t address = {.port = port};
    plugin_string_set(&address.host, host);
    return stampede_plugin_sockets_connect(&address);
}

bool stampede_connected(struct stampede_task *task, uint32_t operation, struct stampede_stream *stream)
{
    stampede_plugin_types_failure_kind_t kind;
    memset(stream, 0, sizeof *stream);
    if (!stampede_plugin_sockets_connected(operation, &stream->socket, &kind))
        return false;
    task->sockets = grown(task->sockets, (task->socket_count + 1) * sizeof *task->sockets);
    task->sockets[task->socket_count++] = stream->socket;
    return true;
}

uint32_t stampede_write(const struct stampede_stream *stream, const void *bytes, size_t length)
{
    plugin_list_u8_t list = {(uint8_t *)bytes, length};
    return stampede_plugin_sockets_write(stream->socket, &list);
}

bool stampede_written(uint32_t operation)
{
    stampede_plugin_types_failure_kind_t kind;
    return stampede_plugin_sockets_written(operation, &kind);
}

bool stampede_filled(struct stampede_stream *stream, uint32_t operation)
{
    stampede_plugin_types_failure_kind_t kind;
    plugin_list_u8_t arrived;
    if (!stampede_plugin_sockets_received(operation, &arrived, &kind))
        return false;
    if (arrived.len == 0) {
        stampede_fail(STAMPEDE_NETWORK, "the connection ended after %zu bytes of what was expected", stream->length);
        return false;
    }
    stream->bytes = grown(stream->bytes, stream->length + arrived.len);
    memcpy(stream->bytes + stream->length, arrived.ptr, arrived.len);
    stream->length += arrived.len;
    plugin_list_u8_free(&arrived);
    return true;
}

size_t stampede_end_of(const struct stampede_stream *stream, const char *text, size_t most)
{
    size_t length = strlen(text), limit = stream->length < most ? stream->length : most;
    for (size_t at = 0; at + length <= limit; at++) {
        if (memcmp(stream->bytes + at, text, length) == 0)
            return at + length;
    }
    return 0;
}

uint32_t stampede_secure(const struct stampede_stream *stream, const char *name)
{
    stampede_plugin_sockets_tls_options_t options = {0};
    options.server_name.is_some = name != NULL;
    if (name != NULL)
        plugin_string_set(&options.server_name.val, name);
    return stampede_plugin_sockets_secure(stream->socket, &options);
}

bool stampede_secured(uint32_t operation)
{
    stampede_plugin_types_failure_kind_t kind;
    return stampede_plugin_sockets_secured(operation, &kind);
}

bool stampede_is_drained(const struct stampede_stream *stream)
{
    if (stream->length > 0)
        stampede_fail(STAMPEDE_PROTOCOL, "the peer has sent bytes in clear before TLS began");
    return stream->length == 0;
}

void stampede_taken(struct stampede_stream *stream, size_t count)
{
    stream->length -= count;
    memmove(stream->bytes, stream->bytes + count, stream->length);
}

void stampede_close(struct stampede_stream *stream)
{
    stampede_plugin_sockets_close(stream->socket);
    free(stream->bytes);
    stream->bytes = NULL;
    stream->length = 0;
}

bool stampede_host_and_port(const plugin_string_t *text, char *host, uint16_t *port)
{
    const char *begin = (const char *)text->ptr, *end = begin + text->len, *colon = end;
    while (colon > begin && *--colon != ':') {
    }
    if (colon == begin || end - colon > 6 || end - colon < 2)
        return false;
    unsigned long number = 0;
    for (const char *at = colon + 1; at < end; at++) {
        if (*at < '0' || *at > '9')
            return false;
        number = number * 10 + (unsigned long)(*at - '0');
    }
    if (*begin == '[' && colon[-1] == ']')
        begin++, colon--;
    if (number == 0 || number > 65535 || colon - begin < 1 || colon - begin > 255)
        return false;
    memcpy(host, begin, (size_t)(colon - begin));
    host[colon - begin] = 0;
    *port = (uint16_t)number;
    return true;
}

double stampede_now(void)
{
    return (double)stampede_plugin_timer_now() / 1e9;
}

void stampede_iso_now(char text[25])
{
    struct timespec now;
    struct tm utc;
    char seconds[20];
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(text, 25, "%s.%03dZ", seconds, (int)(now.tv_nsec / 1000000) % 1000);
}

double stampede_random(void)
{
    return (double)(stampede_plugin_user_random() >> 11) * 0x1p-53;
}

// The exports.

// Ends a task. One that has not passed closes the sockets that it has opened: no one else does.
static void drop(struct slot *slot, bool passed)
{
    struct stampede_task *task = slot->kept;
    if (slot->step->action->drop != NULL)
        slot->step->action->drop(slot->kept);
    for (size_t index = 0; !passed && index < task->socket_count; index++)
        stampede_plugin_sockets_close(task->sockets[index]);
    free(task->ended);
    free(task->sockets);
    slot->step = NULL;
}

static stampede_progress go_on(struct slot *slot)
{
    stampede_progress progress = slot->step->action->run(slot->step->kept, slot->kept);
    if (progress != STAMPEDE_PENDING)
        drop(slot, progress == STAMPEDE_PASSED);
    return progress;
}

void exports_stampede_plugin_action_describe(exports_stampede_plugin_action_description_t *described)
{
    plugin_string_dup(&described->name, stampede_name);
    plugin_string_dup(&described->version, stampede_version);
    described->actions.len = stampede_action_count;
    described->actions.ptr = grown(NULL, stampede_action_count * sizeof *described->actions.ptr);
    for (size_t index = 0; index < stampede_action_count; index++) {
        exports_stampede_plugin_action_action_description_t *action = &described->actions.ptr[index];
        plugin_string_dup(&action->name, stampede_actions[index].name);
        plugin_string_dup(&action->summary, stampede_actions[index].summary);
        plugin_string_dup(&action->params_schema, stampede_actions[index].schema);
        action->sets_variables = false;
    }
}

bool exports_stampede_plugin_action_configure(plugin_string_t *action, plugin_string_t *params, uint32_t *number,
                                              exports_stampede_plugin_action_config_error_t *error)
{
    const struct stampede_action *offered = NULL;
    for (size_t index = 0; index < stampede_action_count; index++) {
        const char *name = stampede_actions[index].name;
        if (strlen(name) == action->len && memcmp(name, action->ptr, action->len) == 0)
            offered = &stampede_actions[index];
    }
    steps = grown(steps, (step_count + 1) * sizeof *steps);
    struct step *step = &steps[step_count];
    bool fine = offered != NULL || stampede_refuse(NULL, "there is no such action");
    if (fine) {
        step->action = offered;
        step->kept = memset(grown(NULL, offered->step_size), 0, offered->step_size);
        fine = offered->configure(step->kept, params);
    }
    plugin_string_free(action);
    plugin_string_free(params);
    if (fine)
        *number = step_count++;
    else
        *error = refusal;
    return fine;
}

stampede_progress exports_stampede_plugin_action_start(uint32_t step, uint32_t task)
{
    if (task >= slot_count) {
        slots = grown(slots, (task + 1) * sizeof *slots);
        memset(slots + slot_count, 0, (task + 1 - slot_count) * sizeof *slots);
        slot_count = task + 1;
    }
    struct slot *slot = &slots[task];
    slot->step = &steps[step];
    size_t size = slot->step->action->task_size;
    if (slot->size < size) {
        slot->kept = grown(slot->kept, size);
        slot->size = size;
    }
    memset(slot->kept, 0, size);
    return go_on(slot);
}

stampede_progress exports_stampede_plugin_action_resume(uint32_t task, uint32_t operation)
{
    struct stampede_task *base = slots[task].kept;
    if (operation == base->awaits) {
        base->races_ending = false;
        return go_on(&slots[task]);
    }
    if (base->races_ending && operation == base->ending) {
        base->races_ending = false;
        base->is_over = true;
        return go_on(&slots[task]);
    }
    base->ended = grown(base->ended, (base->ended_count + 1) * sizeof *base->ended);
    base->ended[base->ended_count++] = operation;
    return STAMPEDE_PENDING;
}

void exports_stampede_plugin_action_cancel(uint32_t task)
{
    drop(&slots[task], false);
}

void exports_stampede_plugin_action_forget_user(uint32_t user)
{
    (void)user;
}
