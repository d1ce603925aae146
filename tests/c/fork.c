/* fork() in whatever state a provider is; TEST_CASE says which. The test runner sets the server's
 * delay and counts the requests. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* After so many seconds SIGALRM ends a child that hangs, and the parent some time later. */
#define CHILD_LIMIT 60
#define PARENT_LIMIT 200

static clazar_provider *provider;

/* Runs `work` in a child that `make` makes, which must leave with 0. */
static void in_child_of(pid_t (*make)(void), void (*work)(void)) {
    const pid_t child = make();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(CHILD_LIMIT);
        work();
        _exit(0);
    }
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(!WIFSIGNALED(status) || WTERMSIG(status) != SIGALRM);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void in_child(void (*work)(void)) { in_child_of(fork, work); }

static void authorize(void) {
    char header[CLAZAR_AUTHORIZATION_MAX];
    size_t length = 0;
    clazar_error *error = NULL;
    CHECK(clazar_provider_authorization(provider, header, sizeof header, &length, &error) ==
          CLAZAR_OK);
    CHECK(error == NULL && length > 7 && strncmp(header, "Bearer ", 7) == 0);
}

/* ---- A token in memory ---- */

static void serve_from_memory(void) {
    const clazar_stats before = stats_of(provider);
    for (int i = 0; i < 3; i++)
        authorize();
    clazar_token *token = NULL;
    CHECK(clazar_provider_peek(provider, &token, NULL) == CLAZAR_OK && token != NULL);
    clazar_token_free(token);
    clazar_token_free(token_of(provider));
    CHECK(stats_of(provider).waited == before.waited);
    CHECK(before.expires_in_ms > 0 && before.backoff_ms == 0);
}

static void serve_in_a_grandchild(void) {
    serve_from_memory();
    in_child(serve_from_memory);
    clazar_provider_free(provider);
}

static void with_a_token(void) {
    clazar_token *token = token_of(provider);
    in_child(serve_in_a_grandchild);
    clazar_token *still = token_of(provider);
    CHECK(same(token, still));
    clazar_token_free(token);
    clazar_token_free(still);
}

/* ---- A token request under way ---- */

static void *wait_for_a_token(void *unused) {
    (void)unused;
    return token_of(provider);
}

/* Looked at by their names: for ThreadSanitizer, fstat() is a race with who opens the descriptor. */
static int sockets(void) {
    int count = 0;
    for (int descriptor = 0; descriptor < 1024; descriptor++) {
        char path[32], kind[8];
        snprintf(path, sizeof path, "/proc/self/fd/%d", descriptor);
        count += readlink(path, kind, sizeof kind) > 7 && memcmp(kind, "socket:", 7) == 0;
    }
    return count;
}

static void get_a_token(void) {
    const clazar_stats before = stats_of(provider);
    CHECK(before.expires_in_ms == -1 && before.empty_succeeded == 0);
    authorize();
    authorize();
    CHECK(stats_of(provider).empty_succeeded == 1);
    CHECK(stats_of(provider).waited == before.waited + 1);
    clazar_provider_close(provider);
    clazar_provider_free(provider);
}

/* Those that were there before. */
static int inherited;

static void find_no_socket(void) { CHECK(sockets() == inherited); }

static void in_child_during_a_token_request(pid_t (*make)(void), void (*work)(void)) {
    pthread_t waiter;
    inherited = sockets();
    CHECK(pthread_create(&waiter, NULL, wait_for_a_token, NULL) == 0);
    while (sockets() == inherited)
        breathe();
    if (make == fork)
        in_child(find_no_socket);
    in_child_of(make, work);
    /* What the child did to its provider is nothing to this one. */
    void *token = NULL;
    CHECK(pthread_join(waiter, &token) == 0);
    clazar_token *cached = token_of(provider);
    CHECK(same(token, cached));
    CHECK(stats_of(provider).empty_succeeded == 1 && stats_of(provider).waited == 1);
    clazar_token_free(cached);
    clazar_token_free(token);
}

static void during_a_token_request(void) { in_child_during_a_token_request(fork, get_a_token); }

