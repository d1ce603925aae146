/* Forks in the middle of each allocation of the first token request of a process, one process after the
 * other, on whichever thread it is. Each time the child makes a token request of its own. */
#include <pthread.h>
#include <signal.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* After so many seconds SIGALRM ends a child that hangs, and its parent some time later. */
#define CHILD_LIMIT 30
#define PARENT_LIMIT 60
/* For so many turns an allocation waits for the fork, which may be held off until it is over. */
#define TURNS 50
#define NO_SUCH_ALLOCATION 2

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);

static int counting, allocations, target, reached, forked, done;
/* Of the thread that forks nothing is counted. */
static __thread int forks;

static int is(const int *flag) { return __atomic_load_n(flag, __ATOMIC_SEQ_CST); }
static void set(int *flag) { __atomic_store_n(flag, 1, __ATOMIC_SEQ_CST); }

static void note_allocation(void) {
    if (forks || !is(&counting) || __atomic_fetch_add(&allocations, 1, __ATOMIC_SEQ_CST) != target)
        return;
    set(&reached);
    for (int turn = 0; turn < TURNS && !is(&forked); turn++)
        breathe();
}

void *malloc(size_t size) {
    note_allocation();
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
    note_allocation();
    return __libc_calloc(count, size);
}
void *realloc(void *memory, size_t size) {
    note_allocation();
    return __libc_realloc(memory, size);
}

static void *make_request(void *unused) {
    (void)unused;
    clazar_provider *provider = provider_from_env();
    clazar_token_free(token_of(provider));
    clazar_provider_free(provider);
    set(&done);
    return NULL;
}

/* The exit status of a process that has never used the library. */
static int fork_at(int allocation) {
    pthread_t thread;
    forks = 1;
    target = allocation;
    set(&counting);
    alarm(PARENT_LIMIT);
    CHECK(pthread_create(&thread, NULL, make_request, NULL) == 0);
    while (!is(&reached) && !is(&done))
        breathe();
    if (!is(&reached))
        return NO_SUCH_ALLOCATION;
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        alarm(CHILD_LIMIT);
        make_request(NULL);
        _exit(0);
    }
    set(&forked);
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(pthread_join(thread, NULL) == 0);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

int main(void) {
    const int step = atoi(getenv("TEST_STEP"));
    int allocation = 0, outcome = 0;
    for (; outcome == 0; allocation += step) {
        const pid_t process = fork();
        CHECK(process >= 0);
        if (process == 0)
            _exit(fork_at(allocation));
        int status = 0;
        CHECK(waitpid(process, &status, 0) == process && WIFEXITED(status));
        outcome = WEXITSTATUS(status);
    }
    printf("ended at allocation %d\n", allocation);
    CHECK(outcome == NO_SUCH_ALLOCATION && allocation > 100);
    return 0;
}
