/* A host whose own code is watched for races. TEST_CASE: "race", where it has one; "copies", where it reads
 * nothing through a handle; "handles", where it does. */
#include <pthread.h>

#include "check.h"

enum { THREADS = 4, TURNS = 20 };

struct context {
    pthread_mutex_t lock;
    int events;
};

static clazar_provider *provider;
static int is_racy, reads_handles, unguarded;

static void on_event(void *opaque, const clazar_event_info *event) {
    struct context *context = opaque;
    CHECK(event->kind > 0 && strlen(event->message) > 0);
    CHECK(pthread_mutex_lock(&context->lock) == 0);
    context->events++;
    CHECK(pthread_mutex_unlock(&context->lock) == 0);
}

static void on_destroy(void *opaque) {
    struct context *context = opaque;
    CHECK(context->events > 0);
    CHECK(pthread_mutex_destroy(&context->lock) == 0);
    free(context);
}

static void *use(void *unused) {
    char header[CLAZAR_AUTHORIZATION_MAX];
    for (int i = 0; i < TURNS; i++) {
        CHECK(clazar_provider_authorization(provider, header, sizeof header, NULL, NULL) ==
              CLAZAR_OK);
        clazar_token *token = token_of(provider);
        CHECK(strstr(header, "Bearer ") == header && clazar_token_expires_in(token) > 0);
        CHECK(!reads_handles || strlen(clazar_token_value(token, NULL)) > 10);
        CHECK(clazar_provider_invalidate(provider, token, NULL) == CLAZAR_OK);
        clazar_token_free(token);
        if (clazar_provider_refresh(provider, &token, NULL) == CLAZAR_OK)
            clazar_token_free(token);
        stats_of(provider);
        if (is_racy)
            unguarded++;
    }
    return unused;
}

int main(void) {
    pthread_t threads[THREADS];
    struct context *context = calloc(1, sizeof *context);
    clazar_config *config = config_from_env();
    is_racy = strcmp(getenv("TEST_CASE"), "race") == 0;
    reads_handles = strcmp(getenv("TEST_CASE"), "copies") != 0;
    CHECK(pthread_mutex_init(&context->lock, NULL) == 0);
    CHECK(clazar_config_set_event_callback(config, on_event, context, on_destroy) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free(config);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, use, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    clazar_provider_free(provider);
    return 0;
}
