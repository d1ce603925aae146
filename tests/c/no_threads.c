/* A system that starts no thread: callers learn of it at once, and the event callback as soon as there is a
 * thread for it again. It is never called on a caller's own, whose call it could repeat without end, or
 * keep waiting, or take the provider from. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <unistd.h>

#include "check.h"

typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static int refuses, failures, successes;
static pthread_t caller;

/* In the place of the C library's. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument) {
    create *real = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return refuses ? EAGAIN : real(thread, attributes, start, argument);
}

static int value_of(const int *number) { return __atomic_load_n(number, __ATOMIC_SEQ_CST); }

static void on_event(void *provider, const clazar_event_info *event) {
    CHECK(strlen(event->message) > 20);
    CHECK(!pthread_equal(pthread_self(), caller));
    /* What could not be told comes first. */
    if (event->kind == CLAZAR_EVENT_REFRESH_FAILED) {
        CHECK(value_of(&successes) == 0);
        CHECK(event->error_code == CLAZAR_ERR_TRANSPORT && event->retry_after_ms > 0);
    }
    /* Here too it may ask. */
    clazar_token *token = NULL;
    CHECK(clazar_provider_token(*(clazar_provider **)provider, &token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
    __atomic_fetch_add(event->kind == CLAZAR_EVENT_REFRESHED ? &successes : &failures, 1,
                       __ATOMIC_SEQ_CST);
}

/* A look into the store during a back-off: what failed before stays as it was. */
static void a_look_cannot_be_started(void) {
    clazar_config *config = config_from_env();
    clazar_provider *provider = NULL;
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    CHECK(clazar_config_set_store(config, getenv("TEST_STORE")) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free(config);

    CHECK(clazar_provider_token(provider, &token, NULL) == CLAZAR_ERR_REJECTED);
    refuses = 1;
    CHECK(clazar_provider_token(provider, &token, &error) == CLAZAR_ERR_REJECTED);
    refuses = 0;
    CHECK(clazar_error_retry_after_ms(error) > 5000);
    CHECK(stats_of(provider).empty_failed == 1);
    clazar_error_free(error);
    clazar_provider_free(provider);
}

int main(void) {
    alarm(120);
    caller = pthread_self();
    a_look_cannot_be_started();
    clazar_config *config = config_from_env();
    clazar_provider *provider = NULL;
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    CHECK(clazar_config_set_event_callback(config, on_event, &provider, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free(config);

    refuses = 1;
    CHECK(clazar_provider_token(provider, &token, &error) == CLAZAR_ERR_TRANSPORT);
    CHECK(token == NULL && clazar_error_is_retryable(error));
    CHECK(clazar_error_retry_after_ms(error) > 0);
    clazar_error_free(error);
    CHECK(stats_of(provider).empty_failed == 1);
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_ERR_TRANSPORT);
    CHECK(stats_of(provider).refresh_failed == 1);
    CHECK(value_of(&failures) == 0);

    refuses = 0;
    while (clazar_provider_token(provider, &token, NULL) != CLAZAR_OK)
        breathe();
    clazar_token_free(token);
    while (value_of(&successes) == 0)
        breathe();
    CHECK(value_of(&failures) == 2 && value_of(&successes) == 1);
    clazar_provider_free(provider);
    return 0;
}
