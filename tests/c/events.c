/* Events: which, with what words, and who frees what belongs to their callback. The server's first
 * answer is a 400 that repeats the secret. */
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "check.h"

/* What a callback has seen; `destroy` frees it, so that valgrind sees a use after that. */
struct context {
    clazar_provider *asked; /* What the callback calls the library with, if anything. */
    int *destroyed;
    int refreshes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int refreshed, failed, others;
static char last_message[2048];

/* Waits until `*number` is at least `least`; a hang ends by alarm(). */
static void wait_for(const int *number, int least) {
    CHECK(pthread_mutex_lock(&lock) == 0);
    while (*number < least)
        CHECK(pthread_cond_wait(&changed, &lock) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
}

static int value_of(const int *number) {
    CHECK(pthread_mutex_lock(&lock) == 0);
    const int value = *number;
    CHECK(pthread_mutex_unlock(&lock) == 0);
    return value;
}

static void holds_no(const char *message, const char *text) {
    CHECK(strlen(text) > 8 && strstr(message, text) == NULL);
}

/* Neither the whole secret or token, nor the part of it that matters. */
static void tells_nothing(const char *message, const clazar_token *token) {
    const char *secret = getenv("CLAZAR_CLIENT_SECRET");
    CHECK(strlen(message) > 20);
    holds_no(message, secret);
    holds_no(message, strrchr(secret, '-'));
    if (token != NULL) {
        const char *value = clazar_token_value(token, NULL);
        holds_no(message, value);
        holds_no(message, strrchr(value, '.'));
    }
}

static void all_signals_are_blocked(void) {
    sigset_t blocked;
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0);
    CHECK(sigismember(&blocked, SIGINT) == 1 && sigismember(&blocked, SIGTERM) == 1);
    CHECK(sigismember(&blocked, SIGCHLD) == 1 && sigismember(&blocked, SIGUSR1) == 1);
}

static void call_the_library(struct context *context, clazar_event event, const char *message) {
    clazar_token *token = NULL, *peeked = NULL;
    clazar_status status = clazar_provider_token(context->asked, &token, NULL);
    CHECK(status == (event == CLAZAR_EVENT_REFRESHED ? CLAZAR_OK : CLAZAR_ERR_REJECTED));
    CHECK(clazar_provider_peek(context->asked, &peeked, NULL) == CLAZAR_OK);
    CHECK((peeked != NULL) == (status == CLAZAR_OK));
    tells_nothing(message, token);
    clazar_token_free(token);
    clazar_token_free(peeked);

    CHECK(stats_of(context->asked).empty_failed == 1);
    clazar_provider_free(clazar_provider_clone(context->asked));
    /* A token request within the event of another, once. */
    if (event == CLAZAR_EVENT_REFRESHED && context->refreshes++ == 0) {
        CHECK(clazar_provider_refresh(context->asked, &token, NULL) == CLAZAR_OK);
        clazar_token_free(token);
    }
}

static void on_event(void *opaque, clazar_event event, const char *message) {
    struct context *context = opaque;
    CHECK(value_of(context->destroyed) == 0);
    all_signals_are_blocked();
    tells_nothing(message, NULL);
    if (context->asked != NULL)
        call_the_library(context, event, message);

    CHECK(pthread_mutex_lock(&lock) == 0);
    *(event == CLAZAR_EVENT_REFRESHED        ? &refreshed
      : event == CLAZAR_EVENT_REFRESH_FAILED ? &failed
                                             : &others) += 1;
    CHECK(strlen(message) < sizeof last_message);
    strcpy(last_message, message);
    CHECK(pthread_cond_broadcast(&changed) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
}

static void on_destroy(void *opaque) {
    struct context *context = opaque;
    CHECK(pthread_mutex_lock(&lock) == 0);
    *context->destroyed += 1;
    CHECK(pthread_cond_broadcast(&changed) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
    free(context);
}

static struct context *listen(clazar_config *config, int *destroyed) {
    struct context *context = calloc(1, sizeof *context);
    CHECK(context != NULL);
    context->destroyed = destroyed;
    CHECK(clazar_config_set_event_callback(config, on_event, context, on_destroy) == CLAZAR_OK);
    return context;
}

static clazar_provider *made_from(const clazar_config *config) {
    clazar_provider *provider = NULL;
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    return provider;
}

static void both_events_come_and_may_call_the_library(void) {
    static int destroyed;
    clazar_config *config = config_from_env();
    struct context *context = listen(config, &destroyed);
    clazar_provider *provider = made_from(config);
    context->asked = provider;

    clazar_token *token = NULL;
    CHECK(clazar_provider_token(provider, &token, NULL) == CLAZAR_ERR_REJECTED);
    wait_for(&failed, 1);
    CHECK(value_of(&refreshed) == 0);
    CHECK(strstr(last_message, "400") != NULL);

    /* Its event starts another token request. */
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
    wait_for(&refreshed, 2);
    CHECK(value_of(&failed) == 1 && value_of(&others) == 0);
    CHECK(stats_of(provider).refresh_succeeded == 2);

    clazar_config_free(config);
    clazar_provider_free(provider);
    wait_for(&destroyed, 1);
    CHECK(value_of(&destroyed) == 1);
}

static void the_last_one_destroys_once(void) {
    static int destroyed;
    const int before = value_of(&refreshed);
    clazar_config *config = config_from_env();
    listen(config, &destroyed);
    clazar_provider *first = made_from(config);
    clazar_provider *second = made_from(config);
    clazar_token_free(token_of(first));
    clazar_token_free(token_of(second));
    wait_for(&refreshed, before + 2);

    clazar_config_free(config);
    CHECK(value_of(&destroyed) == 0);
    clazar_provider *clone = clazar_provider_clone(first);
    clazar_provider_free(first);
    clazar_provider_close(clone);
    clazar_provider_free(clone);
    CHECK(value_of(&destroyed) == 0);
    clazar_token *token = NULL;
    CHECK(clazar_provider_refresh(second, &token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
    wait_for(&refreshed, before + 3);
    CHECK(value_of(&destroyed) == 0);
    clazar_provider_free(second);
    /* The thread of a token request may be the last to let go. */
    wait_for(&destroyed, 1);
    CHECK(value_of(&destroyed) == 1);
}

static void another_callback_takes_its_place(void) {
    static int first, second, third;
    const int before = value_of(&refreshed);
    clazar_config *config = config_from_env();
    listen(config, &first);
    listen(config, &second);
    CHECK(value_of(&first) == 1 && value_of(&second) == 0);
    clazar_provider *provider = made_from(config);
    listen(config, &third);
    /* The provider goes on with what it was made with. */
    CHECK(value_of(&second) == 0);
    clazar_token_free(token_of(provider));
    wait_for(&refreshed, before + 1);
    CHECK(clazar_config_set_event_callback(config, NULL, NULL, NULL) == CLAZAR_OK);
    CHECK(value_of(&third) == 1 && value_of(&second) == 0);
    clazar_provider_free(provider);
    wait_for(&second, 1);
    clazar_config_free(config);
    CHECK(value_of(&first) == 1 && value_of(&second) == 1 && value_of(&third) == 1);
}

static void no_callback_is_allowed(void) {
    static int destroyed;
    const int before = value_of(&refreshed);
    struct context *context = calloc(1, sizeof *context);
    CHECK(context != NULL);
    context->destroyed = &destroyed;
    CHECK(clazar_config_set_event_callback(NULL, on_event, context, on_destroy) ==
          CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(value_of(&destroyed) == 0);

    clazar_config *config = config_from_env();
    CHECK(clazar_config_set_event_callback(config, NULL, context, on_destroy) == CLAZAR_OK);
    clazar_provider *provider = made_from(config);
    clazar_token_free(token_of(provider));
    clazar_config_free(config);
    clazar_provider_free(provider);
    wait_for(&destroyed, 1);
    CHECK(value_of(&destroyed) == 1 && value_of(&refreshed) == before);

    /* A callback that needs nothing. */
    config = config_from_env();
    CHECK(clazar_config_set_event_callback(config, NULL, NULL, NULL) == CLAZAR_OK);
    clazar_config_free(config);
}

int main(void) {
    alarm(120);
    both_events_come_and_may_call_the_library();
    the_last_one_destroys_once();
    another_callback_takes_its_place();
    no_callback_is_allowed();
    return 0;
}
