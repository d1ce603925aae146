/* A token goes from one provider to another as a sealed blob. */
#include "check.h"

/* Of which a compiler knows nothing, since it would warn. */
static volatile size_t too_large = (size_t)-1;

int main(void) {
    clazar_provider *giver = provider_from_env(), *taker = provider_from_env();
    clazar_error *error = NULL;
    unsigned char blob[CLAZAR_SEALED_MAX], small[16] = {0};
    char given[CLAZAR_AUTHORIZATION_MAX], taken[CLAZAR_AUTHORIZATION_MAX];
    size_t length = 0, needed = 0;

    CHECK(clazar_provider_authorization(giver, given, sizeof given, NULL, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_seal(giver, blob, sizeof blob, &length, &error) == CLAZAR_OK);
    CHECK(error == NULL && length > 1024 && length < sizeof blob);
    CHECK(clazar_provider_seal(giver, small, sizeof small, &needed, &error) ==
          CLAZAR_ERR_BUFFER_TOO_SMALL);
    CHECK(needed == length && small[0] == 0);
    CHECK(strstr(clazar_error_message(error), "CLAZAR_SEALED_MAX") != NULL);
    clazar_error_free(error);
    CHECK(clazar_provider_seal(giver, NULL, 0, &needed, NULL) == CLAZAR_ERR_BUFFER_TOO_SMALL);
    CHECK(clazar_provider_seal(NULL, blob, sizeof blob, NULL, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);

    CHECK(clazar_provider_unseal(taker, NULL, 0, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_provider_unseal(taker, blob, length - 1, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_provider_unseal(taker, blob, too_large, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_provider_unseal(taker, blob, length, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_authorization(taker, taken, sizeof taken, NULL, NULL) == CLAZAR_OK);
    CHECK(strcmp(given, taken) == 0);

    clazar_provider_free(giver);
    clazar_provider_free(taker);
    return 0;
}
