/*
 * Gets URLs of the Clazar API side by side on one thread, with libcurl's multi interface. Nothing blocks
 * it: the token comes by a callback, which wakes the loop.
 *
 *     cc curl_multi.c -o curl_multi $(pkg-config --cflags --libs clazar_auth libcurl) -pthread
 *     ./curl_multi https://api.clazar.io/listings/ https://api.clazar.io/buyers/
 */
#include <clazar_auth.h>
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the callback leaves what it gets, for the loop. */
struct inbox {
    pthread_mutex_t lock;
    CURLM *loop;
    int told;
    clazar_token *token;
    clazar_error *error;
};

/* On a thread of the library. */
static void on_token(void *context, clazar_token *token, clazar_error *error) {
    struct inbox *inbox = context;
    pthread_mutex_lock(&inbox->lock);
    inbox->told = 1;
    inbox->token = token;
    inbox->error = error;
    /* The one function of libcurl that another thread may call; under the lock, so that the loop is still there. */
    curl_multi_wakeup(inbox->loop);
    pthread_mutex_unlock(&inbox->lock);
}

static int is_told(struct inbox *inbox) {
    pthread_mutex_lock(&inbox->lock);
    const int told = inbox->told;
    pthread_mutex_unlock(&inbox->lock);
    return told;
}

/* Adds a request to the loop; NULL if that cannot be. */
static CURL *start(CURLM *loop, const char *url, struct curl_slist *headers) {
    CURL *curl = curl_easy_init();
    if (curl == NULL)
        return NULL;
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    /* A redirect may lead to where the token must not go. */
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    /* A proxy of the environment gets https alone, which it cannot read. */
    if (strncmp(url, "https://", 8) != 0)
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
    if (curl_multi_add_handle(loop, curl) != CURLM_OK) {
        curl_easy_cleanup(curl);
        return NULL;
    }
    return curl;
}

/* Runs what is in the loop, and calls nothing that blocks but the wait of the loop itself. */
static int turn(CURLM *loop) {
    int running = 0;
    curl_multi_perform(loop, &running);
    if (running > 0)
        curl_multi_poll(loop, NULL, 0, 1000, NULL);
    return running;
}

/* How many of the URLs were answered with 200. */
static int get_all(struct inbox *inbox, char **urls, int count) {
    static const char name[] = "Authorization: ";
    int good = 0, left = 0;
    size_t length = 0;

    const char *authorization = clazar_token_authorization(inbox->token, &length);
    char *line = malloc(sizeof name + length);
    if (line == NULL)
        return 0;
    snprintf(line, sizeof name + length, "%s%s", name, authorization);
    struct curl_slist *headers = curl_slist_append(NULL, line);
    clazar_memzero(line, sizeof name + length);
    free(line);
    CURL **requests = calloc((size_t)count, sizeof *requests);
    for (int i = 0; headers != NULL && requests != NULL && i < count; i++)
        requests[i] = start(inbox->loop, urls[i], headers);
    while (turn(inbox->loop) > 0)
        ;
    for (CURLMsg *done; (done = curl_multi_info_read(inbox->loop, &left)) != NULL;) {
        long status = 0;
        char *url = NULL;
        curl_easy_getinfo(done->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(done->easy_handle, CURLINFO_EFFECTIVE_URL, &url);
        fprintf(stderr, "%s: status %ld\n", url, status);
        good += status == 200;
    }
    for (int i = 0; requests != NULL && i < count; i++) {
        if (requests[i] == NULL)
            continue;
        curl_multi_remove_handle(inbox->loop, requests[i]);
        curl_easy_cleanup(requests[i]);
    }
    free(requests);
    if (headers != NULL)
        clazar_memzero(headers->data, strlen(headers->data));
    curl_slist_free_all(headers);
    return good;
}

/* Asks for a token, and runs the loop until it is there. */
static void wait_for_token(const clazar_provider *provider, struct inbox *inbox) {
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    if (clazar_provider_token_async(provider, on_token, inbox, &token, &error) != CLAZAR_OK) {
        inbox->error = error;
        return;
    }
    if (token != NULL) {
        inbox->token = token; /* It was available, and nobody is called back. */
        return;
    }
    /* A program has other things to do here. */
    while (!is_told(inbox))
        curl_multi_poll(inbox->loop, NULL, 0, 1000, NULL);
}

int main(int argc, char **argv) {
    clazar_config *config = NULL;
    clazar_provider *provider = NULL;
    struct inbox inbox = {.lock = PTHREAD_MUTEX_INITIALIZER};
    int good = 0;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    inbox.loop = curl_multi_init();
    int may = clazar_config_new_from_env(&config, &inbox.error) == CLAZAR_OK &&
              clazar_provider_new(config, &provider, &inbox.error) == CLAZAR_OK;
    for (int i = 1; i < argc && may; i++)
        may = clazar_provider_check_url(provider, argv[i], &inbox.error) == CLAZAR_OK;
    if (inbox.loop != NULL && may)
        wait_for_token(provider, &inbox);
    if (inbox.token != NULL)
        good = get_all(&inbox, argv + 1, argc - 1);
    if (inbox.error != NULL)
        fprintf(stderr, "%s\n", clazar_error_message(inbox.error));

    clazar_error_free(inbox.error);
    clazar_token_free(inbox.token);
    clazar_provider_free(provider);
    clazar_config_free(config);
    curl_multi_cleanup(inbox.loop);
    curl_global_cleanup();
    return good > 0 && good == argc - 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
