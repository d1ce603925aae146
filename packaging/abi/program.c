/*
 * A program of a user's, compiled with the first header that has the soname libclazar_auth.so.0 and kept as
 * it is, beside this file: tests/c/abi.rs runs it on each later library. It ends with 0 if the library does
 * what that header says.
 *
 * `make abi-program` compiles it, for x86-64 and glibc 2.17, once for each soname: a program that is compiled
 * anew shows nothing. Until the first release it may be.
 */
#include <clazar_auth.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition)                                   \
    do {                                                   \
        if (!(condition)) {                                \
            fprintf(stderr, "line %d failed\n", __LINE__); \
            exit(1);                                       \
        }                                                  \
    } while (0)

/* What compilers warn of where it is said outright. */
static clazar_config *no_config;
static clazar_config **nowhere;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t told = PTHREAD_COND_INITIALIZER;
/* What the callbacks were told. */
static int events, destroyed;
static clazar_token *called_with;

static void on_event(void *context, const clazar_event_info *event) {
    CHECK(context == &events && event->size >= sizeof *event);
    CHECK(event->kind == CLAZAR_EVENT_REFRESHED && event->level == CLAZAR_LEVEL_INFO);
    CHECK(strcmp(event->client_id, getenv("CLAZAR_CLIENT_ID")) == 0);
    CHECK(strlen(event->message) > 0 && event->cause != 0);
    CHECK(event->error_code == CLAZAR_OK && event->http_status == 0);
    CHECK(event->retry_after_ms == -1 && event->expires_in_ms > 3600000);
    pthread_mutex_lock(&lock);
    events++;
    pthread_cond_signal(&told);
    pthread_mutex_unlock(&lock);
}

static void on_destroy(void *context) {
    CHECK(context == &events);
    pthread_mutex_lock(&lock);
    destroyed++;
    pthread_cond_signal(&told);
    pthread_mutex_unlock(&lock);
}

static void on_token(void *context, clazar_token *token, clazar_error *error) {
    CHECK(context == NULL && token != NULL && error == NULL);
    pthread_mutex_lock(&lock);
    called_with = token;
    pthread_cond_signal(&told);
    pthread_mutex_unlock(&lock);
}

