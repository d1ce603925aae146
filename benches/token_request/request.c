/* What token requests cost in C: for each number that comes as a line, makes so many and prints the
 * nanoseconds of the processor, the page faults and the nanoseconds on the clock. src/driver.rs asks. */
#define _DEFAULT_SOURCE
#include <clazar_auth.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

static clazar_provider *provider;

static void must(int is_true, const char *what) {
    if (!is_true) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

static void request(void) {
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    if (clazar_provider_refresh(provider, &token, &error) != CLAZAR_OK)
        must(0, clazar_error_message(error));
    clazar_token_free(token);
}

static long long nanoseconds(clockid_t clock) {
    struct timespec time;
    must(clock_gettime(clock, &time) == 0, "clock_gettime");
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long page_faults(void) {
    struct rusage usage;
    must(getrusage(RUSAGE_SELF, &usage) == 0, "getrusage");
    return usage.ru_minflt;
}

int main(void) {
    clazar_config *config = NULL;
    must(clazar_config_new_from_env(&config, NULL) == CLAZAR_OK, "clazar_config_new_from_env");
    must(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK, "clazar_provider_new");
    int requests;
    while (scanf("%d", &requests) == 1) {
        const long faults = page_faults();
        const long long clock = nanoseconds(CLOCK_MONOTONIC),
                        processor = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
        for (int i = 0; i < requests; i++)
            request();
        printf("%lld %ld %lld\n", nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - processor,
               page_faults() - faults, nanoseconds(CLOCK_MONOTONIC) - clock);
        fflush(stdout);
    }
    clazar_provider_free(provider);
    clazar_config_free(config);
    return 0;
}
