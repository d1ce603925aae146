/* Threads that ask without pause for TEST_SECONDS, while tokens are valid for a few seconds. Prints how many
 * token requests succeeded and failed, which the test runner compares with the requests. */
#include <pthread.h>

#include "check.h"

#define THREADS 8

static clazar_provider *provider;
static int64_t end;

/* Returns how often it asked. */
static void *ask(void *calls) {
    uint64_t *count = calls;
    char header[CLAZAR_AUTHORIZATION_MAX];
    size_t length = 0;
    clazar_error *error = NULL;
    do {
        for (int i = 0; i < 1000; i++) {
            CHECK(clazar_provider_authorization(provider, header, sizeof header, &length, &error) ==
                  CLAZAR_OK);
            CHECK(length > 7 && header[length] == '\0');
        }
        *count += 1000;
    } while (milliseconds_now() < end);
    CHECK(error == NULL && strncmp(header, "Bearer ", 7) == 0);
    return NULL;
}

/* Waits for the token request under way, if any: no other starts afterwards. */
static void come_to_rest(void) {
    clazar_token *token = NULL;
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
}

int main(void) {
    const char *seconds = getenv("TEST_SECONDS"), *waits = getenv("TEST_WAITS");
    CHECK(seconds != NULL && waits != NULL);
    pthread_t threads[THREADS];
    uint64_t calls[THREADS] = {0}, sum = 0;
    provider = provider_from_env();
    end = milliseconds_now() + 1000 * atoi(seconds);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, ask, &calls[i]) == 0);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        sum += calls[i];
    }
    const uint64_t waited = stats_of(provider).waited;
    come_to_rest();
    const clazar_stats s = stats_of(provider);
    const uint64_t succeeded =
        s.empty_succeeded + s.proactive_succeeded + s.refresh_succeeded + s.invalidated_succeeded;
    const uint64_t failed =
        s.empty_failed + s.proactive_failed + s.refresh_failed + s.invalidated_failed;
    printf("succeeded %llu failed %llu waited %llu calls %llu stale %llu empty %llu\n",
           (unsigned long long)succeeded, (unsigned long long)failed, (unsigned long long)waited,
           (unsigned long long)sum, (unsigned long long)s.served_stale,
           (unsigned long long)s.empty_succeeded);
    clazar_provider_free(provider);
    /* Only the first token is waited for, by each thread at most once. */
    CHECK(waited <= strtoull(waits, NULL, 10));
    return 0;
}
