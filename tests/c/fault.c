/* Does what TEST_FAULT asks for, and wrongly: what watches the tests must see it. */
#include <pthread.h>

#include "check.h"

static void *count(void *number) {
    ++*(int *)number;
    return NULL;
}

/* A config is not thread-safe. */
static void *set(void *config) {
    CHECK(clazar_config_set_timeout_ms(config, 1000) == CLAZAR_OK);
    return NULL;
}

/* Nothing orders what the two threads do. */
static void race(void *(*work)(void *), void *context) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, work, context) == 0);
    work(context);
    CHECK(pthread_join(thread, NULL) == 0);
}

int main(void) {
    const char *fault = getenv("TEST_FAULT");
    CHECK(fault != NULL);
    if (strcmp(fault, "overflow") == 0) {
        volatile char *memory = malloc(8);
        CHECK(memory != NULL);
        memory[8] = 1;
        free((void *)memory);
    } else if (strcmp(fault, "leak") == 0) {
        void *volatile memory = malloc(8);
        CHECK(memory != NULL);
        memory = NULL;
    } else if (strcmp(fault, "shift") == 0) {
        volatile int bits = 31;
        bits = 2 << bits;
    } else if (strcmp(fault, "race") == 0) {
        int number = 0;
        race(count, &number);
    } else if (strcmp(fault, "race in the library") == 0) {
        clazar_config *config = NULL;
        CHECK(clazar_config_new(&config, NULL) == CLAZAR_OK);
        race(set, config);
        clazar_config_free(config);
    }
    return 0;
}
