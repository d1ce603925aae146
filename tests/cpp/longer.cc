// With a later library, which has a token that is longer than what this header was compiled with.
#include <clazar_auth.hpp>

// Takes the place of the library's.
extern "C" clazar_status clazar_provider_authorization(const clazar_provider*, char*, std::size_t,
                                                       std::size_t* length, clazar_error** error) {
    *error = nullptr;
    *length = 2 * CLAZAR_AUTHORIZATION_MAX;
    return CLAZAR_ERR_BUFFER_TOO_SMALL;
}

int main() {
    const clazar::Provider provider(clazar::Config::from_env());
    const auto refused = provider.try_authorization();
    if (refused || refused.error()->code() != CLAZAR_ERR_BUFFER_TOO_SMALL) return 1;
    try {
        const auto none = provider.authorization();
    } catch (const clazar::Error& error) {
        return error.code() == CLAZAR_ERR_BUFFER_TOO_SMALL ? 0 : 1;
    }
    return 1;
}
