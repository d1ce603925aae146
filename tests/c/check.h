// clang-format Language: C
/* What all C tests use: a check that names its place and ends the program. */
#ifndef CHECK_H
#define CHECK_H

#include <clazar_auth.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(condition)                                                            \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
            exit(1);                                                                \
        }                                                                           \
    } while (0)

/* Options from the environment, which the test runner has filled in. */
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

static inline clazar_token *token_of(const clazar_provider *provider) {
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    CHECK(clazar_provider_token(provider, &token, &error) == CLAZAR_OK);
    CHECK(token != NULL && error == NULL);
    return token;
}

static inline int same(const clazar_token *a, const clazar_token *b) {
    return strcmp(clazar_token_value(a, NULL), clazar_token_value(b, NULL)) == 0;
}

static inline clazar_stats stats_of(const clazar_provider *provider) {
    clazar_stats stats = CLAZAR_STATS_INIT;
    clazar_error *error = NULL;
    CHECK(clazar_provider_stats(provider, &stats, &error) == CLAZAR_OK);
    CHECK(stats.size == sizeof stats && error == NULL);
    return stats;
}

static inline int64_t milliseconds_now(void) {
    struct timespec now;
    CHECK(clock_gettime(CLOCK_MONOTONIC, &now) == 0);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Between two looks at something that another thread brings about. */
static inline void breathe(void) {
    const struct timespec millisecond = {0, 1000000};
    nanosleep(&millisecond, NULL);
}

#endif
