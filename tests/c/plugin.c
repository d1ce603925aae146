/* A plugin with the static library in it. */
#include "plugin.h"

#include "check.h"

const void *plugins_function(void) { return (const void *)(uintptr_t)clazar_version; }

void plugin_gets_a_token(void) {
    clazar_provider *provider = provider_from_env();
    clazar_token_free(token_of(provider));
    clazar_provider_free(provider);
}
