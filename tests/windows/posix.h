// clang-format Language: C
/* What the C tests use of POSIX for convenience, in Windows' words. */
#ifndef POSIX_H
#define POSIX_H

/* The test runner ends a program that hangs. */
#define alarm(seconds) ((void)(seconds))

#endif
