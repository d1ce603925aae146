/* What a provider says that it did. The server's first answer is a 400. */
#include <stddef.h>

#include "check.h"

#ifdef _WIN32
#define TICK_MS 16
#else
#define TICK_MS 10
#endif

#define SENTINEL 0xa5

static void arguments_are_checked(clazar_provider *provider) {
    clazar_stats stats;
    clazar_error *error = NULL;
    memset(&stats, SENTINEL, sizeof stats);
    stats.size = sizeof stats;
    CHECK(clazar_provider_stats(NULL, &stats, &error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(strcmp(clazar_error_message(error), "provider must not be NULL") == 0);
    clazar_error_free(error);
    CHECK(clazar_provider_stats(provider, NULL, &error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(strcmp(clazar_error_message(error), "stats must not be NULL") == 0);
    clazar_error_free(error);
    CHECK(clazar_provider_stats(NULL, NULL, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);

    for (size_t size = 0; size < sizeof stats.size; size++) {
        stats.size = size;
        CHECK(clazar_provider_stats(provider, &stats, &error) == CLAZAR_ERR_INVALID_ARGUMENT);
        CHECK(clazar_error_code(error) == CLAZAR_ERR_INVALID_ARGUMENT);
        CHECK(strstr(clazar_error_message(error), "sizeof(clazar_stats)") != NULL);
        CHECK(stats.size == size);
        clazar_error_free(error);
    }
    const unsigned char *bytes = (const unsigned char *)&stats;
    for (size_t i = sizeof stats.size; i < sizeof stats; i++)
        CHECK(bytes[i] == SENTINEL);
}

/* Each caller of `clazar_provider_stats` was compiled with a struct of some size. */
static void only_its_bytes_are_filled_in(clazar_provider *provider) {
    const size_t more = sizeof(clazar_stats) + 16;
    for (size_t size = sizeof(size_t); size <= more; size++) {
        /* A block of exactly this size, so that valgrind sees a byte too many. */
        unsigned char *block = malloc(size);
        CHECK(block != NULL);
        memset(block, SENTINEL, size);
        memcpy(block, &size, sizeof size);
        CHECK(clazar_provider_stats(provider, (clazar_stats *)block, NULL) == CLAZAR_OK);
        const size_t filled = size < sizeof(clazar_stats) ? size : sizeof(clazar_stats);
        CHECK(memcmp(block, &filled, sizeof filled) == 0);
        for (size_t i = filled; i < size; i++)
            CHECK(block[i] == SENTINEL);
        free(block);
    }

    /* An older struct, in memory that goes on behind it. */
    clazar_stats stats, expected = stats_of(provider);
    const size_t old = offsetof(clazar_stats, waited);
    memset(&stats, SENTINEL, sizeof stats);
    stats.size = old;
    CHECK(clazar_provider_stats(provider, &stats, NULL) == CLAZAR_OK);
    CHECK(stats.size == old);
    CHECK(memcmp((char *)&stats + sizeof old, (char *)&expected + sizeof old, old - sizeof old) ==
          0);
    for (size_t i = old; i < sizeof stats; i++)
        CHECK(((unsigned char *)&stats)[i] == SENTINEL);
}

/* The counts in the order of the struct, from `empty_succeeded` to `invalidations`. */
static void counts_are(const clazar_provider *provider, const char *expected) {
    const clazar_stats s = stats_of(provider);
    const uint64_t counts[] = {
        s.empty_succeeded,       s.empty_failed,       s.proactive_succeeded,
        s.proactive_failed,      s.refresh_succeeded,  s.refresh_failed,
        s.invalidated_succeeded, s.invalidated_failed, s.waited,
        s.served_stale,          s.invalidations,
    };
    char text[256] = "";
    size_t length = 0;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        length += (size_t)snprintf(text + length, sizeof text - length, "%s%llu", i > 0 ? " " : "",
                                   (unsigned long long)counts[i]);
    if (strcmp(text, expected) != 0)
        fprintf(stderr, "the counts are %s instead of %s\n", text, expected);
    CHECK(strcmp(text, expected) == 0);
}

static void has_no_token(const clazar_provider *provider) {
    CHECK(stats_of(provider).expires_in_ms == -1);
}

static void has_a_token_for_a_day(const clazar_provider *provider) {
    const clazar_stats stats = stats_of(provider);
    CHECK(stats.expires_in_ms > 86000000 && stats.expires_in_ms <= 86400000);
    /* An hour before, less up to half of it. */
    CHECK(stats.refresh_in_ms > 82000000 && stats.refresh_in_ms <= 84600000);
    CHECK(stats.backoff_ms == 0);
}

static void a_failure_is_counted_once(clazar_provider *provider) {
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    for (int i = 0; i < 3; i++) {
        CHECK(clazar_provider_token(provider, &token, &error) == CLAZAR_ERR_REJECTED);
        CHECK(clazar_error_http_status(error) == 400);
        CHECK(i == 0 || clazar_error_retry_after_ms(error) > 0);
        clazar_error_free(error);
        counts_are(provider, "0 1 0 0 0 0 0 0 1 0 0");
        has_no_token(provider);
        /* From half a pause of 30 s on, less the time that passed. */
        const clazar_stats stats = stats_of(provider);
        CHECK(stats.backoff_ms > 5000 && stats.backoff_ms <= 30000);
        CHECK(stats.refresh_in_ms >= stats.backoff_ms);
        /* A tick of the clock later, so that a timer is not early. */
        CHECK(stats.refresh_in_ms <= stats.backoff_ms + TICK_MS + 1);
    }
}

static void a_refresh_is_counted(clazar_provider *provider) {
    clazar_token *token = NULL;
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
    counts_are(provider, "0 1 0 0 1 0 0 0 2 0 0");
    has_a_token_for_a_day(provider);
    clazar_token_free(token_of(provider));
    counts_are(provider, "0 1 0 0 1 0 0 0 2 0 0");
}

static void an_invalidation_is_counted(clazar_provider *provider) {
    clazar_token *old = token_of(provider);
    CHECK(clazar_provider_invalidate(provider, old, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_invalidate(provider, old, NULL) == CLAZAR_OK);
    counts_are(provider, "0 1 0 0 1 0 0 0 2 0 1");
    has_no_token(provider);

    clazar_token *token = token_of(provider);
    CHECK(!same(old, token));
    counts_are(provider, "0 1 0 0 1 0 1 0 3 0 1");
    has_a_token_for_a_day(provider);

    /* It came from an invalidation just now, so it stays. */
    CHECK(clazar_provider_invalidate(provider, token, NULL) == CLAZAR_OK);
    counts_are(provider, "0 1 0 0 1 0 1 0 3 0 1");
    has_a_token_for_a_day(provider);
    clazar_token_free(old);
    clazar_token_free(token);
}

static void a_first_token_is_counted(void) {
    clazar_provider *provider = provider_from_env();
    clazar_token_free(token_of(provider));
    counts_are(provider, "1 0 0 0 0 0 0 0 1 0 0");
    clazar_provider_free(provider);
}

int main(void) {
    clazar_provider *provider = provider_from_env();
    arguments_are_checked(provider);
    counts_are(provider, "0 0 0 0 0 0 0 0 0 0 0");
    has_no_token(provider);
    CHECK(stats_of(provider).backoff_ms == 0);
    CHECK(stats_of(provider).refresh_in_ms == 0);

    a_failure_is_counted_once(provider);
    a_refresh_is_counted(provider);
    an_invalidation_is_counted(provider);
    only_its_bytes_are_filled_in(provider);

    clazar_provider_close(provider);
    counts_are(provider, "0 1 0 0 1 0 1 0 3 0 1");
    has_no_token(provider);
    CHECK(stats_of(provider).backoff_ms == 0);
    CHECK(stats_of(provider).refresh_in_ms == 0);
    clazar_provider_free(provider);

    a_first_token_is_counted();
    return 0;
}
