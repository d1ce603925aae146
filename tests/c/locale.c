/* With a decimal comma in the process's locale, the API's numbers have a point all the same. */
#include <locale.h>

#include "check.h"

int main(void) {
    char number[8];
    CHECK(setlocale(LC_ALL, "de_DE.UTF-8") != NULL);
    snprintf(number, sizeof number, "%.1f", 0.5);
    CHECK(strcmp(number, "0,5") == 0);
    clazar_provider *provider = provider_from_env();
    clazar_token *token = token_of(provider);
    CHECK(clazar_token_expires_in(token) >= 3590 && clazar_token_expires_in(token) <= 3600);
    clazar_token_free(token);
    clazar_provider_free(provider);
    snprintf(number, sizeof number, "%.1f", 0.5);
    CHECK(strcmp(number, "0,5") == 0);
    return 0;
}