/* A child without fork handlers may do no more than a signal handler (POSIX). It makes a request of its own
 * all the same, where no thread of the parent was in malloc() just then. */
static void past_the_handlers(void) {
    pid_t (*make)(void) = NULL;
    *(void **)&make = dlsym(RTLD_DEFAULT, "_Fork");
    if (make == NULL)
        make = fork;
    in_child_during_a_token_request(make, get_a_token);
}

/* ---- A closed provider ---- */

static void find_it_closed(void) {
    clazar_token *token = NULL;
    char header[CLAZAR_AUTHORIZATION_MAX];
    CHECK(clazar_provider_token(provider, &token, NULL) == CLAZAR_ERR_CLOSED && token == NULL);
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_ERR_CLOSED && token == NULL);
    CHECK(clazar_provider_peek(provider, &token, NULL) == CLAZAR_OK && token == NULL);
    CHECK(clazar_provider_authorization(provider, header, sizeof header, NULL, NULL) ==
          CLAZAR_ERR_CLOSED);
}

static void find_it_closed_twice(void) {
    find_it_closed();
    in_child(find_it_closed);
    clazar_provider_close(provider);
    clazar_provider_free(provider);
}

static void after_close(void) {
    clazar_token_free(token_of(provider));
    clazar_provider_close(provider);
    in_child(find_it_closed_twice);
    find_it_closed();
}

/* ---- A renewal in the background ---- */

/* The next token, which nobody waits for. */
static void see_it_renewed(void) {
    while (stats_of(provider).proactive_succeeded == 0) {
        authorize();
        breathe();
    }
    CHECK(stats_of(provider).proactive_succeeded == 1 && stats_of(provider).proactive_failed == 0);
}

static void during_a_renewal(void) {
    clazar_token *token = token_of(provider);
    while (stats_of(provider).served_stale == 0) {
        authorize();
        breathe();
    }
    in_child(see_it_renewed);
    see_it_renewed();
    clazar_token *next = token_of(provider);
    CHECK(!same(token, next));
    clazar_token_free(token);
    clazar_token_free(next);
}

/* ---- Threads in the middle of whatever they do ---- */

#define THREADS 3

static int done;

static void *keep_busy(void *unused) {
    (void)unused;
    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
        clazar_token *token = NULL;
        CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_OK);
        CHECK(clazar_provider_invalidate(provider, token, NULL) == CLAZAR_OK);
        clazar_token_free(token);
        authorize();
        stats_of(provider);
    }
    return NULL;
}

static void use_all(void) {
    authorize();
    clazar_token *token = NULL;
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
    authorize();
    clazar_provider_free(provider);
}

/* Runs `work` in many children, while threads of the parent do `busy`. */
static void among_threads(void *(*busy)(void *), int children, void (*work)(void)) {
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&threads[i], NULL, busy, NULL) == 0);
    for (int left = children; left > 0; left--)
        in_child(work);
    __atomic_store_n(&done, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

static void among_busy_threads(void) {
    among_threads(keep_busy, atoi(getenv("TEST_CHILDREN")), use_all);
}

static void *knock(void *unused) {
    (void)unused;
    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
        clazar_token *token = NULL;
        CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_ERR_CLOSED);
    }
    return NULL;
}

static void closed_among_busy_threads(void) {
    clazar_provider_close(provider);
    among_threads(knock, 10 * atoi(getenv("TEST_CHILDREN")), find_it_closed);
}

int main(void) {
    const struct {
        const char *name;
        void (*run)(void);
    } cases[] = {
        {"a token", with_a_token},
        {"a token request", during_a_token_request},
        {"past the handlers", past_the_handlers},
        {"closed", after_close},
        {"a renewal", during_a_renewal},
        {"busy threads", among_busy_threads},
        {"closed, busy threads", closed_among_busy_threads},
    };
    int ran = 0;
    alarm(PARENT_LIMIT);
    provider = provider_from_env();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (strcmp(cases[i].name, getenv("TEST_CASE")) == 0) {
            cases[i].run();
            ran++;
        }
    }
    CHECK(ran == 1);
    clazar_provider_free(provider);
    return 0;
}
