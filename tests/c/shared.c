/* One process of those that share the store of the environment: prints the token that it gets. */
#include "check.h"

int main(void) {
    clazar_provider *provider = provider_from_env();
    clazar_token *token = token_of(provider);
    puts(clazar_token_value(token, NULL));
    clazar_token_free(token);
    clazar_provider_free(provider);
    return 0;
}
