/* Loads the library, uses it and unloads it, again and again, also in the middle of a token request. */
#include <clazar_auth_dlopen.h>
#include <dlfcn.h>
#include <pthread.h>

#include "check.h"

#define ROUNDS 20

/* POSIX has functions come out of dlsym as objects. */
#define LOAD(library, name)                       \
    name##_fn name##_ = NULL;                     \
    do {                                          \
        void *symbol = dlsym(library, #name);     \
        CHECK(symbol != NULL);                    \
        memcpy(&name##_, &symbol, sizeof symbol); \
    } while (0)

static clazar_provider_token_fn token_of_provider;
static clazar_token_free_fn leave_token;

static void *wait_for_a_token(void *provider) {
    clazar_token *token = NULL;
    /* Closed in the middle, or done before. */
    if (token_of_provider(provider, &token, NULL) == CLAZAR_OK)
        leave_token(token);
    return NULL;
}

static void use(void *library, int leave_early) {
    LOAD(library, clazar_config_new_from_env);
    LOAD(library, clazar_config_free);
    LOAD(library, clazar_provider_new);
    LOAD(library, clazar_provider_token);
    LOAD(library, clazar_provider_close);
    LOAD(library, clazar_provider_free);
    LOAD(library, clazar_token_free);
    clazar_config *config = NULL;
    clazar_provider *provider = NULL;
    clazar_token *token = NULL;
    CHECK(clazar_config_new_from_env_(&config, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_new_(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free_(config);
    if (leave_early) {
        pthread_t thread;
        token_of_provider = clazar_provider_token_;
        leave_token = clazar_token_free_;
        CHECK(pthread_create(&thread, NULL, wait_for_a_token, provider) == 0);
        clazar_provider_close_(provider);
        CHECK(pthread_join(thread, NULL) == 0);
    } else {
        CHECK(clazar_provider_token_(provider, &token, NULL) == CLAZAR_OK);
        clazar_token_free_(token);
    }
    clazar_provider_free_(provider);
}

static void *in_a_thread(void *path) {
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    CHECK(library != NULL);
    use(library, 0);
    CHECK(dlclose(library) == 0);
    return NULL;
}

int main(void) {
    char *path = getenv("TEST_LIBRARY");
    for (int i = 0; i < ROUNDS; i++) {
        void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        CHECK(library != NULL);
        use(library, i % 2);
        CHECK(dlclose(library) == 0);
        /* The thread's own data is destroyed after the library was closed. */
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, in_a_thread, path) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
    }
    return 0;
}
