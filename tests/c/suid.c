/* A program with a secret of its own. Where it is set-user-ID, another user runs it, whose environment
 * must have no say; it prints which it is, and what each call said. */
#include <sys/auxv.h>

#include "check.h"

static void report(clazar_status status, clazar_error *error) {
    printf("%s %s\n", clazar_status_name(status), clazar_error_message(error));
    clazar_error_free(error);
}

static clazar_config *config_with_secret(void) {
    clazar_config *config = NULL;
    CHECK(clazar_config_new(&config, NULL) == CLAZAR_OK);
    CHECK(clazar_config_set_client_id(config, "not-a-real-client") == CLAZAR_OK);
    CHECK(clazar_config_set_client_secret_file(config, getenv("TEST_SECRET_FILE")) == CLAZAR_OK);
    CHECK(clazar_config_set_auth_url(config, getenv("TEST_URL")) == CLAZAR_OK);
    return config;
}

static void report_provider(clazar_config *config) {
    clazar_provider *provider = NULL;
    clazar_error *error = NULL;
    const clazar_status status = clazar_provider_new(config, &provider, &error);
    report(status, error);
    clazar_provider_free(provider);
    clazar_config_free(config);
}

int main(void) {
    puts(getauxval(AT_SECURE) != 0 ? "set-user-ID" : "plain");

    clazar_config *config = config_with_secret();
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    const clazar_status status = clazar_authenticate(config, &token, &error);
    report(status, error);
    clazar_token_free(token);
    clazar_config_free(config);

    report_provider(config_from_env());
    config = config_from_env();
    CHECK(clazar_config_set_client_id(config, "not-a-real-client") == CLAZAR_OK);
    report_provider(config);
    config = config_with_secret();
    CHECK(clazar_config_set_store(config, "file") == CLAZAR_OK);
    report_provider(config);
    return 0;
}
