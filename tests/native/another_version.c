/* Speaks a version of the contract that is yet to come. */
#include "plugin.h"

const stampede_plugin *stampede_plugin_v1(void) {
    static const stampede_plugin plugin = {.version = 2, PLUGIN, .configure = accept, .start = pass, .resume = pass};
    return &plugin;
}
