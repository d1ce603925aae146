/* Checks pointers after they were passed: each is NULL, which no compiler may rule out. */
#include <clazar_auth.h>
#include <stdio.h>

static clazar_provider *volatile no_provider;
static char *volatile no_buffer;
static clazar_token **volatile no_token;

int main(void) {
    clazar_provider *provider = no_provider;
    char *buffer = no_buffer;
    clazar_token **token = no_token;

    clazar_status status = clazar_provider_token(provider, token, NULL);
    int refused = status == CLAZAR_ERR_INVALID_ARGUMENT;
    status = clazar_provider_authorization(provider, buffer, 8, NULL, NULL);
    refused += status == CLAZAR_ERR_INVALID_ARGUMENT;
    status = clazar_provider_unseal(provider, (const uint8_t *)buffer, 8, NULL);
    refused += status == CLAZAR_ERR_INVALID_ARGUMENT;
    clazar_memzero(buffer, 8);
    if (provider == NULL && buffer == NULL && token == NULL && refused == 3)
        return 0;
    fprintf(stderr, "a pointer that is NULL is taken for another\n");
    return 1;
}
