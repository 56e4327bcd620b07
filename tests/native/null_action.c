/* Says that it has actions, and not where. */
#include "plugin.h"

const stampede_plugin *stampede_plugin_v1(void) {
    static const stampede_plugin plugin = {
        .version = STAMPEDE_VERSION, .action_count = 3, .configure = accept, .start = pass, .resume = pass};
    UNUSED(misbehave);
    return &plugin;
}
