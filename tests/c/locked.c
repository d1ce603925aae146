/* While a provider is in use, all parts of the secret and of the token in the memory of the process are in
 * pages that are locked and left out of core files. TEST_CASE: "unlocked", where no page may be locked and
 * all goes on; "core", where the process ends with a core file. */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "search.h"

#define TRIES 100
#define UNLOCKABLE 10

/* Pieces in pages that are locked and left out, in those that are only left out, and in others. */
static int in_locked, in_unlocked, elsewhere;

static void add(const char *flags, int found) {
    if (strstr(flags, " dd") == NULL)
        elsewhere += found;
    else if (strstr(flags, " lo") == NULL)
        in_unlocked += found;
    else
        in_locked += found;
}

static void look(void) {
    static char line[512];
    const int maps = open("/proc/self/smaps", O_RDONLY), memory = open("/proc/self/mem", O_RDONLY);
    CHECK(maps >= 0 && memory >= 0);
    uintptr_t start = 0, end = 0;
    in_locked = in_unlocked = elsewhere = 0;
    while (next_line(maps, line, sizeof line)) {
        if (strncmp(line, "VmFlags:", 8) == 0) {
            add(line, in_mapping(&secret, memory, start, end));
            add(line, in_mapping(&token, memory, start, end));
        } else if ((line[0] >= '0' && line[0] <= '9') || (line[0] >= 'a' && line[0] <= 'f')) {
            const char *at = line;
            start = hexadecimal(&at);
            end = hexadecimal(&at);
            if (*at != 'r' || strstr(line, "[vvar") != NULL || strstr(line, "[vsyscall") != NULL)
                end = start;
        }
    }
    close(memory);
    close(maps);
}

/* As a user who may lock no memory. */
static void allow_no_locks(void) {
    const struct rlimit none = {0, 0};
    CHECK(setrlimit(RLIMIT_MEMLOCK, &none) == 0);
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    CHECK(syscall(SYS_capget, &header, data) == 0);
    data[0].effective &= ~(1U << CAP_IPC_LOCK);
    CHECK(syscall(SYS_capset, &header, data) == 0);
}

static int can_lock(void) {
    static char page[1];
    return mlock(page, sizeof page) == 0 && munlock(page, sizeof page) == 0;
}

static void dump_core(void) {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_CORE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    CHECK(setrlimit(RLIMIT_CORE, &limit) == 0);
    abort();
}

int main(void) {
    const char *name = getenv("TEST_CASE");
    char header[CLAZAR_AUTHORIZATION_MAX];
    size_t length = 0;
    if (strcmp(name, "unlocked") == 0)
        allow_no_locks();
    const int locks = can_lock();
    CHECK(!locks || strcmp(name, "unlocked") != 0);

    remember_secret(getenv("CLAZAR_CLIENT_SECRET_FILE"));
    clazar_provider *provider = provider_from_env();
    CHECK(clazar_provider_authorization(provider, header, sizeof header, &length, NULL) ==
          CLAZAR_OK);
    remember(&token, header + strlen("Bearer "), length - strlen("Bearer "));
    clazar_memzero(header, sizeof header);

    /* The thread of the request wakes its waiters before it ends. */
    look();
    for (int tries = 0; tries < TRIES && elsewhere > 0; tries++) {
        breathe();
        look();
    }
    printf("%d pieces in locked pages, %d in others, %d elsewhere\n", in_locked, in_unlocked,
           elsewhere);
    CHECK(elsewhere == 0);
    CHECK((locks ? in_locked : in_unlocked) > 0 && (locks ? in_unlocked : in_locked) == 0);
    if (strcmp(name, "core") == 0)
        dump_core();
    clazar_provider_free(provider);
    look();
    CHECK(in_locked + in_unlocked == 0);
    return locks ? 0 : UNLOCKABLE;
}
