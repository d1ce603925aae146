/* This project, as a C program uses it; and a copy of the header with two reads of a coarse clock, which is the least
 * that it can cost. */
#include "protocol.h"

#include <clazar_auth.h>

static clazar_provider *provider;

static void set_up(void) {
    clazar_config *config = NULL;
    clazar_error *error = NULL;
    if (clazar_config_new_from_env(&config, &error) != CLAZAR_OK ||
        clazar_provider_new(config, &provider, &error) != CLAZAR_OK)
        must(false, clazar_error_message(error));
    clazar_config_free(config);
}

static bool authorization(char header[ROOM]) {
    return clazar_provider_authorization(provider, header, ROOM, NULL, NULL) == CLAZAR_OK;
}

static void request(void) {
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    if (clazar_provider_refresh(provider, &token, &error) != CLAZAR_OK)
        must(false, clazar_error_message(error));
    clazar_token_free(token);
}

static void clock_and_copy(int calls) {
    char header[ROOM], copy[ROOM];
    size_t length;
    must(clazar_provider_authorization(provider, header, sizeof header, &length, NULL) == CLAZAR_OK,
         "clazar_provider_authorization");
    for (int i = 0; i < calls; i++) {
        struct timespec now;
        clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
        keep(&now);
        clock_gettime(CLOCK_REALTIME_COARSE, &now);
        keep(&now);
        memcpy(copy, header, length + 1);
        keep(copy);
    }
}

static void cached(const char *way, int calls) {
    char header[ROOM];
    if (strcmp(way, "clock_and_copy") == 0) {
        clock_and_copy(calls);
        return;
    }
    for (int i = 0; i < calls; i++) {
        must(authorization(header), "clazar_provider_authorization");
        keep(header);
    }
}
