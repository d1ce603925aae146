/* A system that starts no thread: callers learn of it, and so does the event callback. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>

#include "check.h"

typedef int create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

static int refuses, failures;

/* In the place of the C library's. */
int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument) {
    create *real = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
    return refuses ? EAGAIN : real(thread, attributes, start, argument);
}

static void on_event(void *provider, clazar_event event, const char *message) {
    CHECK(strlen(message) > 20);
    failures += event == CLAZAR_EVENT_REFRESH_FAILED;
    /* Here too it may ask. */
    clazar_token *token = NULL;
    if (refuses)
        CHECK(clazar_provider_token(*(clazar_provider **)provider, &token, NULL) ==
              CLAZAR_ERR_TRANSPORT);
}

int main(void) {
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
    CHECK(failures == 1 && stats_of(provider).empty_failed == 1);
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_ERR_TRANSPORT);
    CHECK(failures == 2 && stats_of(provider).refresh_failed == 1);

    refuses = 0;
    while (clazar_provider_token(provider, &token, NULL) != CLAZAR_OK)
        breathe();
    clazar_token_free(token);
    clazar_provider_free(provider);
    return 0;
}
