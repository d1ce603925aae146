/* Asks ten thousand times on one thread, which waits with epoll. TEST_CASE "copies": and reads no text through
 * a handle. */
#define _GNU_SOURCE
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "process.h"

#ifndef MOST
#define MOST 10000
#endif

/* Where the callbacks leave what they get, for the loop. */
struct inbox {
    pthread_mutex_t lock;
    int wakeup;
    int count;
    clazar_token *tokens[MOST];
    clazar_error *errors[MOST];
    int64_t first, last;
};

/* One ask. */
struct ask {
    struct inbox *inbox;
    int told;
};

static struct inbox inbox = {.lock = PTHREAD_MUTEX_INITIALIZER};
static struct ask asks[MOST];

static void on_token(void *context, clazar_token *token, clazar_error *error) {
    struct ask *ask = context;
    struct inbox *to = ask->inbox;
    const uint64_t one = 1;
    CHECK((token == NULL) != (error == NULL));
    CHECK(pthread_mutex_lock(&to->lock) == 0);
    ask->told++;
    to->last = milliseconds_now();
    if (to->count == 0)
        to->first = to->last;
    to->tokens[to->count] = token;
    to->errors[to->count] = error;
    to->count++;
    CHECK(pthread_mutex_unlock(&to->lock) == 0);
    CHECK(write(to->wakeup, &one, sizeof one) == sizeof one);
}

static int amount(void) {
    const char *text = getenv("TEST_AMOUNT");
    return text == NULL ? MOST : atoi(text);
}

static void *end(void *unused) { return unused; }

/* A sanitizer starts one of its own with the first. */
static void start_a_thread(void) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, end, NULL) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
}

/* Asks; nobody has a token yet. */
static void ask_all(const clazar_provider *provider) {
    inbox.count = 0;
    for (int i = 0; i < amount(); i++) {
        clazar_token *token = NULL;
        clazar_error *error = NULL;
        asks[i].inbox = &inbox;
        asks[i].told = 0;
        CHECK(clazar_provider_token_async(provider, on_token, &asks[i], &token, &error) ==
              CLAZAR_OK);
        CHECK(token == NULL && error == NULL);
    }
}

/* What an event loop does, until all are told. */
static void loop_until_told(int loop) {
    int count = 0;
    while (count < amount()) {
        struct epoll_event event;
        uint64_t times = 0;
        CHECK(epoll_wait(loop, &event, 1, 60000) == 1);
        CHECK(read(inbox.wakeup, &times, sizeof times) == sizeof times);
        CHECK(pthread_mutex_lock(&inbox.lock) == 0);
        count = inbox.count;
        CHECK(pthread_mutex_unlock(&inbox.lock) == 0);
    }
    for (int i = 0; i < amount(); i++)
        CHECK(asks[i].told == 1);
}

static int is_first_token(const clazar_token *token) {
    const char *name = getenv("TEST_CASE");
    const int reads_handles = name == NULL || strcmp(name, "copies") != 0;
    return token != NULL && (!reads_handles || same(token, inbox.tokens[0]));
}

int main(void) {
    clazar_provider *provider = provider_from_env();
    const int loop = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    start_a_thread();
    const int before = threads();
    inbox.wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    CHECK(loop >= 0 && inbox.wakeup >= 0);
    CHECK(epoll_ctl(loop, EPOLL_CTL_ADD, inbox.wakeup, &event) == 0);

    ask_all(provider);
    /* One makes the request, and one waits for all. */
    CHECK(threads() <= before + 2);
    loop_until_told(loop);
    for (int i = 0; i < amount(); i++)
        CHECK(inbox.errors[i] == NULL && is_first_token(inbox.tokens[i]));
    printf("%d told within %lld ms\n", amount(), (long long)(inbox.last - inbox.first));

    /* A token at hand comes at once, and nobody is called. */
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    CHECK(clazar_provider_token_async(provider, on_token, &asks[0], &token, &error) == CLAZAR_OK);
    CHECK(is_first_token(token) && asks[0].told == 1);
    clazar_token_free(token);
    for (int i = 0; i < amount(); i++)
        clazar_token_free(inbox.tokens[i]);
    clazar_provider_free(provider);

    /* Those that wait when the provider is closed are told so. */
    CHECK(setenv("CLAZAR_AUTH_URL", getenv("TEST_SILENT_URL"), 1) == 0);
    provider = provider_from_env();
    ask_all(provider);
    clazar_provider_close(provider);
    loop_until_told(loop);
    for (int i = 0; i < amount(); i++) {
        CHECK(inbox.tokens[i] == NULL);
        CHECK(clazar_error_code(inbox.errors[i]) == CLAZAR_ERR_CLOSED);
        clazar_error_free(inbox.errors[i]);
    }
    CHECK(clazar_provider_token_async(provider, on_token, &asks[0], &token, &error) ==
          CLAZAR_ERR_CLOSED);
    CHECK(token == NULL && asks[0].told == 1);
    clazar_error_free(error);

    CHECK(clazar_provider_token_async(provider, NULL, NULL, &token, &error) ==
          CLAZAR_ERR_INVALID_ARGUMENT);
    clazar_error_free(error);

    clazar_provider_free(provider);
    CHECK(close(loop) == 0 && close(inbox.wakeup) == 0);
    return 0;
}
