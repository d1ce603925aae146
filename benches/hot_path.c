/* What a fresh token costs in C, beside what it must cost: two reads of a coarse clock and a copy of the
 * header. All figures come from one run, each from the quietest of many short rounds, in turns;
 * `make bench` prints them. */
#define _GNU_SOURCE
#include <clazar_auth.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CALLS 100000
#define ROUNDS 200

static clazar_provider *provider;
static char header[CLAZAR_AUTHORIZATION_MAX];
static size_t length;

static void must(int is_true, const char *what) {
    if (!is_true) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

/* Keeps the compiler from leaving out what fills `memory`. */
static void keep(const void *memory) { __asm__ volatile("" : : "r"(memory) : "memory"); }

static void clock_and_copy(char *buffer) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    keep(&now);
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    keep(&now);
    memcpy(buffer, header, length + 1);
    keep(buffer);
}

static void authorization(char *buffer) {
    size_t filled = 0;
    must(clazar_provider_authorization(provider, buffer, CLAZAR_AUTHORIZATION_MAX, &filled, NULL) ==
             CLAZAR_OK,
         "clazar_provider_authorization");
    keep(buffer);
}

struct work {
    void (*call)(char *buffer);
    int threads;
    atomic_int ready;
};

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* When the thread began and when it ended. */
struct span {
    struct work *work;
    double start, end;
};

static void *run(void *argument) {
    struct span *span = argument;
    struct work *work = span->work;
    char buffer[CLAZAR_AUTHORIZATION_MAX];
    atomic_fetch_add(&work->ready, 1);
    while (atomic_load(&work->ready) < work->threads)
        ;
    span->start = now();
    for (int i = 0; i < CALLS; i++)
        work->call(buffer);
    span->end = now();
    return NULL;
}

/* Nanoseconds for each call, with so many threads side by side, in one round. */
static double measure(void (*call)(char *), int threads) {
    struct work work = {call, threads, 0};
    struct span spans[2] = {{&work, 0, 0}, {&work, 0, 0}};
    pthread_t other;
    if (threads == 2)
        must(pthread_create(&other, NULL, run, &spans[1]) == 0, "pthread_create");
    run(&spans[0]);
    if (threads == 2)
        must(pthread_join(other, NULL) == 0, "pthread_join");
    double start = spans[0].start, end = spans[0].end;
    if (threads == 2 && spans[1].start < start)
        start = spans[1].start;
    if (threads == 2 && spans[1].end > end)
        end = spans[1].end;
    return (end - start) / CALLS;
}

static void compare(int threads, double *floor, double *ours) {
    *floor = *ours = 1e9;
    for (int i = 0; i < ROUNDS; i++) {
        const double a = measure(clock_and_copy, threads), b = measure(authorization, threads);
        *floor = a < *floor ? a : *floor;
        *ours = b < *ours ? b : *ours;
    }
}

int main(void) {
    clazar_config *config = NULL;
    must(clazar_config_new_from_env(&config, NULL) == CLAZAR_OK, "clazar_config_new_from_env");
    must(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK, "clazar_provider_new");
    must(clazar_provider_authorization(provider, header, sizeof header, &length, NULL) == CLAZAR_OK,
         "clazar_provider_authorization");
    double floor_1, ours_1, floor_2, ours_2;
    compare(1, &floor_1, &ours_1);
    compare(2, &floor_2, &ours_2);
    printf("from C, a header of %zu bytes, best of %d rounds of %d calls\n", length, ROUNDS, CALLS);
    printf("clock and copy                 %7.1f ns\n", floor_1);
    printf("clazar_provider_authorization  %7.1f ns, %.2f times as long\n", ours_1,
           ours_1 / floor_1);
    printf("on 2 threads, the throughput of one is multiplied by\n");
    printf("clock and copy                 %7.2f\n", 2 * floor_1 / floor_2);
    printf("clazar_provider_authorization  %7.2f\n", 2 * ours_1 / ours_2);
    clazar_provider_free(provider);
    clazar_config_free(config);
    return 0;
}
