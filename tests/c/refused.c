/* Each system call of a token request is refused, in one run after the other, with each of a few errors.
 * Each time there is an error or a token, all goes well afterwards, and nothing is left behind.
 *
 * TEST_CASE says what is done: "first" is the first request of a process, "renewal" one of many. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>

#include "failing.h"
#include "notified.h"

/* After so many seconds SIGALRM ends all runs. */
enum { WHOLE_LIMIT = 1800 };
/* Which call is refused, and with what; none as long as it is 0. */
static long target, calls;
static int refusal;
/* Of the first thread, which is the test itself, nothing is refused meanwhile. */
static int exempt;
static pid_t first_thread;

static long value_of(const long *number) { return __atomic_load_n(number, __ATOMIC_SEQ_CST); }

/* Whether a call can fail so. */
static int can_give(long call, int error) {
    switch (error) {
    case EMFILE:
        return call == SYS_openat || call == SYS_socket;
    case ENOMEM:
        return call != SYS_getrandom && call != SYS_fcntl && call != SYS_lseek;
    default:
        return 1;
    }
}

static int is_refused(const struct seccomp_notif *call) {
    if (value_of(&target) == 0 || !can_give(call->data.nr, refusal))
        return 0;
    if ((pid_t)call->pid == first_thread && __atomic_load_n(&exempt, __ATOMIC_SEQ_CST))
        return 0;
    return __atomic_add_fetch(&calls, 1, __ATOMIC_SEQ_CST) == value_of(&target);
}

static void *decide(void *listener) {
    for (;;) {
        struct seccomp_notif call;
        memset(&call, 0, sizeof call);
        if (ioctl(*(int *)listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0)
            continue;
        struct seccomp_notif_resp answer;
        memset(&answer, 0, sizeof answer);
        answer.id = call.id;
        if (is_refused(&call))
            answer.error = -refusal;
        else
            answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        ioctl(*(int *)listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
    return NULL;
}

#define ALLOW(number) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* From now on what this thread calls, and those that it starts, is decided above. Not asked about is what
 * the kernel does not refuse, and what glibc itself ends the process for. */
static int ask_about_calls(void) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_exit),
        ALLOW(SYS_exit_group),
        ALLOW(SYS_close),
        ALLOW(SYS_rt_sigreturn),
        ALLOW(SYS_getpid),
        ALLOW(SYS_gettid),
        ALLOW(SYS_futex),
        ALLOW(SYS_rseq),
        ALLOW(SYS_set_robust_list),
        ALLOW(SYS_ioctl),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
    };
    return install(filter, sizeof filter / sizeof *filter);
}

static int listener = -1;

static void *decide_once_there_is_something(void *unused) {
    while (__atomic_load_n(&listener, __ATOMIC_SEQ_CST) < 0)
        breathe();
    return decide(unused);
}

static void start(void) {
    pthread_t thread;
    first_thread = (pid_t)syscall(SYS_gettid);
    exempt = 1;
    CHECK(pthread_create(&thread, NULL, decide_once_there_is_something, &listener) == 0);
    __atomic_store_n(&listener, ask_about_calls(), __ATOMIC_SEQ_CST);
}

static void refuse(long call, int error) {
    calls = 0;
    refusal = error;
    __atomic_store_n(&target, call, __ATOMIC_SEQ_CST);
    __atomic_store_n(&exempt, 0, __ATOMIC_SEQ_CST);
}

/* Whether a call was refused. */
static int stop_refusing(void) {
    const int is_reached = value_of(&calls) >= value_of(&target);
    __atomic_store_n(&target, 0, __ATOMIC_SEQ_CST);
    return is_reached;
}

/* Threads of the library end with their work, and nobody is told. The other is the one that decides. */
static void wait_for_threads(void) {
    __atomic_store_n(&exempt, 1, __ATOMIC_SEQ_CST);
    while (threads() > 2)
        breathe();
}

static int judged(clazar_status status, clazar_error *error) {
    CHECK((status == CLAZAR_OK) == (error == NULL));
    if (error != NULL && getenv("TEST_VERBOSE") != NULL)
        printf("%ld, %s: %s\n", value_of(&calls), strerror(refusal), clazar_error_message(error));
    clazar_error_free(error);
    return status == CLAZAR_OK ? SUCCEEDED : FAILED;
}

static int make_provider(clazar_provider **provider) {
    clazar_config *config = NULL;
    clazar_error *error = NULL;
    clazar_status status = clazar_config_new_from_env(&config, &error);
    if (status == CLAZAR_OK)
        status = clazar_provider_new(config, provider, &error);
    clazar_config_free(config);
    return judged(status, error);
}

static void check_first_request(long call, int error) {
    clazar_provider *provider = NULL;
    start();
    refuse(call, error);
    int outcome = make_provider(&provider);
    if (outcome == SUCCEEDED)
        outcome = refresh(provider);
    wait_for_threads();
    const int is_reached = stop_refusing();
    CHECK(provider != NULL || make_provider(&provider) == SUCCEEDED);
    CHECK(refresh(provider) == SUCCEEDED);
    clazar_provider_free(provider);
    _exit(is_reached ? outcome : NOT_REACHED);
}

static int first_request(long call, int error) {
    const pid_t child = start_run();
    if (child == 0)
        check_first_request(call, error);
    const int outcome = end_of(child);
    if (outcome < SUCCEEDED)
        fprintf(stderr, "at %ld, %s: ended with %d\n", call, strerror(error), outcome);
    return outcome;
}

/* With a token in use, which stays in use. */
static int renewal(long call, int error) {
    static clazar_provider *provider;
    static int descriptors;
    if (provider == NULL) {
        start();
        CHECK(make_provider(&provider) == SUCCEEDED && refresh(provider) == SUCCEEDED);
        wait_for_threads();
        descriptors = count_of("/proc/self/fd");
    }
    refuse(call, error);
    const int outcome = refresh(provider);
    wait_for_threads();
    const int is_reached = stop_refusing();
    clazar_token_free(token_of(provider));
    CHECK(refresh(provider) == SUCCEEDED);
    wait_for_threads();
    CHECK(count_of("/proc/self/fd") == descriptors);
    return is_reached ? outcome : NOT_REACHED;
}

int main(void) {
    const int errors[] = {EPERM, ENOSYS, EMFILE, ENOMEM};
    const int is_first = strcmp(getenv("TEST_CASE"), "first") == 0;
    long outcomes[NOT_REACHED + 1] = {0};
    alarm(WHOLE_LIMIT);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        int not_reached = 0;
        for (long call = 1; not_reached < LAST_RUNS; call++) {
            const int outcome = (is_first ? first_request : renewal)(call, errors[i]);
            CHECK(outcome >= SUCCEEDED && outcome <= NOT_REACHED);
            outcomes[outcome]++;
            not_reached = outcome == NOT_REACHED ? not_reached + 1 : 0;
        }
    }
    printf("%s: of %ld system calls that were refused, %ld led to an error\n", getenv("TEST_CASE"),
           outcomes[SUCCEEDED] + outcomes[FAILED], outcomes[FAILED]);
    CHECK(outcomes[SUCCEEDED] > 20 && outcomes[FAILED] > 20);
    return 0;
}
