/* What all C tests use: a check that names its place and ends the program. */
#ifndef CHECK_H
#define CHECK_H

#include <clazar_auth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                                                   \
    do {                                                                                   \
        if (!(condition)) {                                                                \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);        \
            exit(1);                                                                       \
        }                                                                                  \
    } while (0)

/* Settings from the environment, which the test runner has filled in. */
static inline clazar_config *config_from_env(void) {
    clazar_config *config = NULL;
    clazar_error *error = NULL;
    CHECK(clazar_config_new_from_env(&config, &error) == CLAZAR_OK);
    CHECK(config != NULL && error == NULL);
    return config;
}

static inline clazar_provider *provider_from_env(void) {
    clazar_config *config = config_from_env();
    clazar_provider *provider = NULL;
    clazar_error *error = NULL;
    CHECK(clazar_provider_new(config, &provider, &error) == CLAZAR_OK);
    CHECK(provider != NULL && error == NULL);
    clazar_config_free(config);
    return provider;
}

#endif
