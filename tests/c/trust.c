/* Whether the environment names the proxy and the authorities, and whether others than those of the
 * ca_file are trusted. The server's authority is in SSL_CERT_FILE, and HTTPS_PROXY names a proxy that
 * opens no way. */
#include "check.h"

static clazar_status attempt(bool trust_env, bool system_roots, const char *proxy,
                             const char *ca_file) {
    clazar_config *config = config_from_env();
    clazar_token *token = NULL;
    CHECK(clazar_config_set_trust_env(config, trust_env) == CLAZAR_OK);
    CHECK(clazar_config_set_system_roots(config, system_roots) == CLAZAR_OK);
    if (proxy != NULL)
        CHECK(clazar_config_set_proxy(config, proxy) == CLAZAR_OK);
    if (ca_file != NULL)
        CHECK(clazar_config_set_ca_file(config, ca_file) == CLAZAR_OK);
    const clazar_status status = clazar_authenticate(config, &token, NULL);
    clazar_token_free(token);
    clazar_config_free(config);
    return status;
}

static void the_file_store_needs_a_folder(void) {
    clazar_config *config = config_from_env();
    clazar_provider *provider = NULL;
    clazar_error *error = NULL;
    CHECK(clazar_config_set_store(config, "file") == CLAZAR_OK);
    CHECK(clazar_config_set_trust_env(config, false) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, &error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(strstr(clazar_error_message(error), "trust_env") != NULL);
    clazar_error_free(error);
    CHECK(clazar_config_set_trust_env(config, true) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_provider_free(provider);
    clazar_config_free(config);
}

int main(void) {
    const char *ours = getenv("SSL_CERT_FILE");
    const char *theirs = getenv("TEST_OTHER_CA_FILE");
    CHECK(attempt(true, true, NULL, NULL) == CLAZAR_ERR_TRANSPORT);
    CHECK(attempt(false, true, NULL, NULL) == CLAZAR_ERR_TLS);
    CHECK(attempt(false, true, NULL, ours) == CLAZAR_OK);
    CHECK(attempt(true, false, "", NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(attempt(true, false, "", theirs) == CLAZAR_ERR_TLS);
    CHECK(attempt(true, false, "", ours) == CLAZAR_OK);
    the_file_store_needs_a_folder();
    return 0;
}
