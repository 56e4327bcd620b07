/* Cannot be started. */
#include "plugin.h"

const stampede_plugin *stampede_plugin_v1(void) {
    static const stampede_plugin plugin = {.version = STAMPEDE_VERSION, PLUGIN, .configure = accept, .resume = pass};
    return &plugin;
}
