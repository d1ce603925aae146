/* A system call of the library's own thread that does not return: no caller waits longer than the header
 * says, and the next request is made without it. */
#define _DEFAULT_SOURCE
#include <pthread.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

enum { WAITING = 8, TIMEOUT_MS = 300 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int hangs, failures;

static void set_hanging(int value) {
    CHECK(pthread_mutex_lock(&lock) == 0);
    hangs = value;
    CHECK(pthread_cond_broadcast(&changed) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
}

static void hang(void) {
    CHECK(pthread_mutex_lock(&lock) == 0);
    while (hangs)
        CHECK(pthread_cond_wait(&changed, &lock) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
}

/* In the place of the C library's: a network that is gone, and a disk that is. */
int connect(int fd, const struct sockaddr *address, socklen_t length) {
    hang();
    return (int)syscall(SYS_connect, fd, address, length);
}

int fsync(int fd) {
    hang();
    return (int)syscall(SYS_fsync, fd);
}

static void on_event(void *context, const clazar_event_info *event) {
    CHECK(context == NULL);
    if (event->kind == CLAZAR_EVENT_REFRESH_FAILED) {
        CHECK(event->error_code == CLAZAR_ERR_TIMEOUT);
        __atomic_fetch_add(&failures, 1, __ATOMIC_SEQ_CST);
    }
    /* Nobody waits for this either. */
    hang();
}

static void *wait_in_vain(void *provider) {
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    CHECK(clazar_provider_token(provider, &token, &error) == CLAZAR_ERR_TIMEOUT);
    CHECK(token == NULL && clazar_error_retry_after_ms(error) >= 0);
    clazar_error_free(error);
    return NULL;
}

int main(void) {
    alarm(120);
    clazar_config *config = config_from_env();
    clazar_provider *provider = NULL;
    CHECK(clazar_config_set_timeout_ms(config, TIMEOUT_MS) == CLAZAR_OK);
    CHECK(clazar_config_set_event_callback(config, on_event, NULL, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free(config);

    /* As the header says; with a store there is another process to wait for, too. */
    const int64_t longest = getenv("CLAZAR_STORE") ? 2 * TIMEOUT_MS + 3000 : TIMEOUT_MS + 1000;
    pthread_t threads[WAITING];
    set_hanging(1);
    const int64_t start = milliseconds_now();
    for (int i = 0; i < WAITING; i++)
        CHECK(pthread_create(&threads[i], NULL, wait_in_vain, provider) == 0);
    for (int i = 0; i < WAITING; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    CHECK(milliseconds_now() - start < 10 * longest);
    CHECK(stats_of(provider).empty_failed == 1);
    while (__atomic_load_n(&failures, __ATOMIC_SEQ_CST) == 0)
        breathe();
    CHECK(__atomic_load_n(&failures, __ATOMIC_SEQ_CST) == 1);

    set_hanging(0);
    clazar_token *token = NULL;
    while (clazar_provider_token(provider, &token, NULL) != CLAZAR_OK)
        breathe();
    clazar_token_free(token);
    clazar_provider_free(provider);
    return 0;
}
