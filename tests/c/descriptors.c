/* Without descriptors a token request fails as what may pass, and goes well as soon as they are back. */
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"

enum { LIMIT = 64 };

static int taken[LIMIT];
static size_t count;

static void take_all(void) {
    int descriptor;
    while ((descriptor = dup(1)) >= 0)
        taken[count++] = descriptor;
    CHECK(errno == EMFILE);
}

static void give_back(void) {
    while (count > 0)
        close(taken[--count]);
}

static void is_transient(clazar_status status, clazar_error *error) {
    CHECK(status == CLAZAR_ERR_TRANSPORT);
    CHECK(clazar_error_is_retryable(error));
    CHECK(strstr(clazar_error_message(error), "(Too many open files)") != NULL);
    clazar_error_free(error);
}

static void a_constructor(clazar_config *config) {
    clazar_provider *provider = NULL;
    clazar_error *error = NULL;
    take_all();
    const clazar_status status = clazar_provider_new(config, &provider, &error);
    is_transient(status, error);
    give_back();
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_provider_free(provider);
    clazar_config_free(config);
}

int main(void) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = LIMIT;
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    clazar_provider *provider = provider_from_env();
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    take_all();
    const clazar_status status = clazar_provider_token(provider, &token, &error);
    is_transient(status, error);
    give_back();
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
    clazar_provider_free(provider);

    clazar_config *config = config_from_env();
    CHECK(clazar_config_set_ca_file(config, getenv("TEST_CA_FILE")) == CLAZAR_OK);
    a_constructor(config);
    config = config_from_env();
    CHECK(clazar_config_set_client_secret_file(config, getenv("TEST_SECRET_FILE")) == CLAZAR_OK);
    a_constructor(config);
    return 0;
}
