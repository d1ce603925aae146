/* Preloaded into each worker: clock_gettime with clocks that the runner moves. CLOCK_MONOTONIC is left alone, since
 * waits go by it, and since it stands still while a machine is suspended. */
#define _GNU_SOURCE
#include "clock.h"

#include <sys/syscall.h>
#include <time.h>

static const struct moved *moved;

__attribute__((constructor)) static void map(void) { moved = moved_clocks(); }

int clock_gettime(clockid_t clock, struct timespec *time) {
    const int result = (int)syscall(SYS_clock_gettime, clock, time);
    if (result != 0 || moved == NULL)
        return result;
    if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
        time->tv_sec += __atomic_load_n(&moved->wall, __ATOMIC_RELAXED);
    if (clock == CLOCK_BOOTTIME)
        time->tv_sec += __atomic_load_n(&moved->uptime, __ATOMIC_RELAXED);
    return result;
}
