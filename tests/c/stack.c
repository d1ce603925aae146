/* Threads with small stacks: all of a provider's functions on 64 KiB, clazar_authenticate on 256. */
#include <pthread.h>

#include "check.h"

static clazar_config *config;

static void *on_a_provider(void *unused) {
    clazar_provider *provider = NULL;
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    char header[CLAZAR_AUTHORIZATION_MAX];
    uint8_t blob[CLAZAR_SEALED_MAX];
    size_t length = 0;
    (void)unused;
    CHECK(clazar_provider_new(config, &provider, &error) == CLAZAR_OK);
    CHECK(clazar_provider_token(provider, &token, &error) == CLAZAR_OK);
    CHECK(clazar_provider_authorization(provider, header, sizeof header, NULL, &error) ==
          CLAZAR_OK);
    CHECK(clazar_provider_seal(provider, blob, sizeof blob, &length, &error) == CLAZAR_OK);
    CHECK(clazar_provider_unseal(provider, blob, length, &error) == CLAZAR_OK);
    CHECK(clazar_provider_invalidate(provider, token, &error) == CLAZAR_OK);
    clazar_token_free(token);
    CHECK(clazar_provider_refresh(provider, &token, &error) == CLAZAR_OK);
    clazar_token_free(token);
    stats_of(provider);
    clazar_provider_close(provider);
    CHECK(clazar_provider_token(provider, &token, &error) == CLAZAR_ERR_CLOSED);
    clazar_error_free(error);
    clazar_provider_free(provider);
    return NULL;
}

static void *authenticating(void *unused) {
    clazar_token *token = NULL;
    (void)unused;
    CHECK(clazar_authenticate(config, &token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
    return NULL;
}

static void on_a_stack_of(size_t size, void *(*work)(void *)) {
    pthread_attr_t attributes;
    pthread_t thread;
    CHECK(pthread_attr_init(&attributes) == 0);
    CHECK(pthread_attr_setstacksize(&attributes, size) == 0);
    CHECK(pthread_create(&thread, &attributes, work, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    pthread_attr_destroy(&attributes);
}

int main(void) {
    config = config_from_env();
    CHECK(clazar_config_set_ca_file(config, getenv("TEST_CA_FILE")) == CLAZAR_OK);
    on_a_stack_of(64 * 1024, on_a_provider);
    on_a_stack_of(256 * 1024, authenticating);
    clazar_config_free(config);
    return 0;
}
