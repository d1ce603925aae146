/* After the last handle is freed, no readable memory of the process holds any 16 bytes of the secret or
 * the token.
 *
 * TEST_SECRET_FILE names the file with the secret. What is looked for is kept here with each byte
 * changed, so that the search does not find itself. */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

#define MASK 0x5a
#define CHUNK (1 << 16)
#define PIECE 16
/* How often to look; the thread of the request wakes its waiters before it ends. */
#define TRIES 100

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

/* How many pieces there are in all readable memory. Little of the stack is used, since what lies there
 * is to be found. */
static int search(const struct needle *needle, int tell) {
    static char line[512];
    const int maps = open("/proc/self/maps", O_RDONLY), memory = open("/proc/self/mem", O_RDONLY);
    CHECK(maps >= 0 && memory >= 0);
    int found = 0;
    while (next_line(maps, line, sizeof line)) {
        const char *at = line;
        const uintptr_t start = hexadecimal(&at), end = hexadecimal(&at);
        if (*at != 'r' || strstr(line, "[vvar") != NULL || strstr(line, "[vsyscall") != NULL)
            continue;
        const int here = in_mapping(needle, memory, start, end);
        if (here > 0 && tell)
            fprintf(stderr, "%d pieces in %s\n", here, line);
        found += here;
    }
    close(memory);
    close(maps);
    return found;
}

static int is_left(int tell) { return search(&secret, tell) + search(&token, tell) > 0; }

/* Reads the secret, and gives it to a configuration, if there is one. */
static void read_secret(const char *path, clazar_config *config) {
    char text[256] = "";
    const int file = open(path, O_RDONLY);
    const ssize_t length = read(file, text, sizeof text - 1);
    CHECK(length >= 32);
    close(file);
    if (config == NULL)
        remember(&secret, text, (size_t)length);
    else
        CHECK(clazar_config_set_client_secret(config, text) == CLAZAR_OK);
    clazar_memzero(text, sizeof text);
}

static clazar_config *config_with(const char *path) {
    clazar_config *config = config_from_env();
    CHECK(clazar_config_set_client_secret_file(config, path) == CLAZAR_OK);
    if (getenv("TEST_CA_FILE") != NULL)
        CHECK(clazar_config_set_ca_file(config, getenv("TEST_CA_FILE")) == CLAZAR_OK);
    return config;
}

static clazar_provider *provider_with(const char *path) {
    clazar_config *config = config_with(path);
    clazar_provider *provider = NULL;
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free(config);
    return provider;
}

/* One more call that handles a secret or a token. */
static void use(const clazar_provider *provider, const char *path, const char *call) {
    static uint8_t sealed[CLAZAR_SEALED_MAX];
    size_t length = 0;
    clazar_token *next = NULL;
    if (strcmp(call, "refresh") == 0) {
        CHECK(clazar_provider_refresh(provider, &next, NULL) == CLAZAR_OK);
    } else if (strcmp(call, "invalidate") == 0) {
        next = token_of(provider);
        CHECK(clazar_provider_invalidate(provider, next, NULL) == CLAZAR_OK);
    } else if (strcmp(call, "set_client_secret") == 0) {
        clazar_config *config = NULL;
        CHECK(clazar_config_new(&config, NULL) == CLAZAR_OK);
        read_secret(path, config);
        clazar_config_free(config);
    } else if (strcmp(call, "authenticate") == 0) {
        clazar_config *config = config_with(path);
        CHECK(clazar_authenticate(config, &next, NULL) == CLAZAR_OK);
        clazar_config_free(config);
    } else {
        CHECK(clazar_provider_seal(provider, sealed, sizeof sealed, &length, NULL) == CLAZAR_OK);
        if (strcmp(call, "unseal") == 0)
            CHECK(clazar_provider_unseal(provider, sealed, length, NULL) == CLAZAR_OK);
        else
            CHECK(strcmp(call, "seal") == 0);
    }
    clazar_token_free(next);
}

int main(void) {
    const char *path = getenv("TEST_SECRET_FILE");
    const int is_refused = getenv("TEST_REFUSED") != NULL;
    char header[CLAZAR_AUTHORIZATION_MAX];
    size_t length = 0;

    read_secret(path, NULL);
    CHECK(search(&secret, 0) == 0);
    clazar_provider *provider = provider_with(path);
    CHECK(search(&secret, 0) > 0);

    const clazar_status status =
        clazar_provider_authorization(provider, header, sizeof header, &length, NULL);
    CHECK(status == (is_refused ? CLAZAR_ERR_CREDENTIALS : CLAZAR_OK));
    if (!is_refused) {
        remember(&token, header + strlen("Bearer "), length - strlen("Bearer "));
        clazar_memzero(header, sizeof header);
        CHECK(search(&token, 0) > 0);
        if (getenv("TEST_CALL") != NULL)
            use(provider, path, getenv("TEST_CALL"));
    }

    clazar_provider_close(provider);
    if (getenv("TEST_FREE") != NULL)
        clazar_provider_free(provider);
    for (int tries = 0; tries < TRIES && is_left(0); tries++)
        breathe();
    CHECK(!is_left(1));
    if (getenv("TEST_FREE") == NULL)
        clazar_provider_free(provider);
    return 0;
}