static clazar_provider *make_provider(void) {
    const char *const hosts[] = {"api.clazar.io", "127.0.0.1"};
    clazar_config *config = NULL;
    clazar_provider *provider = NULL;
    clazar_error *error = NULL;
    CHECK(clazar_config_new(nowhere, &error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(config == NULL && clazar_error_code(error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(strlen(clazar_error_message(error)) > 0 && !clazar_error_is_retryable(error));
    CHECK(clazar_error_http_status(error) == 0 && clazar_error_retry_after_ms(error) == -1);
    clazar_error_free(error);

    CHECK(clazar_config_new(&config, NULL) == CLAZAR_OK && config != NULL);
    clazar_config_free(config);
    CHECK(clazar_config_new_from_env(&config, &error) == CLAZAR_OK && error == NULL);
    CHECK(clazar_config_set_client_id(config, getenv("CLAZAR_CLIENT_ID")) == CLAZAR_OK);
    CHECK(clazar_config_set_client_secret(config, getenv("CLAZAR_CLIENT_SECRET")) == CLAZAR_OK);
    CHECK(clazar_config_set_client_secret_fallback(config, "not-a-real-secret") == CLAZAR_OK);
    CHECK(clazar_config_set_client_secret_file(no_config, "") == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_config_set_ca_file(no_config, "") == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_config_set_auth_url(config, getenv("CLAZAR_AUTH_URL")) == CLAZAR_OK);
    CHECK(clazar_config_set_proxy(config, "") == CLAZAR_OK);
    CHECK(clazar_config_set_timeout_ms(config, 30000) == CLAZAR_OK);
    CHECK(clazar_config_set_user_agent(config, "program/1.0") == CLAZAR_OK);
    CHECK(clazar_config_set_allowed_hosts(config, hosts, 2) == CLAZAR_OK);
    CHECK(clazar_config_set_store(config, "memory") == CLAZAR_OK);
    CHECK(clazar_config_set_trust_env(config, false) == CLAZAR_OK);
    CHECK(clazar_config_set_system_roots(config, true) == CLAZAR_OK);
    CHECK(clazar_config_set_event_callback(config, on_event, &events, on_destroy) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, &error) == CLAZAR_OK && error == NULL);
    clazar_config_free(config);
    return provider;
}

static void a_token_is_handed_out(clazar_provider *provider) {
    char header[CLAZAR_AUTHORIZATION_MAX];
    size_t length = 0, size = 0;
    clazar_token *none = NULL, *first = NULL, *second = NULL;
    CHECK(clazar_provider_peek(provider, &none, NULL) == CLAZAR_OK && none == NULL);
    CHECK(clazar_provider_token_async(provider, on_token, NULL, &none, NULL) == CLAZAR_OK);
    pthread_mutex_lock(&lock);
    while (called_with == NULL)
        pthread_cond_wait(&told, &lock);
    pthread_mutex_unlock(&lock);
    CHECK(none == NULL);
    CHECK(clazar_provider_token(provider, &first, NULL) == CLAZAR_OK);
    CHECK(strcmp(clazar_token_value(first, NULL), clazar_token_value(called_with, NULL)) == 0);
    clazar_token_free(called_with);
    CHECK(clazar_provider_token_timeout(provider, 0, &none, NULL) == CLAZAR_OK);
    clazar_token_free(none);
    CHECK(strlen(clazar_token_value(first, &length)) == length);
    CHECK(strncmp(clazar_token_authorization(first, NULL), "Bearer ", 7) == 0);
    CHECK(clazar_token_expires_in(first) > 3600 && clazar_token_expires_at(first) > 1700000000);
    CHECK(clazar_provider_authorization(provider, NULL, 0, &size, NULL) ==
          CLAZAR_ERR_BUFFER_TOO_SMALL);
    CHECK(clazar_provider_authorization(provider, header, sizeof header, &length, NULL) ==
          CLAZAR_OK);
    CHECK(clazar_provider_authorization_timeout(provider, 0, header, sizeof header, &length,
                                                NULL) == CLAZAR_OK);
    CHECK(length + 1 == size && strcmp(header, clazar_token_authorization(first, NULL)) == 0);
    clazar_memzero(header, sizeof header);
    CHECK(header[0] == 0 && header[length - 1] == 0);

    CHECK(clazar_provider_refresh_timeout(provider, 30000, &second, NULL) == CLAZAR_OK);
    clazar_token_free(second);
    CHECK(clazar_provider_refresh(provider, &second, NULL) == CLAZAR_OK);
    CHECK(strcmp(clazar_token_value(first, NULL), clazar_token_value(second, NULL)) != 0);
    clazar_token_free(first);
    first = clazar_token_clone(second);
    clazar_token_free(second);
    CHECK(clazar_provider_invalidate(provider, first, NULL) == CLAZAR_OK);
    clazar_token_free(first);
    CHECK(clazar_provider_peek(provider, &none, NULL) == CLAZAR_OK && none == NULL);
}

static void a_sealed_token_is_taken(clazar_provider *provider) {
    uint8_t blob[CLAZAR_SEALED_MAX];
    size_t length = 0;
    clazar_provider *other = make_provider();
    clazar_token *token = NULL;
    CHECK(clazar_provider_seal(provider, blob, sizeof blob, &length, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_unseal(other, blob, length, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_peek(other, &token, NULL) == CLAZAR_OK && token != NULL);
    clazar_token_free(token);
    clazar_provider_free(other);
}

static void the_statistics_are_as_long_as_they_were(const clazar_provider *provider) {
    struct {
        clazar_stats stats;
        unsigned char behind[64];
    } memory = {CLAZAR_STATS_INIT, {0}};
    const clazar_stats *stats = &memory.stats;
    memset(memory.behind, 0xa5, sizeof memory.behind);
    CHECK(clazar_provider_stats(provider, &memory.stats, NULL) == CLAZAR_OK);
    CHECK(stats->size == sizeof *stats);
    CHECK(stats->empty_succeeded == 1 && stats->refresh_succeeded == 2);
    CHECK(stats->invalidated_succeeded == 1 && stats->invalidations == 1);
    CHECK(stats->expires_in_ms > 3600000 && stats->backoff_ms == 0 && stats->refresh_in_ms > 0);
    for (size_t i = 0; i < sizeof memory.behind; i++)
        CHECK(memory.behind[i] == 0xa5);
}

int main(void) {
    clazar_provider *provider = make_provider();
    a_token_is_handed_out(provider);
    a_sealed_token_is_taken(provider);
    the_statistics_are_as_long_as_they_were(provider);
    CHECK(clazar_provider_check_url(provider, "https://api.clazar.io/", NULL) == CLAZAR_OK);
    CHECK(clazar_provider_check_url(provider, "https://example.com/", NULL) ==
          CLAZAR_ERR_INVALID_ARGUMENT);

    clazar_provider *clone = clazar_provider_clone(provider);
    clazar_provider_free(provider);
    clazar_provider_close(clone);
    clazar_token *token = NULL;
    CHECK(clazar_provider_token(clone, &token, NULL) == CLAZAR_ERR_CLOSED && token == NULL);
    CHECK(clazar_authenticate(no_config, &token, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    clazar_provider_free(clone);
    /* One event for each token, and an end for each of the two providers. */
    pthread_mutex_lock(&lock);
    while (events < 4 || destroyed < 2)
        pthread_cond_wait(&told, &lock);
    pthread_mutex_unlock(&lock);

    CHECK(strcmp(clazar_status_name(CLAZAR_ERR_INTERNAL), "CLAZAR_ERR_INTERNAL") == 0);
    CHECK(clazar_version_number() >= CLAZAR_AUTH_VERSION_NUMBER && strlen(clazar_version()) > 0);
    return 0;
}
