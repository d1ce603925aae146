/* A host with a Rust library of its own, and with OpenSSL and libcurl, in one process. */
#include <curl/curl.h>
#include <openssl/evp.h>

#include "check.h"

int host_work(void);
size_t host_allocations(void);

int main(void) {
    CHECK(curl_global_init(CURL_GLOBAL_ALL) == 0);
    unsigned char digest[EVP_MAX_MD_SIZE];
    CHECK(EVP_Digest("a", 1, digest, NULL, EVP_sha256(), NULL) == 1);

    CHECK(host_work() == 0);
    const size_t theirs = host_allocations();
    clazar_provider *provider = provider_from_env();
    CHECK(clazar_config_set_ca_file(NULL, "x") == CLAZAR_ERR_INVALID_ARGUMENT);
    clazar_token_free(token_of(provider));
    CHECK(host_allocations() == theirs);
    CHECK(host_work() == 0);

    CURL *curl = curl_easy_init();
    CHECK(curl != NULL &&
          curl_easy_setopt(curl, CURLOPT_URL, getenv("CLAZAR_AUTH_URL")) == CURLE_OK);
    CHECK(curl_easy_setopt(curl, CURLOPT_NOBODY, 1L) == CURLE_OK);
    CHECK(curl_easy_perform(curl) == CURLE_OK);
    curl_easy_cleanup(curl);
    clazar_provider_free(provider);
    curl_global_cleanup();
    return 0;
}
