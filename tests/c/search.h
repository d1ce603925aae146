// clang-format Language: C
/* Looks for parts of a text in this process's own memory. What is looked for is kept with each byte changed,
 * so that the search does not find itself; and little of the stack is used, since what lies there is to be
 * found. */
#ifndef SEARCH_H
#define SEARCH_H

#include <fcntl.h>
#include <stdint.h>
#include <unistd.h>

#include "check.h"

#define MASK 0x5a
#define CHUNK (1 << 16)
#define PIECE 16

struct needle {
    unsigned char masked[CLAZAR_AUTHORIZATION_MAX];
    size_t length;
    /* Which bytes, changed, begin a piece. */
    unsigned char begins[256];
};

static struct needle secret, token;
static unsigned char window[2 * CHUNK];

static void remember(struct needle *needle, const char *text, size_t length) {
    needle->length = length;
    for (size_t i = 0; i < length; i++)
        needle->masked[i] = (unsigned char)(text[i] ^ MASK);
    for (size_t i = 0; i + PIECE <= length; i++)
        needle->begins[needle->masked[i]] = 1;
}

/* Whether a piece of the needle is at `at`. */
static int is_piece(const struct needle *needle, const unsigned char *at) {
    for (size_t start = 0; start + PIECE <= needle->length; start++) {
        size_t i = 0;
        while (i < PIECE && (at[i] ^ MASK) == needle->masked[start + i])
            i++;
        if (i == PIECE)
            return 1;
    }
    return 0;
}

/* How many pieces there are in so many bytes of the window. */
static int occurrences(const struct needle *needle, size_t length) {
    int found = 0;
    for (size_t at = 0; at + PIECE <= length; at++)
        found += needle->begins[window[at] ^ MASK] && is_piece(needle, window + at);
    return found;
}

/* How many pieces there are in one mapping. */
static int in_mapping(const struct needle *needle, int memory, uintptr_t start, uintptr_t end) {
    int found = 0;
    for (uintptr_t at = start; at < end; at += CHUNK) {
        /* Chunks overlap by a piece, and the window does not look at itself. */
        size_t wanted = CHUNK + PIECE - 1;
        if (wanted > end - at)
            wanted = end - at;
        const uintptr_t own = (uintptr_t)window;
        if (at < own + sizeof window && own < at + wanted)
            continue;
        const ssize_t length = pread(memory, window, wanted, (off_t)at);
        if (length > 0)
            found += occurrences(needle, (size_t)length);
    }
    return found;
}

/* Reads a number and what ends it. */
static uintptr_t hexadecimal(const char **text) {
    uintptr_t number = 0;
    for (;; (*text)++) {
        const char digit = **text;
        if (digit >= '0' && digit <= '9')
            number = number * 16 + (uintptr_t)(digit - '0');
        else if (digit >= 'a' && digit <= 'f')
            number = number * 16 + (uintptr_t)(digit - 'a') + 10;
        else
            break;
    }
    (*text)++;
    return number;
}

/* Reads one line, without its end. */
static int next_line(int file, char *line, size_t size) {
    size_t length = 0;
    while (read(file, line + length, 1) == 1 && line[length] != '\n')
        length += length + 1 < size;
    line[length] = '\0';
    return length > 0;
}

/* Reads the secret from a file. */
static void remember_secret(const char *path) {
    char text[256] = "";
    const int file = open(path, O_RDONLY);
    const ssize_t length = read(file, text, sizeof text - 1);
    CHECK(length >= 32);
    close(file);
    remember(&secret, text, (size_t)length);
    clazar_memzero(text, sizeof text);
}

#endif
