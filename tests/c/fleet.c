/* One process of those that share a store. For each line of its standard input, a number of seconds, it sets its
 * wall clock so much ahead and asks for a token; it tells for how long it waited, and the token or the error. Its
 * timeout is TEST_TIMEOUT milliseconds. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static time_t ahead;

/* In the place of the system's, for the library as well. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    const int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        time->tv_sec += __atomic_load_n(&ahead, __ATOMIC_RELAXED);
    return result;
}

/* The library reads that clock: by the system's own, the token would expire at another time. */
static void check_ahead(const clazar_token *token) {
    const int64_t now = clazar_token_expires_at(token) - clazar_token_expires_in(token);
    struct timespec system;
    CHECK(syscall(SYS_clock_gettime, CLOCK_REALTIME, &system) == 0);
    const int64_t off = now - (int64_t)system.tv_sec - (int64_t)ahead;
    CHECK(-20 < off && off < 20);
}

static void ask(const clazar_provider *provider) {
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    const int64_t start = milliseconds_now();
    const clazar_status status = clazar_provider_token(provider, &token, &error);
    const long long waited = milliseconds_now() - start;
    if (status == CLAZAR_OK) {
        check_ahead(token);
        printf("%lld %s\n", waited, clazar_token_value(token, NULL));
    } else {
        printf("%lld %s\n", waited, clazar_error_message(error));
    }
    CHECK(fflush(stdout) == 0);
    clazar_token_free(token);
    clazar_error_free(error);
}

int main(void) {
    clazar_config *config = config_from_env();
    clazar_provider *provider = NULL;
    char line[32];
    CHECK(clazar_config_set_timeout_ms(config, (uint64_t)atol(getenv("TEST_TIMEOUT"))) ==
          CLAZAR_OK);
    if (getenv("TEST_FALLBACK") != NULL)
        CHECK(clazar_config_set_client_secret_fallback(config, getenv("TEST_FALLBACK")) ==
              CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free(config);
    while (fgets(line, sizeof line, stdin) != NULL) {
        __atomic_store_n(&ahead, (time_t)atol(line), __ATOMIC_RELAXED);
        ask(provider);
    }
    clazar_provider_free(provider);
    return 0;
}
