/* One token request with the options of the environment, once alone and once by a provider. Prints
 * for both the status, the HTTP status, whether to retry, the wait, and the message. */
#include "check.h"

static void report(clazar_status status, clazar_error *error) {
    CHECK(clazar_error_code(error) == status);
    printf("%s|%d|%d|%lld|%s\n", clazar_status_name(status), (int)clazar_error_http_status(error),
           (int)clazar_error_is_retryable(error), (long long)clazar_error_retry_after_ms(error),
           clazar_error_message(error));
    clazar_error_free(error);
}

int main(void) {
    clazar_config *config = config_from_env();
    const char *ca_file = getenv("TEST_CA_FILE");
    const char *timeout = getenv("TEST_TIMEOUT_MS");
    if (ca_file != NULL)
        CHECK(clazar_config_set_ca_file(config, ca_file) == CLAZAR_OK);
    if (timeout != NULL)
        CHECK(clazar_config_set_timeout_ms(config, strtoull(timeout, NULL, 10)) == CLAZAR_OK);
    CHECK(clazar_config_set_proxy(config, "") == CLAZAR_OK);

    clazar_error *error = NULL;
    clazar_token *token = (clazar_token *)&token;
    clazar_status status = clazar_authenticate(config, &token, &error);
    CHECK((token != NULL) == (status == CLAZAR_OK));
    report(status, error);
    clazar_token_free(token);

    clazar_provider *provider = (clazar_provider *)&provider;
    status = clazar_provider_new(config, &provider, &error);
    CHECK((provider != NULL) == (status == CLAZAR_OK));
    if (status == CLAZAR_OK) {
        char header[CLAZAR_AUTHORIZATION_MAX] = "untouched";
        size_t length = 99;
        status = clazar_provider_authorization(provider, header, sizeof header, &length, &error);
        CHECK(length == (status == CLAZAR_OK ? strlen(header) : 0));
        CHECK(strcmp(header, "untouched") == 0 || status == CLAZAR_OK);
    }
    report(status, error);
    clazar_provider_free(provider);
    clazar_config_free(config);
    return 0;
}
