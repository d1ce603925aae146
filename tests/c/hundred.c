/* A hundred providers at once, each with a token of its own. */
#include "check.h"

#define PROVIDERS 100

int main(void) {
    clazar_provider *providers[PROVIDERS];
    clazar_token *tokens[PROVIDERS];
    for (int i = 0; i < PROVIDERS; i++) {
        providers[i] = provider_from_env();
        tokens[i] = token_of(providers[i]);
    }
    for (int i = 0; i < PROVIDERS; i++) {
        clazar_token *again = token_of(providers[i]);
        CHECK(same(again, tokens[i]));
        CHECK(i == 0 || !same(tokens[i], tokens[i - 1]));
        clazar_token_free(again);
    }
    for (int i = 0; i < PROVIDERS; i++) {
        clazar_token_free(tokens[i]);
        clazar_provider_free(providers[i]);
    }
    return 0;
}
