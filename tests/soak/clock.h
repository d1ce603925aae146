// clang-format Language: C
/* What the clocks are moved by: a file that the runner writes and all workers map. */
#ifndef CLOCK_H
#define CLOCK_H

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct moved {
    int64_t wall;   /* seconds by which the wall clock is ahead */
    int64_t uptime; /* seconds for which the machine was suspended */
    int64_t times;  /* how often any of them was changed */
};

static inline const struct moved *moved_clocks(void) {
    const int file = open(getenv("SOAK_CLOCK"), O_RDONLY | O_CLOEXEC);
    void *address =
        file == -1 ? MAP_FAILED : mmap(NULL, sizeof(struct moved), PROT_READ, MAP_SHARED, file, 0);
    if (address == MAP_FAILED)
        abort();
    close(file);
    return address;
}

#endif
