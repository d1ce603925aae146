/* A program that needs the Authorization header as soon as it starts; with an argument it needs nothing. */
#include <clazar_auth.h>
#include <stdio.h>

static int fail(const char *what) {
    fprintf(stderr, "failed: %s\n", what);
    return 1;
}

int main(int argc, char **argv) {
    (void)argv;
    if (argc > 1)
        return puts("ready") < 0;
    clazar_config *config = NULL;
    clazar_provider *provider = NULL;
    clazar_error *error = NULL;
    if (clazar_config_new_from_env(&config, &error) != CLAZAR_OK ||
        clazar_provider_new(config, &provider, &error) != CLAZAR_OK)
        return fail(clazar_error_message(error));
    char header[CLAZAR_AUTHORIZATION_MAX];
    size_t size = sizeof header;
    if (clazar_provider_authorization(provider, header, size, NULL, &error) != CLAZAR_OK)
        return fail(clazar_error_message(error));
    puts("ready");
    clazar_memzero(header, sizeof header);
    clazar_provider_free(provider);
    clazar_config_free(config);
    return 0;
}
