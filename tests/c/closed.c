/* A host that closed the standard descriptors: sockets get their numbers, and nothing is written to
 * them that is not meant for the API. */
#include <fcntl.h>
#include <unistd.h>

#include "check.h"

int main(void) {
    for (int fd = 0; fd <= 2; fd++)
        close(fd);
    clazar_provider *provider = provider_from_env();
    clazar_token *first = token_of(provider), *second = NULL;
    CHECK(clazar_provider_refresh(provider, &second, NULL) == CLAZAR_OK && !same(first, second));
    clazar_token_free(first);
    clazar_token_free(second);
    clazar_provider_free(provider);
    /* No connection outlives its token request; the thread of one wakes its waiters before it ends. */
    for (int fd = 0; fd <= 2; fd++)
        for (int tries = 0; fcntl(fd, F_GETFD) != -1; tries++, breathe())
            if (tries > 10000)
                exit(2);
    return 0;
}
