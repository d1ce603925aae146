/* Every function with NULL, empty, ill-formed and just too small arguments. */
#include "check.h"
#include "options.h"

/* Sizes of which a compiler knows nothing, since it would warn. */
static volatile size_t one = 1, eight = 8;

static void all_take_null(void) {
    clazar_config *config = NULL;
    clazar_provider *provider = NULL;
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    char buffer[8];

    CHECK(clazar_config_new(NULL, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_config_new_from_env(NULL, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_config_new(NULL, &error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_error_code(error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(strcmp(clazar_error_message(error), "config must not be NULL") == 0);
    clazar_error_free(error);

    CHECK(clazar_config_new(&config, NULL) == CLAZAR_OK);
    CHECK(clazar_config_set_timeout_ms(NULL, 1) == CLAZAR_ERR_INVALID_ARGUMENT);
#define TAKES_NULL(option)                                                        \
    CHECK(clazar_config_set_##option(NULL, true) == CLAZAR_ERR_INVALID_ARGUMENT);
    FLAG_SETTERS(TAKES_NULL)

    CHECK(clazar_authenticate(NULL, &token, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_authenticate(config, NULL, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_provider_new(NULL, &provider, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_provider_new(config, NULL, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_provider_token(NULL, &token, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_provider_peek(NULL, &token, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_provider_refresh(NULL, &token, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_provider_invalidate(NULL, NULL, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_provider_authorization(NULL, buffer, sizeof buffer, NULL, NULL) ==
          CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_provider_clone(NULL) == NULL);
    CHECK(clazar_token_clone(NULL) == NULL);

    size_t length = 7;
    CHECK(clazar_token_value(NULL, &length) == NULL && length == 0);
    CHECK(clazar_token_authorization(NULL, NULL) == NULL);
    CHECK(clazar_token_expires_at(NULL) == 0);
    CHECK(clazar_token_expires_in(NULL) == 0);
    CHECK(clazar_error_code(NULL) == CLAZAR_OK);
    CHECK(strcmp(clazar_error_message(NULL), "") == 0);
    CHECK(clazar_error_http_status(NULL) == 0);
    CHECK(!clazar_error_is_retryable(NULL));
    CHECK(clazar_error_retry_after_ms(NULL) == -1);

    clazar_provider_close(NULL);
    clazar_provider_free(NULL);
    clazar_token_free(NULL);
    clazar_error_free(NULL);
    clazar_config_free(NULL);
    clazar_memzero(NULL, eight);
    clazar_config_free(config);
}

typedef clazar_status (*setter)(clazar_config *, const char *);

/* What a text must not be, and whether the setter or the provider says so. */
static void texts_are_checked(void) {
#define SETTER(option) clazar_config_set_##option,
    const setter setters[] = {TEXT_SETTERS(SETTER)};
    const char *const texts[] = {"", "line\nbreak", "carriage\rreturn"};
    for (size_t i = 0; i < sizeof setters / sizeof *setters; i++) {
        clazar_config *config = config_from_env();
        CHECK(setters[i](NULL, "text") == CLAZAR_ERR_INVALID_ARGUMENT);
        CHECK(setters[i](config, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
        CHECK(setters[i](config, "\xff\xfe") == CLAZAR_ERR_INVALID_ARGUMENT);
        CHECK(setters[i](config, "cut \xe2\x82") == CLAZAR_ERR_INVALID_ARGUMENT);
        for (size_t j = 0; j < sizeof texts / sizeof *texts; j++) {
            clazar_provider *provider = NULL;
            clazar_error *error = NULL;
            CHECK(setters[i](config, texts[j]) == CLAZAR_OK);
            clazar_status status = clazar_provider_new(config, &provider, &error);
            if (setters[i] == clazar_config_set_proxy && j == 0) {
                CHECK(status == CLAZAR_OK && provider != NULL && error == NULL);
            } else if (setters[i] == clazar_config_set_proxy) {
                /* Plain http to the sandbox takes no proxy, so none is looked at. */
                CHECK(status == CLAZAR_OK);
            } else {
                CHECK(status == CLAZAR_ERR_INVALID_ARGUMENT && provider == NULL);
                CHECK(clazar_error_code(error) == CLAZAR_ERR_INVALID_ARGUMENT);
                CHECK(strlen(clazar_error_message(error)) > 20);
            }
            clazar_error_free(error);
            clazar_provider_free(provider);
        }
        clazar_config_free(config);
    }
}

static void check_url(const clazar_provider *provider, const char *url, clazar_status expected,
                      const char *why) {
    clazar_error *error = NULL;
    CHECK(clazar_provider_check_url(provider, url, &error) == expected);
    CHECK(strstr(clazar_error_message(error), why) != NULL);
    clazar_error_free(error);
    CHECK(clazar_provider_check_url(provider, url, NULL) == expected);
}

static void is_refused(const clazar_config *config, const char *why) {
    clazar_provider *provider = NULL;
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    CHECK(clazar_provider_new(config, &provider, &error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(provider == NULL && strstr(clazar_error_message(error), why) != NULL);
    clazar_error_free(error);
    CHECK(clazar_authenticate(config, &token, &error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(token == NULL && strstr(clazar_error_message(error), why) != NULL);
    clazar_error_free(error);
}

static void hosts_are_checked(void) {
    const char *const two[] = {"gw.example", "127.0.0.1:8080"};
    const char *const unfinished[] = {"gw.example", NULL};
    const char *const garbled[] = {"gw.example", "\xff\xfe"};
    const char *const wildcard[] = {"*.gw.example"};
    clazar_provider *provider = provider_from_env();
    check_url(provider, "https://api.clazar.io/listings/?page=2", CLAZAR_OK, "");
    check_url(provider, getenv("CLAZAR_AUTH_URL"), CLAZAR_OK, "");
    check_url(provider, "http://api.clazar.io/", CLAZAR_ERR_INVALID_ARGUMENT, "plain http");
    check_url(provider, "https://gw.example/", CLAZAR_ERR_INVALID_ARGUMENT, "allowed_hosts");
    check_url(provider, "https://api.clazar.io@gw.example/", CLAZAR_ERR_INVALID_ARGUMENT, "@");
    check_url(provider, "http://127.0.0.1:x@gw.example/", CLAZAR_ERR_INVALID_ARGUMENT, "@");
    check_url(provider, NULL, CLAZAR_ERR_INVALID_ARGUMENT, "url must not be NULL");
    check_url(provider, "\xff\xfe", CLAZAR_ERR_INVALID_ARGUMENT, "UTF-8");
    check_url(NULL, "https://api.clazar.io/", CLAZAR_ERR_INVALID_ARGUMENT, "provider");
    clazar_provider_close(provider);
    check_url(provider, "https://api.clazar.io/", CLAZAR_OK, "");
    clazar_provider_free(provider);

    clazar_config *config = config_from_env();
    char own[] = "gw.example";
    const char *copied[] = {own, two[1]};
    CHECK(clazar_config_set_allowed_hosts(NULL, two, 2) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_config_set_allowed_hosts(config, copied, 2) == CLAZAR_OK);
    clazar_memzero(own, sizeof own);
    copied[1] = NULL;
    CHECK(clazar_config_set_allowed_hosts(config, NULL, 1) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_config_set_allowed_hosts(config, unfinished, 2) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_config_set_allowed_hosts(config, garbled, 2) == CLAZAR_ERR_INVALID_ARGUMENT);
    is_refused(config, "allowed_hosts is not valid UTF-8");
    copied[1] = two[1];
    memcpy(own, two[0], sizeof own);
    CHECK(clazar_config_set_allowed_hosts(config, copied, 2) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    check_url(provider, "https://gw.example/x", CLAZAR_OK, "");
    check_url(provider, "http://127.0.0.1:8080/", CLAZAR_OK, "");
    check_url(provider, "https://api.clazar.io/", CLAZAR_ERR_INVALID_ARGUMENT, "allowed_hosts");
    clazar_provider_free(provider);

    CHECK(clazar_config_set_allowed_hosts(config, NULL, 0) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    check_url(provider, "https://gw.example/", CLAZAR_ERR_INVALID_ARGUMENT, "allowed_hosts");
    clazar_provider_free(provider);

    clazar_error *error = NULL;
    CHECK(clazar_config_set_allowed_hosts(config, wildcard, 1) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, &error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(strstr(clazar_error_message(error), "more than one host") != NULL);
    clazar_error_free(error);
    clazar_config_free(config);
}

/* Whoever looks at no status of a setter learns of it. */
static void an_option_that_could_not_be_set_is_not_passed_over(void) {
    clazar_config *config = config_from_env();
    (void)clazar_config_set_proxy(config, "\xff\xfe");
    (void)clazar_config_set_user_agent(config, NULL);
    is_refused(config, "proxy is not valid UTF-8");
    CHECK(clazar_config_set_proxy(config, "") == CLAZAR_OK);
    is_refused(config, "user_agent must not be NULL");
    CHECK(clazar_config_set_user_agent(config, "test/1") == CLAZAR_OK);
    clazar_provider *provider = NULL;
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_provider_free(provider);
    clazar_config_free(config);
}

static void texts_have_a_limit(void) {
    static char text[64 * 1024 + 2];
    memset(text, 'x', sizeof text - 1);
    clazar_provider *provider = provider_from_env();
    check_url(provider, text, CLAZAR_ERR_INVALID_ARGUMENT, "url is longer than 64 KiB");
    clazar_provider_free(provider);
    clazar_config *config = config_from_env();
    CHECK(clazar_config_set_user_agent(config, text) == CLAZAR_ERR_INVALID_ARGUMENT);
    text[sizeof text - 2] = '\0';
    CHECK(clazar_config_set_user_agent(config, text) == CLAZAR_OK);
    clazar_config_free(config);
}

static void timeouts_are_checked(void) {
    const unsigned long long bad[] = {0, 86400001, UINT64_MAX};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        clazar_config *config = config_from_env();
        clazar_provider *provider = NULL;
        CHECK(clazar_config_set_timeout_ms(config, bad[i]) == CLAZAR_OK);
        CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
        CHECK(provider == NULL);
        clazar_config_free(config);
    }
}

static void missing_credentials_are_named(void) {
    clazar_config *config = NULL;
    clazar_provider *provider = NULL;
    clazar_error *error = NULL;
    CHECK(clazar_config_new(&config, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, &error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(strstr(clazar_error_message(error), "CLAZAR_CLIENT_ID") != NULL);
    clazar_error_free(error);
    CHECK(clazar_config_set_client_id(config, "id") == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, &error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(strstr(clazar_error_message(error), "CLAZAR_CLIENT_SECRET") != NULL);
    clazar_error_free(error);
    clazar_config_free(config);
}

static void one_secret_is_given(void) {
    clazar_provider *provider = NULL;
    clazar_error *error = NULL;
    /* The environment's secret gives way to a file that the program names, but not another of its own. */
    clazar_config *config = config_from_env();
    CHECK(clazar_config_set_client_secret_file(config, "/no-such-file") == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, &error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(strstr(clazar_error_message(error), "that client_secret_file names") != NULL);
    clazar_error_free(error);
    CHECK(clazar_config_set_client_secret(config, "not-a-real-secret") == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, &error) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(strstr(clazar_error_message(error), "both given") != NULL);
    clazar_error_free(error);
    clazar_config_free(config);
}

static void every_buffer_size(void) {
    clazar_provider *provider = provider_from_env();
    clazar_token *token = NULL;
    CHECK(clazar_provider_token(provider, &token, NULL) == CLAZAR_OK);
    size_t text = 0;
    const char *expected = clazar_token_authorization(token, &text);
    const size_t needed = text + 1;

    size_t length = 0;
    CHECK(clazar_provider_authorization(provider, NULL, 0, &length, NULL) ==
          CLAZAR_ERR_BUFFER_TOO_SMALL);
    CHECK(length == needed);
    CHECK(clazar_provider_authorization(provider, NULL, one, &length, NULL) ==
          CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(length == 0);

    for (size_t size = 0; size <= needed + 1; size++) {
        /* A block of exactly this size, so that valgrind sees a byte too many. */
        char *buffer = malloc(size > 0 ? size : 1);
        CHECK(buffer != NULL);
        memset(buffer, '#', size);
        clazar_error *error = NULL;
        clazar_status status =
            clazar_provider_authorization(provider, buffer, size, &length, &error);
        if (size < needed) {
            CHECK(status == CLAZAR_ERR_BUFFER_TOO_SMALL);
            CHECK(clazar_error_code(error) == CLAZAR_ERR_BUFFER_TOO_SMALL);
            CHECK(length == needed);
            for (size_t i = 0; i < size; i++)
                CHECK(buffer[i] == '#');
        } else {
            CHECK(status == CLAZAR_OK && error == NULL);
            CHECK(length == text);
            CHECK(strcmp(buffer, expected) == 0);
            CHECK(size == needed || buffer[needed] == '#');
        }
        clazar_error_free(error);
        free(buffer);
    }
    clazar_token_free(token);
    clazar_provider_free(provider);
}

#define HAS_ITS_NAME(status) CHECK(strcmp(clazar_status_name(status), #status) == 0)

static void names(void) {
    HAS_ITS_NAME(CLAZAR_OK);
    HAS_ITS_NAME(CLAZAR_ERR_INVALID_ARGUMENT);
    HAS_ITS_NAME(CLAZAR_ERR_BUFFER_TOO_SMALL);
    HAS_ITS_NAME(CLAZAR_ERR_TRANSPORT);
    HAS_ITS_NAME(CLAZAR_ERR_TIMEOUT);
    HAS_ITS_NAME(CLAZAR_ERR_TLS);
    HAS_ITS_NAME(CLAZAR_ERR_CREDENTIALS);
    HAS_ITS_NAME(CLAZAR_ERR_RATE_LIMITED);
    HAS_ITS_NAME(CLAZAR_ERR_REJECTED);
    HAS_ITS_NAME(CLAZAR_ERR_SERVER);
    HAS_ITS_NAME(CLAZAR_ERR_INVALID_RESPONSE);
    HAS_ITS_NAME(CLAZAR_ERR_STORE);
    HAS_ITS_NAME(CLAZAR_ERR_CLOSED);
    HAS_ITS_NAME(CLAZAR_ERR_INTERNAL);
    CHECK(strcmp(clazar_status_name(-1), "unknown status") == 0);
    CHECK(strcmp(clazar_status_name(14), "unknown status") == 0);
    CHECK(strcmp(clazar_version(), getenv("TEST_VERSION")) == 0);
    CHECK(strcmp(CLAZAR_AUTH_VERSION, getenv("TEST_VERSION")) == 0);
    char version[16];
    snprintf(version, sizeof version, "%d.%d.%d", CLAZAR_AUTH_VERSION_MAJOR,
             CLAZAR_AUTH_VERSION_MINOR, CLAZAR_AUTH_VERSION_PATCH);
    CHECK(strncmp(version, CLAZAR_AUTH_VERSION, strlen(version)) == 0);
    const uint32_t minor = CLAZAR_AUTH_VERSION_MINOR << 8;
    const uint32_t number = CLAZAR_AUTH_VERSION_MAJOR << 16 | minor | CLAZAR_AUTH_VERSION_PATCH;
    CHECK(clazar_version_number() == number && CLAZAR_AUTH_VERSION_NUMBER == number);
    char secret[] = "not-a-real-secret";
    clazar_memzero(secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++)
        CHECK(secret[i] == 0);
}

int main(void) {
    all_take_null();
    texts_are_checked();
    hosts_are_checked();
    an_option_that_could_not_be_set_is_not_passed_over();
    texts_have_a_limit();
    timeouts_are_checked();
    missing_credentials_are_named();
    one_secret_is_given();
    every_buffer_size();
    names();
    return 0;
}
