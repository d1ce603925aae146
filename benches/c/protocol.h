// clang-format Language: C
/* Answers the lines of benches/measure.py for a program that needs the Authorization header; benches/rust/protocol
 * says what each asks for. Each program defines the functions below. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>

#define ROOM 8192

/* Runs before all others, if at all. */
static void set_up(void);
/* Gets the header, from memory where the subject keeps it; false if it fails. */
static bool authorization(char header[ROOM]);
/* Gets another token from the server. */
static void request(void);
/* Gets the header so many times, in the way of that name. */
static void cached(const char *way, int calls);

static void must(bool is_true, const char *what) {
    if (!is_true) {
        fprintf(stderr, "failed: %s\n", what);
        exit(1);
    }
}

/* Keeps the compiler from leaving out what fills `memory`. */
static inline void keep(const void *memory) { __asm__ volatile("" : : "r"(memory) : "memory"); }

static long long nanoseconds(clockid_t clock) {
    struct timespec time;
    must(clock_gettime(clock, &time) == 0, "clock_gettime");
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long page_faults(void) {
    struct rusage usage;
    must(getrusage(RUSAGE_SELF, &usage) == 0, "getrusage");
    return usage.ru_minflt;
}

static void answer_request(int requests) {
    const long faults = page_faults();
    const long long clock = nanoseconds(CLOCK_MONOTONIC),
                    processor = nanoseconds(CLOCK_PROCESS_CPUTIME_ID);
    for (int i = 0; i < requests; i++)
        request();
    printf("%lld %ld %lld\n", nanoseconds(CLOCK_PROCESS_CPUTIME_ID) - processor,
           page_faults() - faults, nanoseconds(CLOCK_MONOTONIC) - clock);
}

/* What threads share, and what each of them has seen. */
struct work {
    const char *way;
    int calls, threads;
    atomic_int ready;
    long long until;
    struct seen {
        struct work *work;
        long long start, end, longest;
        long slow, failed, dead;
    } seen[64];
};

/* Runs `thread` on so many threads side by side, of which this is one. */
static void side_by_side(struct work *work, void *(*thread)(void *)) {
    pthread_t threads[64];
    must(work->threads <= 64, "at most 64 threads");
    for (int i = 0; i < work->threads; i++)
        work->seen[i].work = work;
    for (int i = 1; i < work->threads; i++)
        must(pthread_create(&threads[i], NULL, thread, &work->seen[i]) == 0, "pthread_create");
    thread(&work->seen[0]);
    for (int i = 1; i < work->threads; i++)
        must(pthread_join(threads[i], NULL) == 0, "pthread_join");
}

static void begin_together(struct seen *seen) {
    atomic_fetch_add(&seen->work->ready, 1);
    while (atomic_load(&seen->work->ready) < seen->work->threads)
        ;
    seen->start = nanoseconds(CLOCK_MONOTONIC);
}

static void *call_often(void *argument) {
    struct seen *seen = argument;
    begin_together(seen);
    cached(seen->work->way, seen->work->calls);
    seen->end = nanoseconds(CLOCK_MONOTONIC);
    return NULL;
}

static void *call_once(void *argument) {
    struct seen *seen = argument;
    char header[ROOM];
    begin_together(seen);
    must(authorization(header), "authorization");
    seen->end = nanoseconds(CLOCK_MONOTONIC);
    return NULL;
}

/* Whether the token is past the moment at its end, in milliseconds of Unix time. */
static bool is_dead(const char *header) {
    return nanoseconds(CLOCK_REALTIME) / 1000000 > atoll(header + strlen(header) - 13);
}

static void *call_on(void *argument) {
    struct seen *seen = argument;
    const struct timespec pause = {0, 5000000};
    char header[ROOM];
    while (nanoseconds(CLOCK_MONOTONIC) < seen->work->until) {
        const long long start = nanoseconds(CLOCK_MONOTONIC);
        const bool has_one = authorization(header);
        const long long wait = nanoseconds(CLOCK_MONOTONIC) - start;
        seen->longest = wait > seen->longest ? wait : seen->longest;
        seen->slow += wait > 1000000;
        seen->failed += !has_one;
        seen->dead += has_one && is_dead(header);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void answer_span(struct work *work, void *(*thread)(void *)) {
    side_by_side(work, thread);
    long long start = work->seen[0].start, end = work->seen[0].end;
    for (int i = 1; i < work->threads; i++) {
        start = work->seen[i].start < start ? work->seen[i].start : start;
        end = work->seen[i].end > end ? work->seen[i].end : end;
    }
    printf("%lld\n", end - start);
}

static void answer_callers(struct work *work) {
    side_by_side(work, call_on);
    struct seen all = {0};
    for (int i = 0; i < work->threads; i++) {
        const struct seen *seen = &work->seen[i];
        all.longest = seen->longest > all.longest ? seen->longest : all.longest;
        all.slow += seen->slow;
        all.failed += seen->failed;
        all.dead += seen->dead;
    }
    printf("%lld %ld %ld %ld\n", all.longest, all.slow, all.failed, all.dead);
}

static void answer(char *line) {
    const char *command = strtok(line, " \n"), *words[3];
    for (int i = 0; i < 3; i++)
        words[i] = strtok(NULL, " \n");
    char header[ROOM];
    struct work work = {0};
    if (strcmp(command, "request") == 0) {
        answer_request(atoi(words[0]));
    } else if (strcmp(command, "cached") == 0) {
        work.way = words[0], work.calls = atoi(words[1]), work.threads = atoi(words[2]);
        must(authorization(header), "authorization");
        answer_span(&work, call_often);
    } else if (strcmp(command, "stampede") == 0) {
        work.threads = atoi(words[0]);
        answer_span(&work, call_once);
    } else {
        work.threads = atoi(words[0]);
        must(authorization(header), "authorization");
        work.until = nanoseconds(CLOCK_MONOTONIC) + atoll(words[1]) * 1000000;
        answer_callers(&work);
    }
    fflush(stdout);
}

int main(int argc, char **argv) {
    char line[256], header[ROOM];
    if (argc > 1 && strcmp(argv[1], "nothing") == 0)
        return puts("ready") < 0;
    set_up();
    if (argc > 1) {
        must(authorization(header), "authorization");
        return puts("ready") < 0;
    }
    while (fgets(line, sizeof line, stdin) != NULL)
        answer(line);
    return 0;
}
