/* Is told by lines on standard input what to do, and says by lines that it is done: forks while a token
 * request is under way, and ends; the child lives on until the input ends. */
#include <pthread.h>
#include <unistd.h>

#include "check.h"

static clazar_provider *provider;

static void *ask(void *unused) {
    (void)unused;
    clazar_token *token = NULL;
    CHECK(clazar_provider_token(provider, &token, NULL) != CLAZAR_OK);
    return NULL;
}

static int is_told(void) {
    char byte = 0;
    return read(STDIN_FILENO, &byte, 1) == 1;
}

static void say_done(void) { CHECK(write(STDOUT_FILENO, "\n", 1) == 1); }

int main(void) {
    pthread_t thread;
    provider = provider_from_env();
    CHECK(pthread_create(&thread, NULL, ask, NULL) == 0);
    CHECK(is_told());
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child > 0)
        _exit(0);
    while (is_told())
        say_done();
    _exit(0);
}
