/* What the program's own code may do in an event callback: everything, in each event, for as long as it
 * likes. The server refuses the secret "wrong" with a 401, gives a client called "stale..." one token of
 * three seconds and then a 400, and all others a token of a day. */
#include <pthread.h>
#include <unistd.h>
#ifndef _WIN32
#include <sched.h>
#include <sys/wait.h>
#endif

#include "check.h"

#define SECRET "not-a-real-secret-0123456789abcdef"
#define WRONG_SECRET "not-a-real-wrong-secret-0123456789abcdef"

/* One provider, the event that it waits for, and what the callback does then. */
struct cell {
    clazar_event event;
    void (*act)(struct cell *);
    clazar_config *config;
    clazar_provider *provider;
    char client_id[64];
    /* Of the event's and of what was done: numbers, which `lock` guards. */
    int acting, done, may_end, told;
    /* What a call for a token gives in this event, and what a refresh does. */
    clazar_status expected, refreshed;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;

static void set(int *flag) {
    CHECK(pthread_mutex_lock(&lock) == 0);
    *flag = 1;
    CHECK(pthread_cond_broadcast(&changed) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
}

/* A hang ends by alarm(). */
static void wait_for(const int *flag) {
    CHECK(pthread_mutex_lock(&lock) == 0);
    while (!*flag)
        CHECK(pthread_cond_wait(&changed, &lock) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
}

static int is_set(const int *flag) {
    CHECK(pthread_mutex_lock(&lock) == 0);
    const int value = *flag;
    CHECK(pthread_mutex_unlock(&lock) == 0);
    return value;
}

/* A token of three seconds may have expired by now. */
static int may_be(const struct cell *cell, clazar_status status) {
    return status == cell->expected ||
           (cell->event == CLAZAR_EVENT_STALE_SERVED && status == cell->refreshed);
}

/* ---- What a callback does ---- */

static void token(struct cell *cell) {
    clazar_token *token = NULL;
    CHECK(may_be(cell, clazar_provider_token(cell->provider, &token, NULL)));
    clazar_token_free(token);
}

static void authorization(struct cell *cell) {
    char header[CLAZAR_AUTHORIZATION_MAX];
    CHECK(may_be(cell,
                 clazar_provider_authorization(cell->provider, header, sizeof header, NULL, NULL)));
}

static void refresh(struct cell *cell) {
    clazar_token *token = NULL;
    CHECK(clazar_provider_refresh(cell->provider, &token, NULL) == cell->refreshed);
    clazar_token_free(token);
}

static void token_timeout(struct cell *cell) {
    clazar_token *token = NULL;
    const clazar_status status = clazar_provider_token_timeout(cell->provider, 0, &token, NULL);
    CHECK(may_be(cell, status) || status == CLAZAR_ERR_TIMEOUT);
    clazar_token_free(token);
}

static void authorization_timeout(struct cell *cell) {
    char header[CLAZAR_AUTHORIZATION_MAX];
    CHECK(may_be(cell, clazar_provider_authorization_timeout(cell->provider, 60000, header,
                                                             sizeof header, NULL, NULL)));
}

static void refresh_timeout(struct cell *cell) {
    clazar_token *token = NULL;
    CHECK(clazar_provider_refresh_timeout(cell->provider, 60000, &token, NULL) == cell->refreshed);
    clazar_token_free(token);
}

static void on_token(void *opaque, clazar_token *token, clazar_error *error) {
    struct cell *cell = opaque;
    CHECK(may_be(cell, clazar_error_code(error)));
    clazar_token_free(token);
    clazar_error_free(error);
    set(&cell->told);
}

/* Waits for the other callback in this one. */
static void token_async(struct cell *cell) {
    clazar_token *token = NULL;
    const clazar_status status =
        clazar_provider_token_async(cell->provider, on_token, cell, &token, NULL);
    if (status == CLAZAR_OK && token == NULL)
        wait_for(&cell->told);
    else
        CHECK(may_be(cell, status));
    clazar_token_free(token);
}

static void check_url(struct cell *cell) {
    CHECK(clazar_provider_check_url(cell->provider, "https://api.clazar.io/", NULL) == CLAZAR_OK);
}

static void seal(struct cell *cell) {
    uint8_t blob[CLAZAR_SEALED_MAX];
    CHECK(may_be(cell, clazar_provider_seal(cell->provider, blob, sizeof blob, NULL, NULL)));
}

static void unseal(struct cell *cell) {
    CHECK(clazar_provider_unseal(cell->provider, (const uint8_t *)"none", 4, NULL) ==
          CLAZAR_ERR_INVALID_ARGUMENT);
}

static void peek(struct cell *cell) {
    clazar_token *token = NULL;
    CHECK(clazar_provider_peek(cell->provider, &token, NULL) == CLAZAR_OK);
    CHECK(may_be(cell, token != NULL ? CLAZAR_OK : cell->refreshed));
    clazar_token_free(token);
}

static void invalidate(struct cell *cell) {
    clazar_token *token = NULL;
    CHECK(clazar_provider_peek(cell->provider, &token, NULL) == CLAZAR_OK);
    if (token != NULL)
        CHECK(clazar_provider_invalidate(cell->provider, token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
}

static void stats(struct cell *cell) { CHECK(stats_of(cell->provider).waited > 0); }

static void clone_and_free(struct cell *cell) {
    clazar_provider_free(clazar_provider_clone(cell->provider));
}

static void another_provider(struct cell *cell) {
    clazar_provider *provider = NULL;
    CHECK(clazar_provider_new(cell->config, &provider, NULL) == CLAZAR_OK);
    clazar_provider_free(provider);
}

static void authenticate(struct cell *cell) {
    clazar_token *token = NULL;
    const clazar_status status = clazar_authenticate(cell->config, &token, NULL);
    CHECK(status == CLAZAR_OK || status == cell->refreshed);
    clazar_token_free(token);
}

static void close_it(struct cell *cell) {
    clazar_provider_close(cell->provider);
    clazar_token *token = NULL;
    CHECK(clazar_provider_token(cell->provider, &token, NULL) == CLAZAR_ERR_CLOSED);
}

static void *ask_until_closed(void *opaque) {
    struct cell *cell = opaque;
    clazar_token *token = NULL;
    while (clazar_provider_refresh(cell->provider, &token, NULL) != CLAZAR_ERR_CLOSED)
        clazar_token_free(token);
    return NULL;
}

static void close_and_join(struct cell *cell) {
    pthread_t worker;
    CHECK(pthread_create(&worker, NULL, ask_until_closed, cell) == 0);
    breathe();
    clazar_provider_close(cell->provider);
    CHECK(pthread_join(worker, NULL) == 0);
}

static void (*const acts[])(struct cell *) = {
    token,        token_timeout,   token_async,    authorization,  authorization_timeout,
    refresh,      refresh_timeout, seal,           unseal,         peek,
    invalidate,   check_url,       stats,          clone_and_free, another_provider,
    authenticate, close_it,        close_and_join,
};

/* ---- Each event, and each of these ---- */

/* What an event tells, the first time. */
static void tells(const clazar_event_info *event, clazar_cause cause, clazar_status error_code,
                  int32_t http_status) {
    CHECK(event->level ==
          (event->kind == CLAZAR_EVENT_REFRESHED ? CLAZAR_LEVEL_INFO : CLAZAR_LEVEL_WARN));
    CHECK(event->cause == cause);
    CHECK(event->error_code == error_code && event->http_status == http_status);
    CHECK((event->retry_after_ms >= 0) == (http_status != 0));
    /* On a slow machine a token of three seconds may have expired by now. */
    const int64_t least = event->kind == CLAZAR_EVENT_STALE_SERVED ? 0 : 1;
    CHECK((event->expires_in_ms >= least) == (event->kind != CLAZAR_EVENT_REFRESH_FAILED));
}

static void check(const clazar_event_info *event) {
    switch (event->kind) {
    case CLAZAR_EVENT_REFRESH_FAILED:
        tells(event, CLAZAR_CAUSE_EMPTY, CLAZAR_ERR_CREDENTIALS, 401);
        break;
    case CLAZAR_EVENT_STALE_SERVED:
        /* On a slow machine its renewal may be late before it fails. */
        if (event->error_code == CLAZAR_OK)
            tells(event, CLAZAR_CAUSE_PROACTIVE, CLAZAR_OK, 0);
        else
            tells(event, CLAZAR_CAUSE_PROACTIVE, CLAZAR_ERR_REJECTED, 400);
        break;
    case CLAZAR_EVENT_STORE_ERROR:
        tells(event, CLAZAR_CAUSE_EMPTY, CLAZAR_ERR_STORE, 0);
        break;
    default:
        tells(event, CLAZAR_CAUSE_EMPTY, CLAZAR_OK, 0);
    }
}

static void on_event(void *opaque, const clazar_event_info *event) {
    struct cell *cell = opaque;
    CHECK(event->size == sizeof *event && event->message[0] != '\0');
    CHECK(strcmp(event->client_id, cell->client_id) == 0);
    if (event->kind != cell->event || is_set(&cell->acting))
        return;
    check(event);
    set(&cell->acting);
    cell->act(cell);
    set(&cell->done);
}

static void prepare(struct cell *cell, int number) {
    clazar_config *config = cell->config = config_from_env();
    snprintf(cell->client_id, sizeof cell->client_id, "%s-%d",
             cell->event == CLAZAR_EVENT_STALE_SERVED ? "stale" : "client", number);
    CHECK(clazar_config_set_client_id(config, cell->client_id) == CLAZAR_OK);
    const int is_refused =
        cell->event == CLAZAR_EVENT_REFRESH_FAILED || cell->event == CLAZAR_EVENT_FALLBACK_USED;
    CHECK(clazar_config_set_client_secret(config, is_refused ? WRONG_SECRET : SECRET) == CLAZAR_OK);
    if (cell->event == CLAZAR_EVENT_FALLBACK_USED)
        CHECK(clazar_config_set_client_secret_fallback(config, SECRET) == CLAZAR_OK);
    /* A folder that others may enter. */
    if (cell->event == CLAZAR_EVENT_STORE_ERROR)
        CHECK(clazar_config_set_store(config, getenv("TEST_OPEN_FOLDER")) == CLAZAR_OK);
    cell->expected =
        cell->event == CLAZAR_EVENT_REFRESH_FAILED ? CLAZAR_ERR_CREDENTIALS : CLAZAR_OK;
    cell->refreshed =
        cell->event == CLAZAR_EVENT_STALE_SERVED ? CLAZAR_ERR_REJECTED : cell->expected;
    CHECK(clazar_config_set_event_callback(config, on_event, cell, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &cell->provider, NULL) == CLAZAR_OK);
}

/* Asks until the event has come, and the callback has returned. */
static void *live(void *opaque) {
    struct cell *cell = opaque;
    while (!is_set(&cell->done)) {
        clazar_token *token = NULL;
        const clazar_status status = clazar_provider_token(cell->provider, &token, NULL);
        CHECK(may_be(cell, status) || status == CLAZAR_ERR_CLOSED);
        clazar_token_free(token);
        breathe();
    }
    return NULL;
}

static void in_each_of_them_it_may_do_everything(clazar_event first, clazar_event last) {
    enum { EVENTS = 6, ACTS = sizeof acts / sizeof *acts };
    static struct cell cells[EVENTS * ACTS];
    static pthread_t threads[EVENTS * ACTS];
    const int end = (last - first + 1) * ACTS;
    CHECK(end <= EVENTS * ACTS);
    for (int i = 0; i < end; i++) {
        cells[i].event = first + i / ACTS;
        cells[i].act = acts[i % ACTS];
        prepare(&cells[i], i);
        CHECK(pthread_create(&threads[i], NULL, live, &cells[i]) == 0);
    }
    for (int i = 0; i < end; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < end; i++) {
        clazar_provider_free(cells[i].provider);
        clazar_config_free(cells[i].config);
    }
}

/* ---- A callback that does not return for a while ---- */

static void block(struct cell *cell) { wait_for(&cell->may_end); }

static void *get_a_token(void *opaque) {
    struct cell *cell = opaque;
    clazar_token_free(token_of(cell->provider));
    return NULL;
}

static void *wait_for_the_close(void *opaque) {
    struct cell *cell = opaque;
    clazar_token *token = NULL;
    CHECK(clazar_provider_refresh(cell->provider, &token, NULL) == CLAZAR_ERR_CLOSED);
    return NULL;
}

static void nobody_waits_for_it(void) {
    enum { WAITING = 8 };
    static struct cell cell = {.event = CLAZAR_EVENT_REFRESHED, .act = block};
    pthread_t threads[WAITING], last;
    prepare(&cell, 1000);
    for (int i = 0; i < WAITING; i++)
        CHECK(pthread_create(&threads[i], NULL, get_a_token, &cell) == 0);
    for (int i = 0; i < WAITING; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    wait_for(&cell.acting);

    /* Closed, while one token request still tells and another has no answer yet. */
    clazar_config *config = cell.config;
    const uint64_t waited = stats_of(cell.provider).waited;
    CHECK(pthread_create(&last, NULL, wait_for_the_close, &cell) == 0);
    while (stats_of(cell.provider).waited == waited)
        breathe();
    clazar_provider_close(cell.provider);
    CHECK(pthread_join(last, NULL) == 0);
    CHECK(!is_set(&cell.done));

    set(&cell.may_end);
    wait_for(&cell.done);
    clazar_provider_free(cell.provider);
    clazar_config_free(config);
}

/* A caller that comes upon the event itself is no exception. */
static void nor_does_who_comes_upon_the_event(void) {
    static struct cell cell = {.event = CLAZAR_EVENT_STALE_SERVED, .act = block};
    prepare(&cell, 1001);
    while (!is_set(&cell.acting)) {
        token(&cell);
        breathe();
    }
    CHECK(!is_set(&cell.done));
    set(&cell.may_end);
    wait_for(&cell.done);
    clazar_provider_free(cell.provider);
    clazar_config_free(cell.config);
}

#ifndef _WIN32 /* There is neither fork() nor the cancellation of threads. */

/* ---- A callback that forks, and a child that returns from it ---- */

static int children;

static void fork_and_wait(void *opaque, const clazar_event_info *event) {
    int status = -1;
    CHECK(opaque == NULL && event->kind == CLAZAR_EVENT_REFRESHED);
    const pid_t child = fork();
    CHECK(child >= 0);
    /* The child ends with its one thread, which is the library's. */
    if (child == 0)
        return;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    __atomic_fetch_add(&children, 1, __ATOMIC_SEQ_CST);
}

static int may_stop;

static void *look_at(void *provider) {
    while (!is_set(&may_stop))
        stats_of(provider);
    return NULL;
}

static void a_child_may_return_from_it(void) {
    enum { LOOKING = 3, CHILDREN = 100 };
    pthread_t threads[LOOKING];
    clazar_config *config = config_from_env();
    clazar_provider *provider = NULL;
    CHECK(clazar_config_set_client_id(config, "client-3000") == CLAZAR_OK);
    CHECK(clazar_config_set_client_secret(config, SECRET) == CLAZAR_OK);
    CHECK(clazar_config_set_event_callback(config, fork_and_wait, NULL, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    for (int i = 0; i < LOOKING; i++)
        CHECK(pthread_create(&threads[i], NULL, look_at, provider) == 0);
    for (int i = 1; i <= CHILDREN; i++) {
        clazar_token *token = NULL;
        CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_OK);
        clazar_token_free(token);
        while (__atomic_load_n(&children, __ATOMIC_SEQ_CST) < i)
            breathe();
    }
    set(&may_stop);
    for (int i = 0; i < LOOKING; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
    clazar_provider_free(provider);
    clazar_config_free(config);
}

static pid_t first_process;
static int parent_told;

/* Of the two events of one request the child sees the first. */
static void fork_at_the_first(void *opaque, const clazar_event_info *event) {
    int status = -1;
    CHECK(opaque == NULL && getpid() == first_process);
    if (event->kind == CLAZAR_EVENT_REFRESHED) {
        set(&parent_told);
        return;
    }
    CHECK(event->kind == CLAZAR_EVENT_FALLBACK_USED);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child != 0)
        CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void a_child_leaves_the_others_to_its_parent(void) {
    clazar_config *config = config_from_env();
    clazar_provider *provider = NULL;
    first_process = getpid();
    CHECK(clazar_config_set_client_id(config, "client-3001") == CLAZAR_OK);
    CHECK(clazar_config_set_client_secret(config, WRONG_SECRET) == CLAZAR_OK);
    CHECK(clazar_config_set_client_secret_fallback(config, SECRET) == CLAZAR_OK);
    CHECK(clazar_config_set_event_callback(config, fork_at_the_first, NULL, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_token_free(token_of(provider));
    wait_for(&parent_told);
    clazar_provider_free(provider);
    clazar_config_free(config);
}

static int told;

static void fork_with_the_token(void *context, clazar_token *token, clazar_error *error) {
    int status = -1;
    CHECK(context == &told && getpid() == first_process);
    clazar_token_free(token);
    clazar_error_free(error);
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        return;
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    __atomic_fetch_add(&told, 1, __ATOMIC_SEQ_CST);
}

/* Asks twice; how many of the calls did not get a token at once. */
static int ask_twice(clazar_config *config) {
    clazar_provider *provider = NULL;
    int pending = 0;
    told = 0;
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    for (int i = 0; i < 2; i++) {
        clazar_token *token = NULL;
        CHECK(clazar_provider_token_async(provider, fork_with_the_token, &told, &token, NULL) ==
              CLAZAR_OK);
        pending += token == NULL;
        clazar_token_free(token);
    }
    while (__atomic_load_n(&told, __ATOMIC_SEQ_CST) < pending)
        breathe();
    clazar_provider_free(provider);
    return pending;
}

static void a_child_calls_back_nobody_else(void) {
    clazar_config *config = config_from_env();
    first_process = getpid();
    CHECK(clazar_config_set_client_id(config, "client-3002") == CLAZAR_OK);
    CHECK(clazar_config_set_client_secret(config, SECRET) == CLAZAR_OK);
    while (ask_twice(config) < 2) {
    }
    clazar_config_free(config);
}

/* ---- A callback that a cancelled thread comes to ---- */

static void write_to_a_log(struct cell *cell) {
    int ends[2];
    CHECK(cell != NULL && pipe(ends) == 0);
    /* A cancellation point. */
    CHECK(write(ends[1], "", 1) == 1);
    close(ends[0]);
    close(ends[1]);
}

static void *ask_although_cancelled(void *opaque) {
    struct cell *cell = opaque;
    char header[CLAZAR_AUTHORIZATION_MAX];
    CHECK(pthread_cancel(pthread_self()) == 0);
    while (!is_set(&cell->done)) {
        const clazar_status status =
            clazar_provider_authorization(cell->provider, header, sizeof header, NULL, NULL);
        (void)status;
        sched_yield();
    }
    pthread_testcancel();
    return NULL;
}

static void a_cancelled_thread_comes_back_from_it(void) {
    static struct cell cell = {.event = CLAZAR_EVENT_STALE_SERVED, .act = write_to_a_log};
    pthread_t thread;
    void *result = NULL;
    prepare(&cell, 2000);
    CHECK(pthread_create(&thread, NULL, ask_although_cancelled, &cell) == 0);
    CHECK(pthread_join(thread, &result) == 0 && result == PTHREAD_CANCELED);
    clazar_provider_free(cell.provider);
    clazar_config_free(cell.config);
}

#endif

int main(void) {
    const char *which = getenv("TEST_CASE");
    alarm(300);
    if (strcmp(which, "each") == 0)
        in_each_of_them_it_may_do_everything(CLAZAR_EVENT_REFRESHED, CLAZAR_EVENT_FALLBACK_USED);
    else if (strcmp(which, "each over TLS") == 0)
        in_each_of_them_it_may_do_everything(CLAZAR_EVENT_TRUST_WARNING,
                                             CLAZAR_EVENT_TRUST_WARNING);
    else if (strcmp(which, "blocked") == 0)
        nobody_waits_for_it();
    else if (strcmp(which, "stale") == 0)
        nor_does_who_comes_upon_the_event();
#ifndef _WIN32
    else if (strcmp(which, "forked") == 0)
        a_child_may_return_from_it();
    else if (strcmp(which, "forked between") == 0)
        a_child_leaves_the_others_to_its_parent();
    else if (strcmp(which, "forked with a token") == 0)
        a_child_calls_back_nobody_else();
    else
        a_cancelled_thread_comes_back_from_it();
#endif
    return 0;
}
