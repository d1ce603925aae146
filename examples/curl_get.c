/*
 * Gets a URL of the Clazar API with libcurl, and once more with another token if the API answers 401.
 * The token goes over https to the API alone, or to a sandbox on this machine: the provider says where.
 *
 *     cc curl_get.c -o curl_get $(pkg-config --cflags --libs clazar_auth libcurl)
 *     ./curl_get https://api.clazar.io/listings/
 */
#include <clazar_auth.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The HTTP status of the answer, whose body goes to standard output unless it is 401; 0 if none came. */
static long get(const char *url, const clazar_token *token) {
    static const char name[] = "Authorization: ";
    char *body = NULL;
    size_t size = 0, length = 0;
    long status = 0;

    const char *authorization = clazar_token_authorization(token, &length);
    char *line = malloc(sizeof name + length);
    if (line == NULL)
        return 0;
    snprintf(line, sizeof name + length, "%s%s", name, authorization);
    struct curl_slist *headers = curl_slist_append(NULL, line);
    clazar_memzero(line, sizeof name + length);
    free(line);
    FILE *stream = open_memstream(&body, &size);
    CURL *curl = curl_easy_init();
    if (headers != NULL && stream != NULL && curl != NULL) {
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(curl, CURLOPT_WRITEDATA, stream);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        /* A redirect may lead to where the token must not go. */
        curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
        /* A proxy of the environment gets https alone, which it cannot read. */
        if (strncmp(url, "https://", 8) != 0)
            curl_easy_setopt(curl, CURLOPT_PROXY, "");
        const CURLcode code = curl_easy_perform(curl);
        if (code == CURLE_OK)
            curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        else
            fprintf(stderr, "%s: %s\n", url, curl_easy_strerror(code));
    }
    curl_easy_cleanup(curl);
    if (stream != NULL)
        fclose(stream);
    if (status != 0 && status != 401)
        fwrite(body, 1, size, stdout);
    free(body);
    if (headers != NULL)
        clazar_memzero(headers->data, strlen(headers->data));
    curl_slist_free_all(headers);
    return status;
}

/* As get(), with a token of the provider's, which must be allowed to go there. */
static long get_with(clazar_provider *provider, const char *url, clazar_error **error) {
    long status = 401;
    if (clazar_provider_check_url(provider, url, error) != CLAZAR_OK)
        return 0;
    for (int tries = 0; status == 401 && tries < 2; tries++) {
        clazar_token *token = NULL;
        if (clazar_provider_token(provider, &token, error) != CLAZAR_OK)
            return 0;
        status = get(url, token);
        if (status == 401)
            clazar_provider_invalidate(provider, token, NULL);
        clazar_token_free(token);
    }
    return status;
}

int main(int argc, char **argv) {
    clazar_config *config = NULL;
    clazar_provider *provider = NULL;
    clazar_error *error = NULL;
    long status = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: %s URL\n", argv[0]);
        return 2;
    }
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (clazar_config_new_from_env(&config, &error) == CLAZAR_OK &&
        clazar_provider_new(config, &provider, &error) == CLAZAR_OK)
        status = get_with(provider, argv[1], &error);
    if (error != NULL)
        fprintf(stderr, "%s\n", clazar_error_message(error));
    else if (status != 200)
        fprintf(stderr, "%s: status %ld\n", argv[1], status);

    clazar_error_free(error);
    clazar_provider_free(provider);
    clazar_config_free(config);
    curl_global_cleanup();
    return status == 200 ? EXIT_SUCCESS : EXIT_FAILURE;
}
