/* TEST_THREADS ask an empty provider at once; then TEST_REFUSED of them got a 401 for its token, twice.
 * The test runner counts the requests. */
#include <limits.h>
#include <pthread.h>
#include <unistd.h>

#include "check.h"

#define MOST_THREADS 1000
#define STACK (64 * 1024)

static clazar_provider *provider;
static pthread_barrier_t start;
static clazar_token *tokens[MOST_THREADS];

static size_t stack_size(void) {
    size_t size = STACK;
#ifdef PTHREAD_STACK_MIN
    const long least = (long)PTHREAD_STACK_MIN;
    if (least > STACK)
        size = (size_t)least;
#endif
    return size;
}

/* Runs `work` on `count` threads with small stacks, one for each of `tokens`, at once. */
static void at_once(int count, void *(*work)(void *)) {
    static pthread_t threads[MOST_THREADS];
    pthread_attr_t small;
    CHECK(pthread_attr_init(&small) == 0);
    CHECK(pthread_attr_setstacksize(&small, stack_size()) == 0);
    CHECK(pthread_barrier_init(&start, NULL, (unsigned)count) == 0);
    for (int i = 0; i < count; i++)
        CHECK(pthread_create(&threads[i], &small, work, &tokens[i]) == 0);
    for (int i = 0; i < count; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    pthread_barrier_destroy(&start);
    pthread_attr_destroy(&small);
}

static void *ask(void *token) {
    pthread_barrier_wait(&start);
    *(clazar_token **)token = token_of(provider);
    return NULL;
}

/* What a client does on a 401. */
static void *have_it_replaced(void *token) {
    clazar_token **mine = token;
    pthread_barrier_wait(&start);
    CHECK(clazar_provider_invalidate(provider, *mine, NULL) == CLAZAR_OK);
    clazar_token_free(*mine);
    *mine = token_of(provider);
    return NULL;
}

static void all_are_the_same(int count) {
    for (int i = 1; i < count; i++)
        CHECK(same(tokens[i], tokens[0]));
}

static int number_from_env(const char *name) {
    const int number = atoi(getenv(name));
    CHECK(number > 1 && number <= MOST_THREADS);
    return number;
}

int main(void) {
    const int threads = number_from_env("TEST_THREADS"), refused = number_from_env("TEST_REFUSED");
    provider = provider_from_env();
    at_once(threads, ask);
    all_are_the_same(threads);
    CHECK(stats_of(provider).empty_succeeded == 1);
    clazar_token *first = token_of(provider);

    at_once(refused, have_it_replaced);
    all_are_the_same(refused);
    CHECK(!same(tokens[0], first));
    clazar_token *second = token_of(provider);
    CHECK(same(tokens[0], second));

    /* The API refuses the new one as well, so for another reason. */
    at_once(refused, have_it_replaced);
    all_are_the_same(refused);
    CHECK(same(tokens[0], second));

    const clazar_stats stats = stats_of(provider);
    CHECK(stats.invalidations == 1 && stats.invalidated_succeeded == 1);
    CHECK(stats.empty_succeeded == 1);
    for (int i = 0; i < threads; i++)
        clazar_token_free(tokens[i]);
    clazar_token_free(first);
    clazar_token_free(second);
    clazar_provider_free(provider);
    return 0;
}
