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
static void *use_a_provider(void *config) {
    clazar_provider *provider = NULL;
    clazar_token *token = NULL;
    uint8_t blob[CLAZAR_SEALED_MAX] = {0};
    size_t size = 0;
    CHECK(pthread_cancel(pthread_self()) == 0);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_token(provider, &token, NULL) == CLAZAR_ERR_TIMEOUT);
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_ERR_TIMEOUT);
    CHECK(clazar_provider_seal(provider, blob, sizeof blob, &size, NULL) == CLAZAR_ERR_TIMEOUT);
    CHECK(clazar_provider_unseal(provider, blob, sizeof blob, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    clazar_provider_close(provider);
    clazar_provider_free(provider);
    __atomic_store_n(&failed, 2, __ATOMIC_SEQ_CST);
    pthread_testcancel();
    return NULL;
}

/* The same where there is a token. */
static void *seal_a_token(void *provider) {
    uint8_t blob[CLAZAR_SEALED_MAX];
    size_t size = 0;
    CHECK(pthread_cancel(pthread_self()) == 0);
    CHECK(clazar_provider_seal(provider, blob, sizeof blob, &size, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_unseal(provider, blob, size, NULL) == CLAZAR_OK);
    __atomic_store_n(&failed, 3, __ATOMIC_SEQ_CST);
    pthread_testcancel();
    return NULL;
}

static void cancelled(void *(*work)(void *), void *argument, int expected) {
    pthread_t thread;
    void *result = NULL;
    CHECK(pthread_create(&thread, NULL, work, argument) == 0);
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
    cancelled(use_a_provider, config, 2);
    clazar_config_free(config);
    config = config_from_env();
    CHECK(clazar_config_set_auth_url(config, getenv("TEST_SANDBOX_URL")) == CLAZAR_OK);
    CHECK(clazar_config_set_client_id(config, getenv("TEST_SANDBOX_ID")) == CLAZAR_OK);
    CHECK(clazar_config_set_client_secret(config, getenv("TEST_SANDBOX_SECRET")) == CLAZAR_OK);
    clazar_provider *provider = NULL;
    CHECK(clazar_config_set_timeout_ms(config, 20000) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_token_free(token_of(provider));
    cancelled(seal_a_token, provider, 3);
    clazar_provider_free(provider);
    clazar_config_free(config);
    return 0;
}
