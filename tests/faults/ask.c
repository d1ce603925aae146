/* Does to a provider what each line of standard input says, and tells how it went as a line of JSON. */
#include "../c/check.h"

#include <pthread.h>

static clazar_provider *provider;

/* What the callback was told of the provider, on threads of the library. */
static char events[16384];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void note(void *context, const clazar_event_info *event) {
    (void)context;
    pthread_mutex_lock(&lock);
    const size_t length = strlen(events);
    const int more = snprintf(events + length, sizeof events - length, "%s: %s; ", event->client_id,
                              event->message);
    CHECK(more > 0 && (size_t)more < sizeof events - length);
    pthread_mutex_unlock(&lock);
}

/* The next of the fields that tabs separate; NULL if it is empty. */
static const char *field(char **rest) {
    char *text = *rest, *end = strchr(text, '\t');
    *rest = end == NULL ? text + strlen(text) : end + 1;
    if (end != NULL)
        *end = '\0';
    return *text == '\0' ? NULL : text;
}

static void make(char *rest) {
    clazar_config *config = NULL;
    pthread_mutex_lock(&lock);
    events[0] = '\0';
    pthread_mutex_unlock(&lock);
    CHECK(clazar_config_new(&config, NULL) == CLAZAR_OK);
    CHECK(clazar_config_set_auth_url(config, field(&rest)) == CLAZAR_OK);
    CHECK(clazar_config_set_client_id(config, field(&rest)) == CLAZAR_OK);
    CHECK(clazar_config_set_client_secret(config, field(&rest)) == CLAZAR_OK);
    CHECK(clazar_config_set_timeout_ms(config, (uint64_t)atol(field(&rest))) == CLAZAR_OK);
    const char *ca_file = field(&rest), *proxy = field(&rest), *store = field(&rest);
    CHECK(ca_file == NULL || clazar_config_set_ca_file(config, ca_file) == CLAZAR_OK);
    CHECK(clazar_config_set_proxy(config, proxy == NULL ? "" : proxy) == CLAZAR_OK);
    CHECK(store == NULL || clazar_config_set_store(config, store) == CLAZAR_OK);
    CHECK(clazar_config_set_system_roots(config, false) == CLAZAR_OK);
    CHECK(clazar_config_set_event_callback(config, note, NULL, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free(config);
}

/* No character of a message needs more than this. */
static void print_text(const char *text) {
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static void tell(const clazar_token *token, const clazar_error *error, long long waited) {
    printf(", \"waited\": %lld", waited);
    if (token != NULL)
        printf(", \"token\": \"%s\", \"expires_in\": %lld", clazar_token_value(token, NULL),
               (long long)clazar_token_expires_in(token));
    if (error != NULL) {
        printf(", \"error\": {\"kind\": \"%s\", \"status\": %d, \"retryable\": %s, "
               "\"retry_after\": %lld",
               clazar_status_name(clazar_error_code(error)), (int)clazar_error_http_status(error),
               clazar_error_is_retryable(error) ? "true" : "false",
               (long long)clazar_error_retry_after_ms(error));
        printf(", \"message\": ");
        print_text(clazar_error_message(error));
        printf("}");
    }
}

static void ask(const char *how) {
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    clazar_status status;
    const int64_t start = milliseconds_now();
    if (strcmp(how, "token") == 0)
        status = clazar_provider_token(provider, &token, &error);
    else if (strcmp(how, "refresh") == 0)
        status = clazar_provider_refresh(provider, &token, &error);
    else
        status = clazar_provider_peek(provider, &token, &error);
    CHECK(status == (error == NULL ? CLAZAR_OK : clazar_error_code(error)));
    tell(token, error, milliseconds_now() - start);
    clazar_token_free(token);
    clazar_error_free(error);
}

static void count(void) {
    const clazar_stats stats = stats_of(provider);
    const uint64_t ended = stats.empty_succeeded + stats.empty_failed + stats.proactive_succeeded +
                           stats.proactive_failed + stats.refresh_succeeded + stats.refresh_failed;
    printf(", \"ended\": %llu", (unsigned long long)ended);
}

int main(void) {
    static char line[4096];
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *rest = line;
        line[strcspn(line, "\n")] = '\0';
        const char *command = field(&rest);
        pthread_mutex_lock(&lock);
        printf("{\"log\": ");
        print_text(events);
        pthread_mutex_unlock(&lock);
        if (strcmp(command, "new") == 0) {
            make(rest);
        } else if (strcmp(command, "count") == 0) {
            count();
        } else if (strcmp(command, "close") == 0) {
            clazar_provider_free(provider);
        } else {
            ask(command);
        }
        printf("}\n");
        CHECK(fflush(stdout) == 0);
    }
    return 0;
}
