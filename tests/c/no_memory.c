/* Each thing that takes memory, from the first to the last of a token request, fails in one run after the
 * other: alone, or with all that come after it (TEST_LASTING). Each time there is an error or a token, all
 * goes well once there is memory again, and nothing is left behind.
 *
 * TEST_CASE says what is done: "first" is the first request of a process, "renewal" one of many, "alone" one
 * without a provider. In "waiting" there is no memory from the moment on at which thousands wait. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/mman.h>

#include "failing.h"

/* After so many seconds SIGALRM ends all runs. */
enum { WHOLE_LIMIT = 900 };
enum { WAITING = 10000 };

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

/* Which of those that are counted fail; none as long as the first is 0. */
static long first, last, calls;
/* How many blocks are in use. */
static long live;
/* Not the test's own. */
static __thread int exempt;

static long value_of(const long *number) { return __atomic_load_n(number, __ATOMIC_SEQ_CST); }

static int fails(void) {
    if (exempt || value_of(&first) == 0)
        return 0;
    const long call = __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST);
    return call >= value_of(&first) && call <= value_of(&last);
}

static void *counted(void *memory) {
    if (memory == NULL)
        errno = ENOMEM;
    else
        __atomic_add_fetch(&live, 1, __ATOMIC_SEQ_CST);
    return memory;
}

/* In the place of the C library's. */
void *malloc(size_t size) { return counted(fails() ? NULL : __libc_malloc(size)); }

/* Where glibc notes down what a thread has to do at its end. It ends the process if it cannot. */
static char *note_down;
enum { NOTE_DOWN_SIZE = 512 };

static int is_to_note_down(const char *caller) {
    return caller >= note_down && caller < note_down + NOTE_DOWN_SIZE;
}

void *calloc(size_t count, size_t size) {
    const int may_fail = !is_to_note_down(__builtin_return_address(0));
    return counted(may_fail && fails() ? NULL : __libc_calloc(count, size));
}

void *realloc(void *memory, size_t size) {
    if (memory == NULL)
        return malloc(size);
    if (fails()) {
        errno = ENOMEM;
        return NULL;
    }
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return counted(fails() ? NULL : __libc_memalign(alignment, size));
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    void *block = aligned_alloc(alignment, size);
    if (block == NULL)
        return ENOMEM;
    *memory = block;
    return 0;
}

void free(void *memory) {
    if (memory != NULL)
        __atomic_sub_fetch(&live, 1, __ATOMIC_SEQ_CST);
    __libc_free(memory);
}

