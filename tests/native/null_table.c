/* Gives nothing. */
#include "plugin.h"

const stampede_plugin *stampede_plugin_v1(void) {
    UNUSED(misbehave);
    return NULL;
}
