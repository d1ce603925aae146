/* A plugin with the static library in it (compiled with PLUGIN), and a host that unloads it while a name
 * lookup of the library is under way: from the thread that used it, or when that has ended. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <pthread.h>
#include <unistd.h>

#include "process.h"

#ifdef PLUGIN

int use_the_library(void);

int use_the_library(void) {
    clazar_config *config = config_from_env();
    clazar_token *token = NULL;
    CHECK(clazar_config_set_timeout_ms(config, 100) == CLAZAR_OK);
    clazar_provider *provider = NULL;
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free(config);
    const clazar_status status = clazar_provider_token(provider, &token, NULL);
    clazar_provider_free(provider);
    return status;
}

#else

static int is_unloaded;

/* In the place of the C library's, for the plugin as well. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    (void)service;
    CHECK(host != NULL && hints != NULL && found != NULL);
    while (!__atomic_load_n(&is_unloaded, __ATOMIC_SEQ_CST))
        breathe();
    return EAI_FAIL;
}

static void *plugin;

static void unload(void) {
    CHECK(dlclose(plugin) == 0);
    __atomic_store_n(&is_unloaded, 1, __ATOMIC_SEQ_CST);
}

static void *use(void *unloads) {
    int (*use_the_library)(void) = NULL;
    *(void **)&use_the_library = dlsym(plugin, "use_the_library");
    CHECK(use_the_library != NULL && use_the_library() == CLAZAR_ERR_TIMEOUT);
    if (unloads != NULL)
        unload();
    return NULL;
}

int main(void) {
    char yes = 1;
    alarm(60);
    for (int unloads = 0; unloads < 2; unloads++) {
        pthread_t thread;
        is_unloaded = 0;
        plugin = dlopen(getenv("TEST_PLUGIN"), RTLD_NOW);
        CHECK(plugin != NULL);
        CHECK(pthread_create(&thread, NULL, use, unloads ? &yes : NULL) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        /* All that is left is the lookup. */
        while (threads() > 2)
            breathe();
        if (!unloads)
            unload();
        while (threads() > 1)
            breathe();
    }
    return 0;
}

#endif
