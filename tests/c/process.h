// clang-format Language: C
/* What /proc tells of this process. */
#ifndef PROCESS_H
#define PROCESS_H

#include <dirent.h>

#include "check.h"

/* How many there are in a folder of /proc/self. */
static inline int count_of(const char *path) {
    DIR *folder = opendir(path);
    CHECK(folder != NULL);
    int count = -2; /* "." and ".." */
    while (readdir(folder) != NULL)
        count++;
    CHECK(closedir(folder) == 0);
    return count;
}

static inline int threads(void) { return count_of("/proc/self/task"); }

#endif
