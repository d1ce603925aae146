// clazar_auth.hpp in a program that is compiled without exceptions and without run-time types.
#include <clazar_auth.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>

#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                \
        }                                                                                \
    } while (false)

static void values(const clazar::Config& config) {
    const auto provider = clazar::Provider::try_make(config);
    CHECK(provider && provider.error() == nullptr);
    const auto token = provider.value().try_token(std::chrono::minutes(1));
    CHECK(token && token.value().expires_in() > std::chrono::hours(1));
    const auto authorization = provider.value().try_authorization();
    CHECK(authorization && authorization.value().view() == token.value().authorization());
    CHECK(provider.value().try_authorization(std::chrono::seconds(0)));
    CHECK(provider.value().try_refresh());
    CHECK(!provider.value().try_check_url("https://api.clazar.io/"));
    CHECK(provider.value().try_check_url("https://example.com/")->code() ==
          CLAZAR_ERR_INVALID_ARGUMENT);
    const auto blob = provider.value().try_seal();
    CHECK(blob && !provider.value().try_unseal(blob.value().data(), blob.value().size()));
    CHECK(clazar::try_authenticate(config));
}

static void errors(const clazar::Config& config) {
    // It is kept, and names the option.
    auto odd = clazar::Config();
    odd.client_id(std::string_view("a\0b", 3)).timeout(std::chrono::milliseconds(0));
    const auto refused = clazar::Provider::try_make(odd);
    CHECK(!refused && refused.error()->code() == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(std::string_view(refused.error()->what()).find("client_id") != std::string_view::npos);
    CHECK(!clazar::try_authenticate(odd));
    // Until each option is set.
    auto corrected = clazar::Config::try_from_env().value();
    corrected.timeout(std::chrono::milliseconds(0)).store(std::string_view("a\0b", 3));
    corrected.timeout(std::chrono::seconds(5));
    CHECK(!clazar::Provider::try_make(corrected));
    corrected.store("memory");
    CHECK(clazar::Provider::try_make(corrected));
    CHECK(!clazar::Provider::try_make(clazar::Config()));

    const auto closed = clazar::Provider::try_make(config);
    closed.value().close();
    const auto none = closed.value().try_token();
    CHECK(none.error()->code() == CLAZAR_ERR_CLOSED);
    const auto never = closed.value().try_token_async([](auto) {});
    CHECK(never.error()->code() == CLAZAR_ERR_CLOSED);
}

static void callbacks(const clazar::Config& config) {
    const auto provider = clazar::Provider::try_make(config);
    std::atomic<int> told{0};
    const auto at_hand =
        provider.value().try_token_async([&told](clazar::Result<clazar::Token> result) {
            CHECK(result && !result.value().value().empty());
            ++told;
        });
    CHECK(at_hand && !at_hand.value());
    while (told == 0) std::this_thread::yield();
    const auto now = provider.value().try_token_async([](auto) { std::abort(); });
    CHECK(now && now.value());
}

int main() {
    const auto config = clazar::Config::try_from_env();
    CHECK(config);
    values(config.value());
    errors(config.value());
    callbacks(config.value());
}
