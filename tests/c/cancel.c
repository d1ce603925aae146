/* A thread is cancelled while the library works on it: the call ends as it would, then the thread does. */
#include <pthread.h>
#include <sched.h>

#include "check.h"

static int started, failed;

static void *authenticate(void *config) {
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    __atomic_store_n(&started, 1, __ATOMIC_SEQ_CST);
    CHECK(clazar_authenticate(config, &token, &error) == CLAZAR_ERR_TIMEOUT);
    clazar_error_free(error);
    __atomic_store_n(&failed, 1, __ATOMIC_SEQ_CST);
    pthread_testcancel();
    return NULL;
}

/* With a cancellation that waits for the first call that it may end. */
static void *make_provider(void *config) {
    clazar_provider *provider = NULL;
    CHECK(pthread_cancel(pthread_self()) == 0);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_provider_free(provider);
    __atomic_store_n(&failed, 2, __ATOMIC_SEQ_CST);
    pthread_testcancel();
    return NULL;
}

static void cancelled(void *(*work)(void *), clazar_config *config, int expected) {
    pthread_t thread;
    void *result = NULL;
    CHECK(pthread_create(&thread, NULL, work, config) == 0);
    if (expected == 1) {
        while (!__atomic_load_n(&started, __ATOMIC_SEQ_CST))
            sched_yield();
        CHECK(pthread_cancel(thread) == 0);
    }
    CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    CHECK(__atomic_load_n(&failed, __ATOMIC_SEQ_CST) == expected);
}

int main(void) {
    clazar_config *config = config_from_env();
    CHECK(clazar_config_set_timeout_ms(config, 300) == CLAZAR_OK);
    cancelled(authenticate, config, 1);
    CHECK(clazar_config_set_client_secret_file(config, getenv("TEST_SECRET_FILE")) == CLAZAR_OK);
    cancelled(make_provider, config, 2);
    clazar_config_free(config);
    return 0;
}
