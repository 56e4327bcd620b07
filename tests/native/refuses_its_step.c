/* Refuses its step because of the parameter `color`. */
#include "plugin.h"

static uint32_t refuse(void *instance, const stampede_host *host, stampede_text action, stampede_text params,
                       uint32_t *step, stampede_config_error *error) {
    UNUSED(instance), UNUSED(host), UNUSED(action), UNUSED(params), UNUSED(step);
    error->pointer = text("/color");
    error->message = text("`octarine` is not a color");
    error->help = text("try `green`");
    return STAMPEDE_REFUSED;
}

const stampede_plugin *stampede_plugin_v1(void) {
    static const stampede_plugin plugin = {
        .version = STAMPEDE_VERSION, PLUGIN, .configure = refuse, .start = pass, .resume = pass};
    return &plugin;
}
