/*
 * Lists the listings of the sandbox: gets the Authorization header from a provider and sends it with
 * a request of its own. Plain sockets keep the example free of other libraries, and to loopback; a
 * real program hands the header to its HTTP client.
 *
 *     clazar-auth sandbox -- ./listings
 */
#include <clazar_auth.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* A socket connected to the port of the sandbox at "http://127.0.0.1:<port>/authenticate/". */
static int connect_to_sandbox(void) {
    const char *url = getenv("CLAZAR_AUTH_URL");
    unsigned port = 0;
    if (url == NULL || sscanf(url, "http://127.0.0.1:%u/", &port) != 1) {
        fprintf(stderr,
                "CLAZAR_AUTH_URL is not a sandbox; run: clazar-auth sandbox -- ./listings\n");
        return -1;
    }
    struct sockaddr_in address = {0};
    address.sin_family = AF_INET;
    address.sin_port = htons((uint16_t)port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connection >= 0 && connect(connection, (struct sockaddr *)&address, sizeof address) != 0) {
        close(connection);
        connection = -1;
    }
    if (connection < 0)
        perror("the sandbox cannot be reached");
    return connection;
}

/* GET /listings/ with the header; the answer goes into a buffer as text. */
static int get_listings(const char *authorization, char *answer, size_t size) {
    FILE *connection = NULL;
    int socket = connect_to_sandbox();
    if (socket < 0 || (connection = fdopen(socket, "r+")) == NULL)
        return -1;
    fprintf(connection, "GET /listings/ HTTP/1.0\r\nAuthorization: %s\r\n\r\n", authorization);
    fflush(connection);
    size_t length = fread(answer, 1, size - 1, connection);
    answer[length] = '\0';
    fclose(connection);
    return strstr(answer, " 200 ") != NULL ? 0 : -1;
}

static void print_ids(const char *answer) {
    static const char key[] = "\"id\":\"";
    while ((answer = strstr(answer, key)) != NULL) {
        answer += sizeof key - 1;
        printf("  %.*s\n", (int)strcspn(answer, "\""), answer);
    }
}

int main(void) {
    clazar_config *config = NULL;
    clazar_provider *provider = NULL;
    clazar_error *error = NULL;
    char header[CLAZAR_AUTHORIZATION_MAX];
    char answer[65536];
    int result = EXIT_FAILURE;

    /* The request goes to the host and port of this URL. */
    const char *url = getenv("CLAZAR_AUTH_URL");
    if (clazar_config_new_from_env(&config, &error) != CLAZAR_OK ||
        clazar_provider_new(config, &provider, &error) != CLAZAR_OK ||
        (url != NULL && clazar_provider_check_url(provider, url, &error) != CLAZAR_OK) ||
        clazar_provider_authorization(provider, header, sizeof header, NULL, &error) != CLAZAR_OK) {
        fprintf(stderr, "%s: %s\n", clazar_status_name(clazar_error_code(error)),
                clazar_error_message(error));
    } else if (get_listings(header, answer, sizeof answer) != 0) {
        fprintf(stderr, "the listings could not be read\n");
    } else {
        printf("Listed /listings/ from C with clazar_auth %s:\n", clazar_version());
        print_ids(answer);
        result = EXIT_SUCCESS;
    }

    clazar_memzero(header, sizeof header);
    clazar_error_free(error);
    clazar_provider_free(provider);
    clazar_config_free(config);
    return result;
}
