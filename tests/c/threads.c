/* 64 threads ask an empty provider at once; the test runner counts the requests. */
#include <pthread.h>

#include "check.h"

#define THREADS 64

static clazar_provider *provider;
static pthread_barrier_t start;
static char headers[THREADS][CLAZAR_AUTHORIZATION_MAX];

static void *ask(void *header) {
    pthread_barrier_wait(&start);
    CHECK(clazar_provider_authorization(provider, header, CLAZAR_AUTHORIZATION_MAX, NULL, NULL) ==
          CLAZAR_OK);
    return NULL;
}

int main(void) {
    pthread_t threads[THREADS];
    provider = provider_from_env();
    CHECK(pthread_barrier_init(&start, NULL, THREADS) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, ask, headers[i]) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(strcmp(headers[i], headers[0]) == 0);
    CHECK(strncmp(headers[0], "Bearer ", 7) == 0);
    pthread_barrier_destroy(&start);
    clazar_provider_free(provider);
    return 0;
}
