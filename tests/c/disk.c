/* A store on a disk that hangs: TEST_CASE names the system call that does not return. The token comes from
 * the API, the one thread that hangs is all that is left behind, and nobody's fork() waits for it. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "notified.h"

enum { TIMEOUT_MS = 300, FORKS = 20, REFRESHES = 3 };

static int troubles;

static void on_event(void *context, const clazar_event_info *event) {
    CHECK(context == NULL);
    if (event->kind != CLAZAR_EVENT_STORE_ERROR)
        return;
    CHECK(event->error_code == CLAZAR_ERR_STORE);
    CHECK(strstr(event->message, "did not answer") != NULL);
    __atomic_fetch_add(&troubles, 1, __ATOMIC_SEQ_CST);
}

/* From now on the system call waits until somebody lets it go on, through what is returned. Unlike a
 * function in the place of the C library's, this meets those who call the kernel themselves. */
static int hold_up(unsigned number, unsigned flags) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, flags),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, flags, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    return install(filter, sizeof filter / sizeof *filter);
}

/* Lets all such calls go on, those that wait and those to come. */
static void *let_go_on(void *listener) {
    for (;;) {
        struct seccomp_notif call;
        memset(&call, 0, sizeof call);
        CHECK(ioctl(*(int *)listener, SECCOMP_IOCTL_NOTIF_RECV, &call) == 0);
        struct seccomp_notif_resp answer;
        memset(&answer, 0, sizeof answer);
        answer.id = call.id;
        answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        CHECK(ioctl(*(int *)listener, SECCOMP_IOCTL_NOTIF_SEND, &answer) == 0);
    }
    return NULL;
}

static void wait_for_threads(int wanted) {
    int threads = 0;
    while (threads != wanted) {
        breathe();
        char line[64];
        FILE *status = fopen("/proc/self/status", "r");
        CHECK(status != NULL);
        while (fgets(line, sizeof line, status) != NULL)
            sscanf(line, "Threads: %d", &threads);
        fclose(status);
    }
}

static void fork_a_child(void) {
    const pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit(0);
    CHECK(waitpid(child, NULL, 0) == child);
}

static void refresh(clazar_provider *provider) {
    clazar_token *token = NULL;
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
}

int main(void) {
    alarm(120);
    const char *name = getenv("TEST_CASE");
    clazar_config *config = config_from_env();
    CHECK(clazar_config_set_timeout_ms(config, TIMEOUT_MS) == CLAZAR_OK);
    CHECK(clazar_config_set_event_callback(config, on_event, NULL, NULL) == CLAZAR_OK);
    clazar_provider *provider = NULL;
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free(config);

    clazar_token *token = NULL;
    clazar_error *error = NULL;
    int listener = -1;
    if (strcmp(name, "open") == 0)
        listener = hold_up(SYS_openat, O_CREAT);
    else if (strcmp(name, "look") == 0) {
        CHECK(clazar_provider_token(provider, &token, NULL) == CLAZAR_ERR_REJECTED);
        listener = hold_up(SYS_openat, O_NOFOLLOW);
    } else
        listener = hold_up(strcmp(name, "flock") == 0 ? SYS_flock : SYS_fsync, 0);
    if (strcmp(name, "look") == 0) {
        /* During a back-off a look is taken, which nobody waits for. */
        while (__atomic_load_n(&troubles, __ATOMIC_SEQ_CST) == 0) {
            CHECK(clazar_provider_token(provider, &token, NULL) == CLAZAR_ERR_REJECTED);
            breathe();
        }
        refresh(provider);
    } else if (strcmp(name, "fsync") == 0) {
        /* It came before the store was to take it. */
        clazar_token_free(token_of(provider));
    } else {
        CHECK(clazar_provider_token(provider, &token, &error) == CLAZAR_ERR_TIMEOUT);
        CHECK(strstr(clazar_error_message(error), "store") != NULL);
        clazar_error_free(error);
    }

    /* The thread of the request hangs. With a disk that is read while forks are held off, each would
     * take a second. */
    const int64_t start = milliseconds_now();
    for (int i = 0; i < FORKS; i++)
        fork_a_child();
    CHECK(milliseconds_now() - start < FORKS * 500);

    while (clazar_provider_token(provider, &token, NULL) != CLAZAR_OK)
        breathe();
    clazar_token_free(token);
    for (int i = 0; i < REFRESHES; i++)
        refresh(provider);
    wait_for_threads(2);
    CHECK(__atomic_load_n(&troubles, __ATOMIC_SEQ_CST) == 1);

    /* It is back, and used again. */
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, let_go_on, &listener) == 0);
    wait_for_threads(2);
    const uint64_t misses = stats_of(provider).store_misses;
    refresh(provider);
    CHECK(stats_of(provider).store_misses == misses + 1);
    CHECK(__atomic_load_n(&troubles, __ATOMIC_SEQ_CST) == 1);
    clazar_provider_free(provider);
    return 0;
}
