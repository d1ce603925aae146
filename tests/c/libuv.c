/* A program with libuv's event loop, which a callback wakes by uv_async_send(). */
#include <uv.h>

#include "check.h"

struct ask {
    uv_async_t wakeup;
    uv_mutex_t lock;
    clazar_token *token;
    clazar_error *error;
    uv_thread_t loop;
};

static void on_token(void *context, clazar_token *token, clazar_error *error) {
    struct ask *ask = context;
    const uv_thread_t self = uv_thread_self();
    CHECK(!uv_thread_equal(&self, &ask->loop));
    uv_mutex_lock(&ask->lock);
    ask->token = token;
    ask->error = error;
    uv_mutex_unlock(&ask->lock);
    CHECK(uv_async_send(&ask->wakeup) == 0);
}

static void on_wakeup(uv_async_t *wakeup) {
    struct ask *ask = wakeup->data;
    const uv_thread_t self = uv_thread_self();
    CHECK(uv_thread_equal(&self, &ask->loop));
    uv_mutex_lock(&ask->lock);
    CHECK(ask->error == NULL && clazar_token_expires_in(ask->token) > 0);
    uv_mutex_unlock(&ask->lock);
    uv_close((uv_handle_t *)wakeup, NULL);
}

int main(void) {
    clazar_provider *provider = provider_from_env();
    struct ask ask = {.loop = uv_thread_self()};
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    CHECK(uv_mutex_init(&ask.lock) == 0);
    CHECK(uv_async_init(uv_default_loop(), &ask.wakeup, on_wakeup) == 0);
    ask.wakeup.data = &ask;
    CHECK(clazar_provider_token_async(provider, on_token, &ask, &token, &error) == CLAZAR_OK);
    CHECK(token == NULL && error == NULL);
    CHECK(uv_run(uv_default_loop(), UV_RUN_DEFAULT) == 0);
    clazar_token_free(ask.token);
    clazar_provider_free(provider);
    uv_mutex_destroy(&ask.lock);
    CHECK(uv_loop_close(uv_default_loop()) == 0);
    return 0;
}
