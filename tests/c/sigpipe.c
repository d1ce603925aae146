/* SIGPIPE at its default would end the process, if a write to a closed connection raised it. */
#include <signal.h>

#include "check.h"

int main(void) {
    struct sigaction before, after;
    CHECK(signal(SIGPIPE, SIG_DFL) != SIG_ERR);
    CHECK(sigaction(SIGPIPE, NULL, &before) == 0);
    for (int i = 0; i < 3; i++) {
        clazar_config *config = config_from_env();
        clazar_token *token = NULL;
        clazar_error *error = NULL;
        CHECK(clazar_config_set_timeout_ms(config, 5000) == CLAZAR_OK);
        CHECK(clazar_authenticate(config, &token, &error) != CLAZAR_OK && token == NULL);
        CHECK(clazar_error_is_retryable(error) || clazar_error_code(error) == CLAZAR_ERR_TLS);
        clazar_error_free(error);
        clazar_config_free(config);
    }
    CHECK(sigaction(SIGPIPE, NULL, &after) == 0);
    CHECK(before.sa_handler == after.sa_handler && after.sa_handler == SIG_DFL);
    return 0;
}
