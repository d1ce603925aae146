/* A host with more thread-local data than a thread of the library has stack, in which glibc puts it. */
#include "check.h"

enum { DATA = 2 * 1024 * 1024, ROOM = 900 * 1024 };

static __thread char data[DATA];
static int told;

/* A callback has 1 MiB. */
static void on_event(void *context, const clazar_event_info *event) {
    volatile char room[ROOM];
    CHECK(context == NULL && event->kind == CLAZAR_EVENT_REFRESHED);
    for (size_t i = 0; i < sizeof room; i += 1024)
        room[i] = data[i];
    __atomic_store_n(&told, 1 + room[0], __ATOMIC_SEQ_CST);
}

int main(void) {
    clazar_config *config = config_from_env();
    clazar_provider *provider = NULL;
    CHECK(clazar_config_set_event_callback(config, on_event, NULL, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_token_free(token_of(provider));
    while (!__atomic_load_n(&told, __ATOMIC_SEQ_CST))
        breathe();
    clazar_provider_free(provider);
    clazar_config_free(config);
    return 0;
}