static void *(*real_mmap)(void *, size_t, int, int, int, off_t);
static int (*real_create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
static int (*real_lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static void find_real(void) {
    note_down = dlsym(RTLD_DEFAULT, "__cxa_thread_atexit_impl");
    CHECK(note_down != NULL);
    *(void **)&real_mmap = dlsym(RTLD_NEXT, "mmap");
    *(void **)&real_create = dlsym(RTLD_NEXT, "pthread_create");
    *(void **)&real_lookup = dlsym(RTLD_NEXT, "getaddrinfo");
}

void *mmap(void *start, size_t size, int access, int flags, int file, off_t offset) {
    /* Before main, where lines are counted. */
    if (real_mmap == NULL)
        find_real();
    if (!fails())
        return real_mmap(start, size, access, flags, file, offset);
    errno = ENOMEM;
    return MAP_FAILED;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *),
                   void *argument) {
    return fails() ? EAGAIN : real_create(thread, attributes, start, argument);
}

/* Whether lookups take until this changes. */
static int is_held;

/* The host is this machine. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    CHECK(strcmp(host, "memory.test") == 0);
    while (__atomic_load_n(&is_held, __ATOMIC_SEQ_CST))
        breathe();
    return fails() ? EAI_MEMORY : real_lookup("127.0.0.1", service, hints, found);
}

static void fail_from(long call) {
    calls = 0;
    __atomic_store_n(&last, getenv("TEST_LASTING") != NULL ? LONG_MAX : call, __ATOMIC_SEQ_CST);
    __atomic_store_n(&first, call, __ATOMIC_SEQ_CST);
}

/* Whether as many were counted as were to be. */
static int stop_failing(void) {
    const int is_reached = value_of(&calls) >= value_of(&first);
    __atomic_store_n(&first, 0, __ATOMIC_SEQ_CST);
    return is_reached;
}

/* Threads of the library end with their work, and nobody is told. */
static void wait_for_threads(void) {
    exempt = 1;
    while (threads() > 1)
        breathe();
    exempt = 0;
}

static void on_event(void *context, const clazar_event_info *event) {
    CHECK(context == NULL && event->kind > 0 && strlen(event->message) > 10);
}

/* What cannot be had now can be had later. */
static int judged(clazar_status status, clazar_error *error) {
    CHECK((status == CLAZAR_OK) == (error == NULL));
    CHECK(error == NULL || clazar_error_is_retryable(error));
    if (error != NULL && getenv("TEST_VERBOSE") != NULL)
        printf("%ld: %s\n", value_of(&calls), clazar_error_message(error));
    /* Without any memory nothing is begun. */
    if (value_of(&first) == 1 && value_of(&last) == LONG_MAX)
        CHECK(strstr(clazar_error_message(error), "too little memory") != NULL);
    clazar_error_free(error);
    return status == CLAZAR_OK ? SUCCEEDED : FAILED;
}

static int make_provider(clazar_provider **provider) {
    clazar_config *config = NULL;
    clazar_error *error = NULL;
    clazar_status status = clazar_config_new_from_env(&config, &error);
    if (status == CLAZAR_OK)
        status = clazar_config_set_event_callback(config, on_event, NULL, NULL);
    if (status == CLAZAR_OK)
        status = clazar_provider_new(config, provider, &error);
    clazar_config_free(config);
    return judged(status, error);
}

static int authenticate(void) {
    clazar_config *config = NULL;
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    clazar_status status = clazar_config_new_from_env(&config, &error);
    if (status == CLAZAR_OK)
        status = clazar_authenticate(config, &token, &error);
    clazar_config_free(config);
    clazar_token_free(token);
    return judged(status, error);
}

static void check_first_request(long call) {
    clazar_provider *provider = NULL;
    fail_from(call);
    int outcome = make_provider(&provider);
    if (outcome == SUCCEEDED)
        outcome = refresh(provider);
    wait_for_threads();
    const int is_reached = stop_failing();
    CHECK(provider != NULL || make_provider(&provider) == SUCCEEDED);
    CHECK(refresh(provider) == SUCCEEDED);
    clazar_provider_free(provider);
    _exit(is_reached ? outcome : NOT_REACHED);
}

static void check_alone(long call) {
    fail_from(call);
    const int outcome = authenticate();
    wait_for_threads();
    const int is_reached = stop_failing();
    CHECK(authenticate() == SUCCEEDED);
    _exit(is_reached ? outcome : NOT_REACHED);
}

static int in_a_child(void (*check)(long), long call) {
    const pid_t child = start_run();
    if (child == 0)
        check(call);
    const int outcome = end_of(child);
    if (outcome < SUCCEEDED)
        fprintf(stderr, "the child that failed at %ld ended with %d\n", call, outcome);
    return outcome;
}

static int first_request(long call) { return in_a_child(check_first_request, call); }

static int alone(long call) { return in_a_child(check_alone, call); }

static int failing_refresh(clazar_provider *provider, long call, int *is_reached) {
    fail_from(call);
    const int outcome = refresh(provider);
    wait_for_threads();
    *is_reached = stop_failing();
    clazar_token_free(token_of(provider));
    CHECK(refresh(provider) == SUCCEEDED);
    wait_for_threads();
    return outcome;
}

/* With a token in use, which stays in use. */
static int renewal(long call) {
    static clazar_provider *provider;
    static long blocks, descriptors;
    int outcome, is_reached;
    if (provider == NULL) {
        CHECK(make_provider(&provider) == SUCCEEDED);
        for (int i = 0; i < 2; i++) {
            CHECK(refresh(provider) == SUCCEEDED);
            wait_for_threads();
        }
        blocks = value_of(&live);
        descriptors = count_of("/proc/self/fd");
    }
    /* As many threads at a time as never before need room, once; what is lost is lost each time. */
    for (int tries = 0;; tries++) {
        outcome = failing_refresh(provider, call, &is_reached);
        CHECK(count_of("/proc/self/fd") == descriptors);
        if (value_of(&live) <= blocks)
            break;
        CHECK(tries < 5);
        blocks = value_of(&live);
    }
    return is_reached ? outcome : NOT_REACHED;
}

static int told;

static void on_token(void *context, clazar_token *token, clazar_error *error) {
    CHECK(context == &told && (token == NULL) != (error == NULL));
    clazar_token_free(token);
    clazar_error_free(error);
    __atomic_fetch_add(&told, 1, __ATOMIC_SEQ_CST);
}

static void let_thousands_wait(void) {
    clazar_provider *provider = NULL;
    clazar_token *token = NULL;
    CHECK(make_provider(&provider) == SUCCEEDED);
    is_held = 1;
    for (int i = 0; i < WAITING; i++) {
        CHECK(clazar_provider_token_async(provider, on_token, &told, &token, NULL) == CLAZAR_OK);
        CHECK(token == NULL);
    }
    fail_from(1);
    /* One more is told at once, and not called back. */
    CHECK(clazar_provider_token_async(provider, on_token, &told, &token, NULL) ==
          CLAZAR_ERR_TRANSPORT);
    __atomic_store_n(&is_held, 0, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&told, __ATOMIC_SEQ_CST) < WAITING)
        breathe();
    wait_for_threads();
    CHECK(stop_failing() && told == WAITING && refresh(provider) == SUCCEEDED);
    clazar_provider_free(provider);
}

int main(void) {
    const struct {
        const char *name;
        int (*run)(long call);
    } cases[] = {{"first", first_request}, {"renewal", renewal}, {"alone", alone}};
    const char *name = getenv("TEST_CASE");
    long outcomes[NOT_REACHED + 1] = {0}, call = 0;
    int not_reached = 0;
    alarm(WHOLE_LIMIT);
    find_real();
    if (strcmp(name, "waiting") == 0) {
        let_thousands_wait();
        return 0;
    }
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        while (strcmp(cases[i].name, name) == 0 && not_reached < LAST_RUNS) {
            const int outcome = cases[i].run(++call);
            CHECK(outcome >= SUCCEEDED && outcome <= NOT_REACHED);
            outcomes[outcome]++;
            not_reached = outcome == NOT_REACHED ? not_reached + 1 : 0;
        }
    }
    printf("%s%s: of %ld points at which there was no memory, %ld led to an error\n", name,
           getenv("TEST_LASTING") != NULL ? ", from there on" : "",
           outcomes[SUCCEEDED] + outcomes[FAILED], outcomes[FAILED]);
    CHECK(outcomes[SUCCEEDED] > 20 && outcomes[FAILED] > 0);
    return 0;
}
