/* After the last handle is freed, no readable memory of the process holds the secret or the token.
 *
 * TEST_SECRET_FILE names the file with the secret. What is looked for is kept here with each byte
 * changed, so that the search does not find itself. */
#include <stdint.h>
#include <stdlib.h>

#include "check.h"

#define MASK 0x5a
#define CHUNK (1 << 16)

struct needle {
    unsigned char masked[CLAZAR_AUTHORIZATION_MAX];
    size_t length;
};

static struct needle secret, token;
static unsigned char window[2 * CHUNK];

static void remember(struct needle *needle, const char *text, size_t length) {
    needle->length = length;
    for (size_t i = 0; i < length; i++)
        needle->masked[i] = (unsigned char)(text[i] ^ MASK);
}

static int occurrences(const struct needle *needle, size_t length) {
    int found = 0;
    for (size_t at = 0; at + needle->length <= length; at++) {
        size_t i = 0;
        while (i < needle->length && (window[at + i] ^ MASK) == needle->masked[i])
            i++;
        found += i == needle->length;
    }
    return found;
}

/* How often a needle occurs in one mapping. */
static int in_mapping(const struct needle *needle, FILE *memory, uintptr_t start, uintptr_t end) {
    int found = 0;
    for (uintptr_t at = start; at < end; at += CHUNK) {
        /* Chunks overlap by a needle's length, and the window does not look at itself. */
        size_t wanted = CHUNK + needle->length;
        if (wanted > end - at)
            wanted = end - at;
        const uintptr_t own = (uintptr_t)window;
        if (at < own + sizeof window && own < at + wanted)
            continue;
        if (fseek(memory, (long)at, SEEK_SET) != 0)
            continue;
        found += occurrences(needle, fread(window, 1, wanted, memory));
    }
    return found;
}

/* How often a needle occurs in all readable memory. */
static int search(const struct needle *needle) {
    FILE *maps = fopen("/proc/self/maps", "r"), *memory = fopen("/proc/self/mem", "r");
    CHECK(maps != NULL && memory != NULL && setvbuf(memory, NULL, _IONBF, 0) == 0);
    char line[512];
    int found = 0;
    while (fgets(line, sizeof line, maps) != NULL) {
        unsigned long start = 0, end = 0;
        char access[5] = "";
        CHECK(sscanf(line, "%lx-%lx %4s", &start, &end, access) == 3);
        if (access[0] == 'r' && strstr(line, "[vvar") == NULL && strstr(line, "[vsyscall") == NULL)
            found += in_mapping(needle, memory, start, end);
    }
    fclose(memory);
    fclose(maps);
    return found;
}

static int is_left(void) {
    return search(&secret) > 0 || (token.length > 0 && search(&token) > 0);
}

static void read_secret(const char *path) {
    char text[256];
    FILE *file = fopen(path, "r");
    CHECK(file != NULL && setvbuf(file, NULL, _IONBF, 0) == 0);
    const size_t length = fread(text, 1, sizeof text, file);
    CHECK(length >= 32);
    fclose(file);
    remember(&secret, text, length);
    clazar_memzero(text, sizeof text);
}

static clazar_provider *provider_with(const char *path) {
    clazar_config *config = NULL;
    clazar_provider *provider = NULL;
    CHECK(clazar_config_new_from_env(&config, NULL) == CLAZAR_OK);
    CHECK(clazar_config_set_client_secret_file(config, path) == CLAZAR_OK);
    if (getenv("TEST_CA_FILE") != NULL)
        CHECK(clazar_config_set_ca_file(config, getenv("TEST_CA_FILE")) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free(config);
    return provider;
}

int main(void) {
    const char *path = getenv("TEST_SECRET_FILE");
    const int is_refused = getenv("TEST_REFUSED") != NULL;
    char header[CLAZAR_AUTHORIZATION_MAX];
    size_t length = 0;

    read_secret(path);
    CHECK(search(&secret) == 0);
    clazar_provider *provider = provider_with(path);
    CHECK(search(&secret) > 0);

    const clazar_status status =
        clazar_provider_authorization(provider, header, sizeof header, &length, NULL);
    CHECK(status == (is_refused ? CLAZAR_ERR_CREDENTIALS : CLAZAR_OK));
    if (!is_refused) {
        remember(&token, header + strlen("Bearer "), length - strlen("Bearer "));
        clazar_memzero(header, sizeof header);
        CHECK(search(&token) > 0);
    }

    clazar_provider_close(provider);
    if (getenv("TEST_FREE") != NULL)
        clazar_provider_free(provider);
    /* The exchange's thread wakes its waiters before it ends. */
    for (int tries = 0; tries < 1000 && is_left(); tries++)
        ;
    CHECK(!is_left());
    if (getenv("TEST_FREE") == NULL)
        clazar_provider_free(provider);
    return 0;
}
