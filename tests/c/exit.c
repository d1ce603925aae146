/* The end of a program, of a handle and of a provider while a token request is under way; TEST_CASE says
 * which. The server in here never answers, unless told to. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "check.h"

/* A token request here would go on for half a minute, in three attempts. */
#define A_DAY_MS 86400000
#define LIMIT_MS 5000

static int listener;
static clazar_provider *provider;

static void start_server(clazar_config *config) {
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    char url[64];
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(listener >= 0);
    CHECK(bind(listener, (struct sockaddr *)&address, length) == 0 && listen(listener, 8) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &length) == 0);
    snprintf(url, sizeof url, "http://127.0.0.1:%d/authenticate/", ntohs(address.sin_port));
    CHECK(clazar_config_set_auth_url(config, url) == CLAZAR_OK);
}

static void make_provider(void) {
    clazar_config *config = config_from_env();
    start_server(config);
    CHECK(clazar_config_set_timeout_ms(config, A_DAY_MS) == CLAZAR_OK);
    CHECK(clazar_provider_new(config, &provider, NULL) == CLAZAR_OK);
    clazar_config_free(config);
}

/* Takes a request, and lets it wait. */
static int take_request(void) {
    char request[4096];
    const int connection = accept(listener, NULL, NULL);
    CHECK(connection >= 0);
    CHECK(recv(connection, request, sizeof request, 0) > 0);
    return connection;
}

static void *wait_for_a_token(void *of) {
    clazar_token *token = NULL;
    clazar_error *error = NULL;
    CHECK(clazar_provider_token(of, &token, &error) == CLAZAR_ERR_CLOSED);
    CHECK(token == NULL && clazar_error_code(error) == CLAZAR_ERR_CLOSED);
    clazar_error_free(error);
    clazar_provider_free(of);
    return NULL;
}

/* A thread that waits, with a handle of its own, for a token request that has got as far as the server. */
static pthread_t start_token_request(void) {
    pthread_t waiter;
    CHECK(pthread_create(&waiter, NULL, wait_for_a_token, clazar_provider_clone(provider)) == 0);
    take_request();
    return waiter;
}

static void do_nothing_more(void) { start_token_request(); }

static void free_the_handle(void) {
    start_token_request();
    const int64_t start = milliseconds_now();
    clazar_provider_free(provider);
    CHECK(milliseconds_now() - start < LIMIT_MS);
}

static void *answer_once(void *unused) {
    const char body[] = "{\"access_token\":\"not-a-real-token\",\"expires_in\":2}";
    char answer[128];
    const int length =
        snprintf(answer, sizeof answer, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s",
                 (int)strlen(body), body);
    CHECK(send(take_request(), answer, (size_t)length, 0) == length);
    return unused;
}

/* Gets a token of two seconds, and starts its renewal, for which nobody waits. */
static void start_renewal(void) {
    pthread_t server;
    CHECK(pthread_create(&server, NULL, answer_once, NULL) == 0);
    clazar_token_free(token_of(provider));
    CHECK(pthread_join(server, NULL) == 0);
    while (stats_of(provider).served_stale == 0) {
        clazar_token_free(token_of(provider));
        breathe();
    }
    take_request();
}

static void free_the_last_handle(void) {
    start_renewal();
    const int64_t start = milliseconds_now();
    clazar_provider_free(provider);
    CHECK(milliseconds_now() - start < LIMIT_MS);
}

static void close_it(void) {
    const pthread_t waiter = start_token_request();
    const int64_t start = milliseconds_now();
    clazar_provider_close(provider);
    CHECK(pthread_join(waiter, NULL) == 0);
    clazar_provider_free(provider);
    CHECK(milliseconds_now() - start < LIMIT_MS);
}

int main(void) {
    const char *wanted = getenv("TEST_CASE");
    alarm(120);
    make_provider();
    if (strcmp(wanted, "free") == 0)
        free_the_handle();
    else if (strcmp(wanted, "free the last") == 0)
        free_the_last_handle();
    else if (strcmp(wanted, "close") == 0)
        close_it();
    else
        do_nothing_more();
    if (strcmp(wanted, "exit") == 0)
        exit(0);
    return 0;
}
