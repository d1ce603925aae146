/* The life of a provider and its tokens. */
#include "check.h"

int main(void) {
    clazar_provider *provider = provider_from_env();
    clazar_token *none = (clazar_token *)&none;
    CHECK(clazar_provider_peek(provider, &none, NULL) == CLAZAR_OK && none == NULL);

    clazar_token *first = token_of(provider);
    size_t value = 0, authorization = 0;
    CHECK(strlen(clazar_token_value(first, &value)) == value && value > 100);
    CHECK(strlen(clazar_token_authorization(first, &authorization)) == authorization);
    CHECK(authorization == value + strlen("Bearer "));
    CHECK(strncmp(clazar_token_authorization(first, NULL), "Bearer ", 7) == 0);
    CHECK(strcmp(clazar_token_authorization(first, NULL) + 7, clazar_token_value(first, NULL)) ==
          0);
    const int64_t now = (int64_t)time(NULL);
    CHECK(clazar_token_expires_in(first) > 86000 && clazar_token_expires_in(first) <= 86400);
    CHECK(clazar_token_expires_at(first) > now + 86000);
    CHECK(clazar_token_expires_at(first) <= now + 86401);

    clazar_token *again = token_of(provider);
    CHECK(same(first, again));
    clazar_token_free(again);

    /* A handle outlives the one that it was cloned from, and the token outlives both. */
    clazar_provider *clone = clazar_provider_clone(provider);
    CHECK(clone != NULL);
    clazar_provider_free(provider);
    provider = clone;

    clazar_token *other = clazar_token_clone(first);
    CHECK(other != NULL && other != first && same(other, first));
    clazar_token_free(first);
    first = other;

    clazar_token *second = NULL;
    CHECK(clazar_provider_refresh(provider, &second, NULL) == CLAZAR_OK);
    CHECK(!same(first, second));
    CHECK(clazar_provider_invalidate(provider, NULL, NULL) == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar_provider_invalidate(provider, first, NULL) == CLAZAR_OK);
    clazar_token *current = NULL;
    CHECK(clazar_provider_peek(provider, &current, NULL) == CLAZAR_OK && same(current, second));
    clazar_token_free(current);
    CHECK(clazar_provider_invalidate(provider, second, NULL) == CLAZAR_OK);
    CHECK(clazar_provider_peek(provider, &current, NULL) == CLAZAR_OK && current == NULL);

    clazar_provider_close(provider);
    clazar_provider_close(provider);
    clazar_error *error = NULL;
    CHECK(clazar_provider_token(provider, &current, &error) == CLAZAR_ERR_CLOSED);
    CHECK(current == NULL && clazar_error_code(error) == CLAZAR_ERR_CLOSED);
    CHECK(!clazar_error_is_retryable(error));
    clazar_error_free(error);
    char header[CLAZAR_AUTHORIZATION_MAX];
    CHECK(clazar_provider_authorization(provider, header, sizeof header, NULL, NULL) ==
          CLAZAR_ERR_CLOSED);

    clazar_provider_free(provider);
    CHECK(!same(first, second));
    clazar_token_free(first);
    clazar_token_free(second);
    return 0;
}
