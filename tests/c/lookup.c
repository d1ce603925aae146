/* A resolver that hangs leaves one thread behind, or two in the end, and the next lookup works once it is
 * well again. A failure that may pass is tried again within a request. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "process.h"

#define REFRESHES 10
#define THREADS 8

/* Of the lookups, which are counted from 1 on, these hang. */
static int first_held = INT_MAX, last_held = INT_MAX;
static int lookups;
/* The next so many fail at once, with this. */
static int failing, failure;
/* By so many seconds the monotonic clock is ahead. */
static int ahead;

/* In the place of the system's, for the library as well. The host is this machine. */
int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) = NULL;
    void *symbol = dlsym(RTLD_NEXT, "getaddrinfo");
    const int number = __atomic_add_fetch(&lookups, 1, __ATOMIC_SEQ_CST);
    CHECK(strcmp(host, "lookup.test") == 0);
    char name[16] = "";
    CHECK(prctl(PR_GET_NAME, name, 0, 0, 0) == 0 && strcmp(name, "clazar-lookup") == 0);
    while (number >= __atomic_load_n(&first_held, __ATOMIC_SEQ_CST) &&
           number <= __atomic_load_n(&last_held, __ATOMIC_SEQ_CST))
        breathe();
    if (__atomic_fetch_sub(&failing, 1, __ATOMIC_SEQ_CST) > 0)
        return failure;
    memcpy(&real, &symbol, sizeof symbol);
    return real("127.0.0.1", service, hints, found);
}

static int lookups_now(void) { return __atomic_load_n(&lookups, __ATOMIC_SEQ_CST); }

int clock_gettime(clockid_t clock, struct timespec *time) {
    const int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (clock == CLOCK_MONOTONIC)
        time->tv_sec += __atomic_load_n(&ahead, __ATOMIC_SEQ_CST);
    return result;
}

static void hold(int first, int last) {
    __atomic_store_n(&last_held, last, __ATOMIC_SEQ_CST);
    __atomic_store_n(&first_held, first, __ATOMIC_SEQ_CST);
}

/* Those of a token request end a moment after it. */
static void check_threads(int expected) {
    for (int i = 0; i < 10000 && threads() != expected; i++)
        breathe();
    CHECK(threads() == expected);
}

static clazar_config *config(uint64_t timeout_ms) {
    clazar_config *config = config_from_env();
    CHECK(clazar_config_set_ca_file(config, getenv("TEST_CA_FILE")) == CLAZAR_OK);
    CHECK(clazar_config_set_proxy(config, "") == CLAZAR_OK);
    CHECK(clazar_config_set_timeout_ms(config, timeout_ms) == CLAZAR_OK);
    return config;
}

static clazar_provider *provider_of(clazar_config *config) {
    clazar_provider *provider = NULL;
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free(config);
    return provider;
}

static void check_refresh(const clazar_provider *provider) {
    clazar_token *token = NULL;
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
}

static void check_timeout(clazar_status status, clazar_error *error) {
    CHECK(status == CLAZAR_ERR_TIMEOUT);
    CHECK(strstr(clazar_error_message(error), "the name lookup for https://lookup.test") != NULL);
    clazar_error_free(error);
}

static void check_refused(const clazar_provider *provider) {
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    const clazar_status status = clazar_provider_refresh(provider, &token, &error);
    check_timeout(status, error);
}

static void fail(int times, int with) {
    failure = with;
    __atomic_store_n(&failing, times, __ATOMIC_SEQ_CST);
}

/* Within one request a resolver that is not well is asked again, but not whether there is such a host. */
static void check_attempts(void) {
    clazar_provider *provider = provider_of(config(60000));
    clazar_token *token = NULL;
    const int before = lookups_now();
    fail(2, EAI_AGAIN);
    check_refresh(provider);
    CHECK(lookups_now() == before + 3);
    fail(1, EAI_NONAME);
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_ERR_TRANSPORT);
    CHECK(lookups_now() == before + 4);
    clazar_provider_free(provider);
}

static void *authenticate(void *arg) {
    clazar_config *hasty = config(200);
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    const clazar_status status = clazar_authenticate(hasty, &token, &error);
    check_timeout(status, error);
    clazar_config_free(hasty);
    return arg;
}

/* Its parent's lookup hangs for ever; its own does not. */
static void in_child(pid_t child, const clazar_provider *provider) {
    int status = 0;
    CHECK(child >= 0);
    if (child == 0) {
        clazar_config *patient = config(60000);
        clazar_token *token = NULL;
        hold(INT_MAX, INT_MAX);
        CHECK(clazar_authenticate(patient, &token, NULL) == CLAZAR_OK);
        clazar_token_free(token);
        clazar_config_free(patient);
        if (provider != NULL)
            check_refresh(provider);
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

/* localhost is this machine, and the resolver is not asked. */
static void check_localhost(void) {
    clazar_config *plain = config(60000);
    CHECK(clazar_config_set_auth_url(plain, getenv("TEST_PLAIN_URL")) == CLAZAR_OK);
    CHECK(clazar_config_set_store(plain, "redis://localhost:1") == CLAZAR_OK);
    clazar_provider *provider = provider_of(plain);
    check_refresh(provider);
    clazar_provider_free(provider);
    CHECK(lookups_now() == 0);
}

int main(void) {
    pthread_t ids[THREADS];
    clazar_provider *hasty = provider_of(config(200)), *patient = provider_of(config(60000));

    check_localhost();
    check_attempts();
    lookups = 0;
    hold(1, INT_MAX);
    for (int i = 0; i < REFRESHES; i++)
        check_refused(hasty);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_create(&ids[i], NULL, authenticate, NULL) == 0);
    for (int i = 0; i < THREADS; i++)
        CHECK(pthread_join(ids[i], NULL) == 0);
    CHECK(lookups_now() == 1);
    check_threads(2);
    in_child(fork(), patient);
#if __GLIBC_PREREQ(2, 34)
    in_child(_Fork(), NULL);
#endif

    /* The resolver is well again. */
    hold(INT_MAX, INT_MAX);
    check_threads(1);
    check_refresh(patient);
    CHECK(lookups_now() == 2);

    /* One lookup hangs for ever; after ten seconds it is no longer waited for. */
    hold(3, 3);
    check_refused(hasty);
    check_refused(hasty);
    CHECK(lookups_now() == 3);
    __atomic_store_n(&ahead, 11, __ATOMIC_SEQ_CST);
    check_refresh(patient);
    CHECK(lookups_now() == 4);
    check_refresh(patient);
    CHECK(lookups_now() == 5);
    check_threads(2);

    /* A second one may hang, and no third, however long that takes. */
    hold(3, INT_MAX);
    CHECK(pthread_create(&ids[0], NULL, authenticate, NULL) == 0);
    while (lookups_now() < 6)
        breathe();
    __atomic_store_n(&ahead, 22, __ATOMIC_SEQ_CST);
    /* The kernel, which wakes who has waited too long, is not ahead, so that this takes 22 seconds. */
    check_refused(hasty);
    CHECK(lookups_now() == 6);
    hold(INT_MAX, INT_MAX);
    CHECK(pthread_join(ids[0], NULL) == 0);
    check_threads(1);
    check_refresh(patient);
    CHECK(lookups_now() == 7);
    clazar_provider_free(hasty);
    clazar_provider_free(patient);
    return 0;
}
