/* The `greet` action as a native library: asks a site to greet someone, and expects the name in the answer. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stampede_native.h"

/* The most steps of one instance. */
enum { MOST_STEPS = 1024 };

/* A step: two templates of the host. */
struct step {
    uint32_t url;
    uint32_t who;
};

/* A pending task. The host numbers tasks densely, so that an array can hold them. */
struct task {
    char *who;
    size_t length;
};

/* An instance, which the users of one worker share. */
struct greet {
    struct step steps[MOST_STEPS];
    uint32_t step_count;
    struct task *tasks;
    uint32_t task_count;
};

static stampede_text text(const char *zero_ended) {
    stampede_text text = {zero_ended, strlen(zero_ended)};
    return text;
}

static void *create(void) {
    return calloc(1, sizeof(struct greet));
}

static void destroy(void *instance) {
    struct greet *greet = instance;
    for (uint32_t task = 0; task < greet->task_count; task++) free(greet->tasks[task].who);
    free(greet->tasks);
    free(greet);
}

/* Compiles the text of a parameter. The host has checked against the schema that both are present and texts; a real
 * plugin reads them with a JSON library. This one relies on the host writing `"key":"value"`, and no other escape than
 * `\"`. */
static uint32_t compile(const stampede_host *host, stampede_text params, const char *key, uint32_t *compiled,
                        stampede_config_error *error) {
    static _Thread_local char source[4096], pointer[64];
    size_t at = 0, length = 0, key_length = strlen(key);
    stampede_template_error wrong;
    error->pointer = text("");
    while (at + key_length < params.length && memcmp(params.at + at, key, key_length) != 0) at++;
    for (at += key_length; at < params.length && params.at[at] != '"' && length < sizeof source; at++) {
        if (params.at[at] == '\\') at++;
        if (at < params.length) source[length++] = params.at[at];
    }
    if (at >= params.length || length == sizeof source) {
        error->message = text("`url` and `who` must be texts of less than 4096 bytes");
        return STAMPEDE_REFUSED;
    }
    stampede_text found = {source, length};
    uint32_t status = host->templates_compile(host, found, compiled, &wrong);
    if (status != STAMPEDE_REFUSED) return status;
    /* `"url":"` is the key `url`, and the pointer to it `/url`. */
    snprintf(pointer, sizeof pointer, "/%.*s", (int)key_length - 4, key + 1);
    error->pointer = text(pointer);
    error->message = wrong.message;
    error->help = wrong.help;
    return STAMPEDE_REFUSED;
}

static uint32_t configure(void *instance, const stampede_host *host, stampede_text action, stampede_text params,
                          uint32_t *step, stampede_config_error *error) {
    struct greet *greet = instance;
    (void)action; /* There is only one. */
    if (greet->step_count == MOST_STEPS) {
        error->message = text("there are too many steps");
        return STAMPEDE_REFUSED;
    }
    struct step *next = &greet->steps[greet->step_count];
    uint32_t status = compile(host, params, "\"url\":\"", &next->url, error);
    if (status == STAMPEDE_OK) status = compile(host, params, "\"who\":\"", &next->who, error);
    if (status == STAMPEDE_OK) *step = greet->step_count++;
    return status;
}

/* Returns the task of a number, and makes room for it if necessary. */
static struct task *task_of(struct greet *greet, uint32_t number) {
    if (number >= greet->task_count) {
        uint32_t count = number + 64;
        struct task *tasks = realloc(greet->tasks, count * sizeof *tasks);
        if (tasks == NULL) return NULL;
        memset(tasks + greet->task_count, 0, (count - greet->task_count) * sizeof *tasks);
        greet->tasks = tasks;
        greet->task_count = count;
    }
    return &greet->tasks[number];
}

static void forget(struct task *task) {
    free(task->who);
    task->who = NULL;
}

