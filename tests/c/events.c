/* Events: which, with what facts and words, and who frees what belongs to their callback. The server's
 * first answer is a 400 that repeats the secret. */
#include <pthread.h>
#include <unistd.h>
#ifndef _WIN32
#include <signal.h>
#include <sys/prctl.h>
#endif

#include "check.h"

/* What a callback has seen; `destroy` frees it, so that valgrind sees a use after that. */
struct context {
    clazar_provider *asked; /* What the callback calls the library with, if anything. */
    clazar_provider *freed; /* The last handle, which the callback frees. */
    int *destroyed;
    int *told; /* How often it was called, if somebody wants to know. */
    int refreshes;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int refreshed, failed, others, replaced, may_free;
static char last_message[2048];

static void add_one(int *number) {
    CHECK(pthread_mutex_lock(&lock) == 0);
    *number += 1;
    CHECK(pthread_cond_broadcast(&changed) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
}

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

#ifdef _WIN32 /* Without signals; the name is for debuggers. */
static void all_signals_are_blocked(void) {}
static void is_named(void) {}
#else
static void all_signals_are_blocked(void) {
    sigset_t blocked;
    CHECK(pthread_sigmask(SIG_BLOCK, NULL, &blocked) == 0);
    CHECK(sigismember(&blocked, SIGINT) == 1 && sigismember(&blocked, SIGTERM) == 1);
    CHECK(sigismember(&blocked, SIGCHLD) == 1 && sigismember(&blocked, SIGUSR1) == 1);
}

static void is_named(void) {
    char name[16] = "";
    CHECK(prctl(PR_GET_NAME, name, 0, 0, 0) == 0);
    CHECK(strcmp(name, "clazar-request") == 0 || strcmp(name, "clazar-event") == 0);
}
#endif

/* Those of a first failure, which is the server's 400, and of a success, with a token of a day. */
static void the_facts_are_right(const clazar_event_info *event) {
    CHECK(event->size == sizeof *event);
    CHECK(strcmp(event->client_id, getenv("CLAZAR_CLIENT_ID")) == 0);
    if (event->kind == CLAZAR_EVENT_REFRESH_FAILED) {
        CHECK(event->level == CLAZAR_LEVEL_WARN && event->cause == CLAZAR_CAUSE_EMPTY);
        CHECK(event->error_code == CLAZAR_ERR_REJECTED && event->http_status == 400);
        CHECK(event->retry_after_ms > 0 && event->retry_after_ms <= 30000);
        CHECK(event->expires_in_ms == -1);
    } else {
        CHECK(event->kind == CLAZAR_EVENT_REFRESHED && event->level == CLAZAR_LEVEL_INFO);
        CHECK(event->cause == CLAZAR_CAUSE_EMPTY || event->cause == CLAZAR_CAUSE_REFRESH ||
              event->cause == CLAZAR_CAUSE_INVALIDATED);
        CHECK(event->error_code == CLAZAR_OK && event->http_status == 0);
        CHECK(event->retry_after_ms == -1);
        CHECK(event->expires_in_ms > 86300000 && event->expires_in_ms <= 86400000);
    }
}

static void call_the_library(struct context *context, const clazar_event_info *event) {
    clazar_token *token = NULL, *peeked = NULL;
    clazar_status status = clazar_provider_token(context->asked, &token, NULL);
    CHECK(status == event->error_code);
    CHECK(clazar_provider_peek(context->asked, &peeked, NULL) == CLAZAR_OK);
    CHECK((peeked != NULL) == (status == CLAZAR_OK));
    tells_nothing(event->message, token);
    clazar_token_free(token);
    clazar_token_free(peeked);

    CHECK(stats_of(context->asked).empty_failed == 1);
    clazar_provider_free(clazar_provider_clone(context->asked));
    /* A token request within the event of another, once. */
    if (event->kind == CLAZAR_EVENT_REFRESHED && context->refreshes++ == 0) {
        CHECK(clazar_provider_refresh(context->asked, &token, NULL) == CLAZAR_OK);
        clazar_token_free(token);
    }
}

static void on_event(void *opaque, const clazar_event_info *event) {
    struct context *context = opaque;
    CHECK(value_of(context->destroyed) == 0);
    all_signals_are_blocked();
    is_named();
    the_facts_are_right(event);
    tells_nothing(event->message, NULL);
    if (context->asked != NULL)
        call_the_library(context, event);
    if (context->freed != NULL) {
        wait_for(&may_free, 1);
        clazar_provider_free(context->freed);
        CHECK(value_of(context->destroyed) == 0);
    }

    CHECK(pthread_mutex_lock(&lock) == 0);
    CHECK(strlen(event->message) < sizeof last_message);
    strcpy(last_message, event->message);
    CHECK(pthread_mutex_unlock(&lock) == 0);
    if (context->told != NULL)
        add_one(context->told);
    if (event->cause == CLAZAR_CAUSE_INVALIDATED)
        add_one(&replaced);
    add_one(event->kind == CLAZAR_EVENT_REFRESHED        ? &refreshed
            : event->kind == CLAZAR_EVENT_REFRESH_FAILED ? &failed
                                                         : &others);
}

static void on_destroy(void *opaque) {
    struct context *context = opaque;
    add_one(context->destroyed);
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

static void providers_are_told_apart_by_their_contexts(void) {
    static int destroyed[2], told[2];
    clazar_config *config = config_from_env();
    listen(config, &destroyed[0])->told = &told[0];
    clazar_provider *first = made_from(config);
    listen(config, &destroyed[1])->told = &told[1];
    clazar_provider *second = made_from(config);
    clazar_token_free(token_of(second));
    wait_for(&told[1], 1);
    CHECK(value_of(&told[0]) == 0);
    clazar_token_free(token_of(first));
    wait_for(&told[0], 1);
    CHECK(value_of(&told[1]) == 1);
    clazar_config_free(config);
    clazar_provider_free(first);
    clazar_provider_free(second);
    wait_for(&destroyed[0], 1);
    wait_for(&destroyed[1], 1);
}

static void the_last_handle_may_be_freed_in_an_event(void) {
    static int destroyed;
    const int before = value_of(&refreshed);
    clazar_config *config = config_from_env();
    struct context *context = listen(config, &destroyed);
    clazar_provider *provider = context->freed = made_from(config);
    clazar_config_free(config);
    clazar_token_free(token_of(provider));
    add_one(&may_free);
    wait_for(&destroyed, 1);
    CHECK(value_of(&refreshed) == before + 1);
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

static void a_refused_token_is_named_as_the_cause(void) {
    static int destroyed;
    const int before = value_of(&refreshed);
    clazar_config *config = config_from_env();
    listen(config, &destroyed);
    clazar_provider *provider = made_from(config);
    clazar_config_free(config);
    clazar_token *token = token_of(provider);
    CHECK(clazar_provider_invalidate(provider, token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
    clazar_token_free(token_of(provider));
    wait_for(&refreshed, before + 2);
    CHECK(value_of(&replaced) == 1);
    clazar_provider_free(provider);
    wait_for(&destroyed, 1);
}

int main(void) {
    alarm(120);
    both_events_come_and_may_call_the_library();
    the_last_one_destroys_once();
    another_callback_takes_its_place();
    providers_are_told_apart_by_their_contexts();
    the_last_handle_may_be_freed_in_an_event();
    no_callback_is_allowed();
    a_refused_token_is_named_as_the_cause();
    return 0;
}
