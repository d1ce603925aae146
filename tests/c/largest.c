/* A renewal asks malloc() for small pieces alone: where memory is short, they are the ones that can still be
 * had, or come from what the library keeps for that. */
#include "check.h"

/* What TLS asks for if the server's records are as large as they may be, and some. */
#define LARGEST 20480

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static size_t largest;

static void note(size_t size) {
    size_t before = __atomic_load_n(&largest, __ATOMIC_RELAXED);
    while (size > before && !__atomic_compare_exchange_n(&largest, &before, size, 0,
                                                         __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

void *malloc(size_t size) {
    note(size);
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
    note(count * size);
    return __libc_calloc(count, size);
}
void *realloc(void *memory, size_t size) {
    note(size);
    return __libc_realloc(memory, size);
}

int main(void) {
    clazar_provider *provider = provider_from_env();
    /* The first request reads the certificate authorities, however many there are. */
    clazar_token_free(token_of(provider));
    CHECK(largest > 0);
    largest = 0;
    clazar_token *token = NULL;
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
    clazar_provider_free(provider);
    printf("the largest piece has %lu bytes\n", (unsigned long)largest);
    CHECK(largest > 0 && largest <= LARGEST);
    return 0;
}
