/* One process of those that share a store. It gets a token, tells for how long it waited, and ends. Its
 * timeout is TEST_TIMEOUT milliseconds, and its wall clock is TEST_AHEAD seconds ahead. */
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

static time_t ahead;

/* In the place of the system's, for the library as well. */
int clock_gettime(clockid_t clock, struct timespec *time) {
    const int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        time->tv_sec += ahead;
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

int main(void) {
    clazar_config *config = config_from_env();
    clazar_provider *provider = NULL;
    ahead = (time_t)atol(getenv("TEST_AHEAD"));
    CHECK(clazar_config_set_timeout_ms(config, (uint64_t)atol(getenv("TEST_TIMEOUT"))) ==
          CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free(config);
    const int64_t start = milliseconds_now();
    clazar_token *token = token_of(provider);
    printf("%lld\n", (long long)(milliseconds_now() - start));
    check_ahead(token);
    clazar_token_free(token);
    clazar_provider_free(provider);
    return 0;
}
