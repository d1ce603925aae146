/* After the last handle is freed, no readable memory of the process holds any 16 bytes of the secret or
 * the token. TEST_SECRET_FILE names the file with the secret. */
#include "search.h"

/* How often to look; the thread of the request wakes its waiters before it ends. */
#define TRIES 100

/* How many pieces there are in all readable memory. */
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

static void set_secret(clazar_config *config, const char *path) {
    char text[256] = "";
    const int file = open(path, O_RDONLY);
    CHECK(read(file, text, sizeof text - 1) >= 32);
    close(file);
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
        set_secret(config, path);
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

    remember_secret(path);
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
