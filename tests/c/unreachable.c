/* Within one request, a connection to which there is no way for now is tried again. */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "check.h"

/* The next so many connections fail with this. */
static int failing, failure;

/* In the place of the C library's. */
int connect(int fd, const struct sockaddr *address, socklen_t length) {
    if (__atomic_fetch_sub(&failing, 1, __ATOMIC_SEQ_CST) > 0) {
        errno = failure;
        return -1;
    }
    return (int)syscall(SYS_connect, fd, address, length);
}

int main(void) {
    alarm(120);
    clazar_provider *provider = provider_from_env();
    const int failures[] = {ENETUNREACH, EHOSTUNREACH, ENETDOWN, EADDRNOTAVAIL, ECONNREFUSED};
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++) {
        clazar_token *token = NULL;
        failure = failures[i];
        __atomic_store_n(&failing, 2, __ATOMIC_SEQ_CST);
        CHECK(clazar_provider_refresh(provider, &token, NULL) == CLAZAR_OK);
        clazar_token_free(token);
    }
    clazar_provider_free(provider);
    return 0;
}
