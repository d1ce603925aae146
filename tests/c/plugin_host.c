/* A program with the shared library, linked behind a plugin that has the static one in it: each calls
 * its own copy. */
#define _GNU_SOURCE
#include "plugin.h"

#include <dlfcn.h>

#include "check.h"

static const char *file_of(const void *function) {
    Dl_info info;
    CHECK(dladdr(function, &info) != 0);
    return info.dli_fname;
}

int main(void) {
    CHECK(strstr(file_of((const void *)(uintptr_t)clazar_version), "libclazar_auth.so.0") != NULL);
    CHECK(strstr(file_of(plugins_function()), "plugin") != NULL);
    clazar_provider *provider = provider_from_env();
    clazar_token_free(token_of(provider));
    plugin_gets_a_token();
    clazar_provider_free(provider);
    return 0;
}
