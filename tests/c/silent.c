/* With a fresh token, a call makes no allocation and no system call, and leaves errno alone: the
 * allocator is counted, and the kernel is told to kill the process for a system call. */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void __libc_free(void *memory);

/* Of each thread its own: the one that made the request may still be ending. */
static __thread unsigned long calls;

void *malloc(size_t size) {
    calls++;
    return __libc_malloc(size);
}
void *calloc(size_t count, size_t size) {
    calls++;
    return __libc_calloc(count, size);
}
void *realloc(void *memory, size_t size) {
    calls++;
    return __libc_realloc(memory, size);
}
void free(void *memory) {
    calls++;
    __libc_free(memory);
}

static void no_more_calls(const clazar_provider *provider) {
    char header[CLAZAR_AUTHORIZATION_MAX];
    size_t length = 0;
    const unsigned long before = calls;
    errno = 12345;
    for (int i = 0; i < 1000; i++) {
        CHECK(clazar_provider_authorization(provider, header, sizeof header, &length, NULL) ==
              CLAZAR_OK);
        CHECK(length > strlen("Bearer "));
    }
    CHECK(calls == before && errno == 12345);
}

/* A system call after this ends the process, but for read, write and exit. */
static void allow_no_more(void) { CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) == 0); }

static void a_system_call_is_noticed(void) {
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        allow_no_more();
        getppid();
        syscall(SYS_exit, 0);
    }
    CHECK(waitpid(child, &status, 0) == child && WIFSIGNALED(status) &&
          WTERMSIG(status) == SIGKILL);
}

int main(void) {
    a_system_call_is_noticed();
    const unsigned long none = calls;
    clazar_provider *provider = provider_from_env();
    clazar_token_free(token_of(provider));
    CHECK(calls > none);
    no_more_calls(provider);
    allow_no_more();
    no_more_calls(provider);
    syscall(SYS_exit, 0);
}
