/* A machine without CA certificates, which this process makes of its own view of the file system. */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include "check.h"

static void hide(const char *folder) {
    if (access(folder, F_OK) == 0)
        CHECK(mount("none", folder, "tmpfs", 0, NULL) == 0);
}

static clazar_status attempt(const char *ca_file) {
    clazar_config *config = config_from_env();
    clazar_token *token = NULL;
    if (ca_file != NULL)
        CHECK(clazar_config_set_ca_file(config, ca_file) == CLAZAR_OK);
    const clazar_status status = clazar_authenticate(config, &token, NULL);
    clazar_token_free(token);
    clazar_config_free(config);
    return status;
}

int main(void) {
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
        mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0) {
        printf("this system allows no namespaces: %s\n", strerror(errno));
        return 0;
    }
    hide("/etc/ssl");
    hide("/etc/pki");
    hide("/usr/share/ca-certificates");
    hide("/usr/local/share/ca-certificates");
    CHECK(access("/etc/ssl/certs/ca-certificates.crt", F_OK) != 0);
    CHECK(attempt(getenv("TEST_CA_FILE")) == CLAZAR_OK);
    CHECK(attempt(NULL) == CLAZAR_ERR_TLS);
    return 0;
}
