// clang-format Language: C
/* What the programs share in which one thing after the other fails. */
#ifndef FAILING_H
#define FAILING_H

#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

/* Exit statuses of a run. */
enum { SUCCEEDED = 10, FAILED, NOT_REACHED };
/* After so many seconds SIGALRM ends a run that hangs. */
enum { RUN_LIMIT = 60 };
/* After so many runs in a row that reached none, all have failed: one that finds a token in the store may end
 * early. */
enum { LAST_RUNS = 5 };

/* What came of a call; the program says what may. */
static int judged(clazar_status status, clazar_error *error);

static inline int refresh(clazar_provider *provider) {
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    const clazar_status status = clazar_provider_refresh(provider, &token, &error);
    CHECK((status == CLAZAR_OK) == (token != NULL));
    clazar_token_free(token);
    return judged(status, error);
}

/* A process that has never used the library; 0 in it. */
static inline pid_t start_run(void) {
    fflush(stdout);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        alarm(RUN_LIMIT);
    return child;
}

/* How it exited; 0 if not by itself. */
static inline int end_of(pid_t child) {
    int status = 0;
    CHECK(waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

#endif
