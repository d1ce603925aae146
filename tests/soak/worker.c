/* A service in C: threads that ask for the header without end, and forks. It prints a report each second, one line of
 * JSON, until its standard input ends. From the first line there it neither forks nor takes a token out of use any
 * more. What must never happen is told on standard error, a line each. */
#define _GNU_SOURCE
#include <clazar_auth.h>
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "clock.h"

#define THREADS 4

static clazar_provider *provider;
static const struct moved *moved;
static bool over;
static unsigned long calls, failed, invalidated, children;

static void pause_briefly(void) {
    const struct timespec two_milliseconds = {0, 2000000};
    nanosleep(&two_milliseconds, NULL);
}

/* The last token that was found, and what has ended lives before their time until then. */
struct live {
    clazar_token *token;
    int64_t clocks;
    unsigned long invalidated;
};

/* Keeps the token that was found before if there is none now, which is what must not happen. */
static void look(struct live *live) {
    struct live now = {NULL, __atomic_load_n(&moved->times, __ATOMIC_ACQUIRE),
                       __atomic_load_n(&invalidated, __ATOMIC_ACQUIRE)};
    if (clazar_provider_peek(provider, &now.token, NULL) != CLAZAR_OK)
        abort();
    if (now.token == NULL)
        return;
    clazar_token_free(live->token);
    *live = now;
}

static bool lives(const struct live *live) {
    return live->token != NULL && clazar_token_expires_in(live->token) > 0 &&
           live->clocks == __atomic_load_n(&moved->times, __ATOMIC_ACQUIRE) &&
           live->invalidated == __atomic_load_n(&invalidated, __ATOMIC_ACQUIRE);
}

/* Whether a call failed although a token lived all the while. */
static bool failed_in_vain(struct live *live) {
    char header[CLAZAR_AUTHORIZATION_MAX];
    size_t length;
    clazar_error *error = NULL;
    bool in_vain = false;
    look(live);
    __atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
    if (clazar_provider_authorization(provider, header, sizeof header, &length, &error) !=
        CLAZAR_OK) {
        __atomic_add_fetch(&failed, 1, __ATOMIC_RELAXED);
        in_vain = lives(live);
        if (in_vain)
            fprintf(stderr, "a call failed while a token lived: %s\n", clazar_error_message(error));
    }
    clazar_memzero(header, sizeof header);
    clazar_error_free(error);
    return in_vain;
}

static void *ask(void *unused) {
    struct live live = {NULL, 0, 0};
    while (!__atomic_load_n(&over, __ATOMIC_RELAXED)) {
        failed_in_vain(&live);
        pause_briefly();
    }
    clazar_token_free(live.token);
    return unused;
}

/* As after a 401 of the API. */
static void invalidate(void) {
    clazar_token *token = NULL;
    __atomic_add_fetch(&invalidated, 1, __ATOMIC_ACQ_REL);
    if (clazar_provider_peek(provider, &token, NULL) == CLAZAR_OK && token != NULL &&
        clazar_provider_invalidate(provider, token, NULL) != CLAZAR_OK)
        abort();
    __atomic_add_fetch(&invalidated, 1, __ATOMIC_ACQ_REL);
    clazar_token_free(token);
}

/* A child that asks once. */
static void spawn(void) {
    struct live live = {NULL, 0, 0};
    const pid_t child = fork();
    if (child == 0) {
        alarm(120);
        _exit(failed_in_vain(&live));
    }
    int status;
    if (child == -1 || waitpid(child, &status, 0) != child || status != 0)
        fprintf(stderr, "a child failed, with status %d\n", child == -1 ? -1 : status);
    children++;
}

static int count(const char *folder) {
    int entries = 0;
    DIR *stream = opendir(folder);
    if (stream == NULL)
        abort();
    while (readdir(stream) != NULL)
        entries++;
    closedir(stream);
    return entries;
}

static long resident(void) {
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL || fscanf(file, "%*d %ld", &pages) != 1)
        abort();
    fclose(file);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void report(void) {
    printf("{\"calls\": %lu, \"failed\": %lu, \"children\": %lu, \"threads\": %d, "
           "\"descriptors\": %d, \"kilobytes\": %ld}\n",
           __atomic_load_n(&calls, __ATOMIC_RELAXED), __atomic_load_n(&failed, __ATOMIC_RELAXED),
           children, count("/proc/self/task"), count("/proc/self/fd"), resident());
    fflush(stdout);
}

int main(void) {
    clazar_config *config = NULL;
    pthread_t threads[THREADS];
    struct pollfd input = {STDIN_FILENO, POLLIN, 0};
    moved = moved_clocks();
    if (clazar_config_new_from_env(&config, NULL) != CLAZAR_OK ||
        clazar_config_set_timeout_ms(config, 2000) != CLAZAR_OK ||
        clazar_provider_new(config, &provider, NULL) != CLAZAR_OK)
        return 1;
    clazar_config_free(config);
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, ask, NULL) != 0)
            return 1;
    bool calm = false;
    for (int second = 1;; second++) {
        char line[16];
        if (poll(&input, 1, 1000) != 0) {
            if (read(STDIN_FILENO, line, sizeof line) <= 0)
                break;
            calm = true;
        }
        report();
        if (!calm && second % 2 == 0)
            spawn();
        if (!calm && second % 40 == 0)
            invalidate();
    }
    __atomic_store_n(&over, true, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    clazar_provider_free(provider);
    return 0;
}