/* Percent-encodes all but the unreserved characters (RFC 3986 section 2.1), and returns the length. */
static size_t percent_encoded(char *out, const char *in, size_t length) {
    static const char digits[] = "0123456789ABCDEF";
    static const char unreserved[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    char *end = out;
    for (size_t at = 0; at < length; at++) {
        unsigned char byte = (unsigned char)in[at];
        if (byte != 0 && strchr(unreserved, byte) != NULL) {
            *end++ = (char)byte;
        } else {
            *end++ = '%';
            *end++ = digits[byte >> 4];
            *end++ = digits[byte & 15];
        }
    }
    return (size_t)(end - out);
}

static uint32_t start(void *instance, const stampede_host *host, uint32_t step, uint32_t number) {
    struct greet *greet = instance;
    struct task *task = task_of(greet, number);
    stampede_text url, who;
    uint32_t operation;
    if (task == NULL || host->templates_render(host, greet->steps[step].url, &url) != STAMPEDE_OK ||
        host->templates_render(host, greet->steps[step].who, &who) != STAMPEDE_OK) {
        return STAMPEDE_FAILED;
    }
    /* Kept for the check: `{{pick names}}` would name someone else the second time. */
    forget(task);
    task->who = malloc(who.length + 1);
    char *whole = malloc(url.length + sizeof "?name=" + 3 * who.length);
    if (task->who == NULL || whole == NULL) {
        free(whole);
        return STAMPEDE_FAILED;
    }
    memcpy(task->who, who.at, who.length);
    task->who[who.length] = 0;
    task->length = who.length;
    memcpy(whole, url.at, url.length);
    memcpy(whole + url.length, "?name=", 6);
    size_t length = url.length + 6 + percent_encoded(whole + url.length + 6, who.at, who.length);
    stampede_dynamic_request request = {
        .method = STAMPEDE_TEXT("GET"),
        .url = {whole, length},
        .options = {.max_redirects = 10, .compression = 1, .keep_body = 1},
    };
    uint32_t status = host->http_send_dynamic(host, &request, &operation);
    free(whole);
    return status == STAMPEDE_OK ? STAMPEDE_PENDING : STAMPEDE_FAILED;
}

/* Returns 1 if the bytes contain a text. */
static int contains(stampede_bytes bytes, const char *wanted, size_t length) {
    for (size_t at = 0; at + length <= bytes.length; at++) {
        if (memcmp(bytes.at + at, wanted, length) == 0) return 1;
    }
    return 0;
}

static uint32_t resume(void *instance, const stampede_host *host, uint32_t number, uint32_t operation) {
    struct greet *greet = instance;
    struct task *task = &greet->tasks[number];
    stampede_reply reply;
    stampede_bytes body;
    uint32_t kind, outcome = STAMPEDE_FAILED;
    char detail[200];
    /* The host has recorded the reason why there is no reply. */
    if (host->http_reply(host, operation, &reply, &kind) != STAMPEDE_OK) {
        forget(task);
        return outcome;
    }
    if (reply.status != 200) {
        snprintf(detail, sizeof detail, "expected status 200, got %u", (unsigned)reply.status);
        host->report_fail(host, STAMPEDE_KIND_STATUS, text(detail));
    } else if (host->http_body(host, operation, &body) == STAMPEDE_OK) {
        if (contains(body, task->who, task->length)) {
            outcome = STAMPEDE_PASSED;
        } else if (task->length < 100) {
            snprintf(detail, sizeof detail, "expected a greeting for `%s`", task->who);
            host->report_fail(host, STAMPEDE_KIND_CHECK, text(detail));
        } else {
            host->report_fail(host, STAMPEDE_KIND_CHECK, text("expected a greeting"));
        }
    }
    forget(task);
    return outcome;
}

static void cancel(void *instance, const stampede_host *host, uint32_t number) {
    struct greet *greet = instance;
    (void)host;
    if (number < greet->task_count) forget(&greet->tasks[number]);
}

static const stampede_action actions[] = {{
    .name = STAMPEDE_TEXT("greet"),
    .summary = STAMPEDE_TEXT("asks for a greeting and expects the name in it"),
    .params_schema = STAMPEDE_TEXT(
        "{\"type\": \"object\", \"additionalProperties\": false, \"required\": [\"url\", \"who\"], \"properties\": {"
        "\"url\": {\"type\": \"string\", \"description\": \"The page that greets; `?name=…` is appended.\"},"
        "\"who\": {\"type\": \"string\", \"description\": \"The name to greet.\"}}}"),
}};

static const stampede_plugin plugin = {
    .version = STAMPEDE_VERSION,
    .name = STAMPEDE_TEXT("native-greet"),
    .release = STAMPEDE_TEXT("0.1.0"),
    .actions = actions,
    .action_count = 1,
    .create = create,
    .destroy = destroy,
    .configure = configure,
    .start = start,
    .resume = resume,
    .cancel = cancel,
};

const stampede_plugin *stampede_plugin_v1(void) {
    return &plugin;
}
