/* Stands between a driver and the system, as the test says in TEST_MEMORY, a file that both have in memory. The clocks
 * by which the library counts ages stand still until they are set ahead; waits are measured by the system's own monotonic
 * clock. Connections to one port are counted, those too that nobody takes. The disk may be full. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* driver.rs has the same order. */
struct memory {
    int64_t now;
    int64_t ahead;
    int64_t port;
    int64_t connections;
    int64_t disk_is_full;
};

static volatile struct memory *memory;

__attribute__((constructor)) static void start(void) {
    const int file = open(getenv("TEST_MEMORY"), O_RDWR | O_CLOEXEC);
    void *shared = mmap(NULL, sizeof *memory, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (file < 0 || shared == MAP_FAILED)
        abort();
    close(file);
    memory = shared;
}

int clock_gettime(clockid_t clock, struct timespec *time) {
    const int is_wall = clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE;
    if (memory == NULL || (!is_wall && clock != CLOCK_MONOTONIC_COARSE))
        return (int)syscall(SYS_clock_gettime, clock, time);
    time->tv_sec = (time_t)(memory->now + memory->ahead);
    time->tv_nsec = 0;
    return 0;
}

int connect(int file, const struct sockaddr *address, socklen_t length) {
    const struct sockaddr_in *internet = (const void *)address;
    if (memory != NULL && address->sa_family == AF_INET &&
        ntohs(internet->sin_port) == memory->port)
        __atomic_fetch_add(&memory->connections, 1, __ATOMIC_SEQ_CST);
    return (int)syscall(SYS_connect, file, address, length);
}

ssize_t write(int file, const void *bytes, size_t length) {
    struct stat data;
    if (memory != NULL && memory->disk_is_full && fstat(file, &data) == 0 &&
        S_ISREG(data.st_mode)) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, file, bytes, length);
}
