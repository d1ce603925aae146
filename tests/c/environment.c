/* No environment variable is read but by the functions that say so: this program's getenv counts. */
#include "check.h"

extern char **environ;

static int watching;
static int reads;

/* Takes the place of the C library's, for all libraries of the process. */
char *getenv(const char *name) {
    const size_t length = strlen(name);
    if (__atomic_load_n(&watching, __ATOMIC_SEQ_CST)) {
        __atomic_fetch_add(&reads, 1, __ATOMIC_SEQ_CST);
        fprintf(stderr, "%s is read\n", name);
    }
    for (char **entry = environ; *entry != NULL; ++entry)
        if (strncmp(*entry, name, length) == 0 && (*entry)[length] == '=')
            return *entry + length + 1;
    return NULL;
}

int main(void) {
    clazar_provider *provider = provider_from_env();
    CHECK(getenv("CLAZAR_CLIENT_ID") != NULL);
    __atomic_store_n(&watching, 1, __ATOMIC_SEQ_CST);

    char header[CLAZAR_AUTHORIZATION_MAX];
    CHECK(clazar_provider_authorization(provider, header, sizeof header, NULL, NULL) == CLAZAR_OK);
    clazar_token *token = NULL;
    CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_OK);
    clazar_token_free(token);
    clazar_provider_free(provider);
    CHECK(__atomic_load_n(&reads, __ATOMIC_SEQ_CST) == 0);

    __atomic_store_n(&watching, 0, __ATOMIC_SEQ_CST);
    return 0;
}
