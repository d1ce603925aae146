/* A pre-forking server on standard input, which passes each request on to the API. A worker ends after a few
 * requests, and another takes its place. TEST_CASE "warm": the token is there before the first worker is. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

enum { AT_A_TIME = 4, WORKERS = 8, REQUESTS = 10, LIMIT = 60 };

static clazar_provider *provider;

static void send_all(int connection, const char *text) {
    CHECK(send(connection, text, strlen(text), 0) == (ssize_t)strlen(text));
}

static int connect_to_the_api(void) {
    struct sockaddr_in address;
    unsigned short port = 0;
    CHECK(sscanf(getenv("CLAZAR_AUTH_URL"), "http://127.0.0.1:%hu", &port) == 1);
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    const int api = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(api >= 0 && connect(api, (struct sockaddr *)&address, sizeof address) == 0);
    return api;
}

static void pass_on(int client) {
    char request[1024], answer[1024], authorization[CLAZAR_AUTHORIZATION_MAX];
    CHECK(recv(client, request, sizeof request, 0) > 0);
    CHECK(clazar_provider_authorization(provider, authorization, sizeof authorization, NULL,
                                        NULL) == CLAZAR_OK);
    const int api = connect_to_the_api();
    send_all(api,
             "GET /listings/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nAuthorization: ");
    send_all(api, authorization);
    send_all(api, "\r\n\r\n");
    for (ssize_t length; (length = recv(api, answer, sizeof answer, 0)) > 0;)
        CHECK(send(client, answer, (size_t)length, 0) == length);
    CHECK(close(api) == 0);
}

static void start_worker(void) {
    const pid_t worker = fork();
    CHECK(worker >= 0);
    if (worker > 0)
        return;
    alarm(LIMIT);
    for (int i = 0; i < REQUESTS; i++) {
        const int client = accept(STDIN_FILENO, NULL, NULL);
        CHECK(client >= 0);
        pass_on(client);
        CHECK(close(client) == 0);
    }
    exit(0);
}

int main(void) {
    provider = provider_from_env();
    if (strcmp(getenv("TEST_CASE"), "warm") == 0)
        clazar_token_free(token_of(provider));
    for (int started = 0; started < AT_A_TIME; started++)
        start_worker();
    for (int ended = 0; ended < WORKERS; ended++) {
        int status = 0;
        CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0);
        if (ended < WORKERS - AT_A_TIME)
            start_worker();
    }
    clazar_provider_free(provider);
    return 0;
}
