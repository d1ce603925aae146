// clazar_auth.hpp from one end to the other, against the sandbox.
#include <clazar_auth.hpp>

#include "../c/options.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#define CHECK(condition)                                                                 \
    do {                                                                                 \
        if (!(condition)) {                                                              \
            std::fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition); \
            std::exit(1);                                                                \
        }                                                                                \
    } while (false)

template <class T>
constexpr bool is_move_only =
    !std::is_copy_constructible_v<T> && !std::is_copy_assignable_v<T> &&
    std::is_nothrow_move_constructible_v<T> && std::is_nothrow_move_assignable_v<T>;
static_assert(is_move_only<clazar::Config>);
template <class T>
constexpr bool is_a_handle =
    std::is_nothrow_copy_constructible_v<T> && std::is_nothrow_move_constructible_v<T> &&
    std::is_copy_assignable_v<T> && std::is_move_assignable_v<T>;
static_assert(is_a_handle<clazar::Provider> && is_a_handle<clazar::Token>);
static_assert(!std::is_copy_constructible_v<clazar::Authorization>);
static_assert(std::is_nothrow_copy_constructible_v<clazar::Error>);
static_assert(std::is_base_of_v<std::runtime_error, clazar::Error>);
static_assert(!std::is_convertible_v<clazar::Config, clazar::Provider>);

template <class Function>
static clazar::Error failure_of(Function function) {
    try {
        function();
    } catch (const clazar::Error& error) {
        return error;
    }
    std::fputs("nothing was thrown\n", stderr);
    std::exit(1);
}

static void tokens() {
    auto provider = clazar::Provider::from_env();
    CHECK(!provider.peek());
    const auto token = provider.token();
    CHECK(std::string("Bearer ") + std::string(token.value()) == token.authorization());
    CHECK(token.expires_in() > std::chrono::hours(1) &&
          token.expires_in() <= std::chrono::hours(24));
    CHECK(token.expires_at() > std::chrono::system_clock::now());
    CHECK(provider.peek()->value() == token.value());

    const auto authorization = provider.authorization();
    CHECK(authorization.view() == token.authorization());
    CHECK(std::string(authorization.c_str()) == token.authorization());
    const std::string_view converted = authorization;
    CHECK(converted.data() == authorization.c_str());

    provider.invalidate(token);
    const auto fresh = provider.token();
    CHECK(fresh.value() != token.value());
    const auto stats = provider.stats();
    CHECK(stats.empty_succeeded == 1 && stats.invalidated_succeeded == 1);

    auto other = clazar::Provider::from_env();
    other.unseal(provider.seal());
    const auto taken = other.token();
    CHECK(taken.value() == fresh.value());
    CHECK(other.stats().empty_succeeded == 0);

    const auto copy = provider;
    const auto same = fresh;
    CHECK(same.value().data() == fresh.value().data());
    copy.close();
    CHECK(failure_of([&] { (void)provider.token(); }).code() == CLAZAR_ERR_CLOSED);
}

static void errors() {
    clazar::Config config;
    const auto missing = failure_of([&] { clazar::Provider provider(config); });
    CHECK(missing.code() == CLAZAR_ERR_INVALID_ARGUMENT && !missing.is_retryable());
    CHECK(missing.http_status() == 0 && !missing.retry_after());

    auto odd = clazar::Config::from_env();
    odd.store("no-such-store:");
    const auto unknown = failure_of([&] { clazar::Provider provider(odd); });
    CHECK(unknown.code() == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(std::string_view(unknown.what()).find("store") != std::string_view::npos);
    CHECK(failure_of([&] { config.client_id(std::string_view("a\0b", 3)); }).code() ==
          CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(failure_of([&] { config.timeout(std::chrono::milliseconds(-1)); }).code() ==
          CLAZAR_ERR_INVALID_ARGUMENT);

    auto alone = clazar::Config::from_env();
    alone.auth_url("https://127.0.0.1/").system_roots(false);
    const auto untrusting = failure_of([&] { clazar::Provider provider(alone); });
    CHECK(untrusting.code() == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(std::string_view(untrusting.what()).find("system_roots") != std::string_view::npos);
    auto placeless = clazar::Config::from_env();
    placeless.store("file").trust_env(false);
    const auto nowhere = failure_of([&] { clazar::Provider provider(placeless); });
    CHECK(std::string_view(nowhere.what()).find("trust_env") != std::string_view::npos);

    auto wrong = clazar::Config::from_env();
    wrong.client_secret("a-wrong-secret").timeout(std::chrono::seconds(10));
    const clazar::Provider refused(wrong);
    const auto error = failure_of([&] { (void)refused.authorization(); });
    CHECK(error.code() == CLAZAR_ERR_CREDENTIALS && error.http_status() == 401);
    CHECK(std::string(error.what()).find("a-wrong-secret") == std::string::npos);
    CHECK(failure_of([&] { (void)refused.token(); }).retry_after() > std::chrono::seconds(1));
    CHECK(failure_of([&] { (void)clazar::authenticate(wrong); }).code() == CLAZAR_ERR_CREDENTIALS);
}

/* Each reaches the setter of its own name: an error about a NUL names it. */
static void setters() {
    clazar::Config config;
#define NAMES_ITSELF(option)                                                                     \
    CHECK(std::string_view(failure_of([&] { config.option(std::string_view("\0", 1)); }).what()) \
              .find(#option) != std::string_view::npos);                                         \
    config.option("text");
    TEXT_SETTERS(NAMES_ITSELF)
#define TAKES_BOTH(option) config.option(true).option(false);
    FLAG_SETTERS(TAKES_BOTH)
}

static void hosts() {
    auto config = clazar::Config::from_env();
    const clazar::Provider usual(config);
    usual.check_url("https://api.clazar.io/listings/");
    const auto elsewhere = failure_of([&] { usual.check_url("https://gw.example/"); });
    CHECK(elsewhere.code() == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(std::string_view(elsewhere.what()).find("allowed_hosts") != std::string_view::npos);
    CHECK(failure_of([&] {
              usual.check_url(std::string_view("https://api.clazar.io\0x", 23));
          }).code() == CLAZAR_ERR_INVALID_ARGUMENT);

    const clazar::Provider named(config.allowed_hosts({"gw.example", "127.0.0.1:8080"}));
    named.check_url("https://gw.example/");
    CHECK(failure_of([&] { named.check_url("https://api.clazar.io/"); }).code() ==
          CLAZAR_ERR_INVALID_ARGUMENT);
    const std::vector<std::string> listed{"api.clazar.io"};
    clazar::Provider(config.allowed_hosts(listed)).check_url("https://api.clazar.io/");
    const auto nowhere = clazar::Provider(config.allowed_hosts({}));
    CHECK(failure_of([&] { nowhere.check_url("https://api.clazar.io/"); }).code() ==
          CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(failure_of([&] { config.allowed_hosts({std::string_view("a\0b", 3)}); }).code() ==
          CLAZAR_ERR_INVALID_ARGUMENT);
}

// Nothing turns into a view of what is wiped at the end of the statement.
static_assert(std::is_convertible_v<const clazar::Authorization&, std::string_view>);
static_assert(!std::is_convertible_v<clazar::Authorization, std::string_view>);

static void moved() {
    auto first = clazar::Provider::from_env();
    const auto second = std::move(first);
    CHECK(failure_of([&] { (void)first.token(); }).code() == CLAZAR_ERR_INVALID_ARGUMENT);
    CHECK(clazar::Provider(first).get() == nullptr);
    first.close();
    auto token = second.token();
    const auto kept = std::move(token);
    CHECK(token.value().empty() && token.expires_in().count() == 0 && !kept.value().empty());
}

static void check_the_success(const clazar::Event& event) {
    CHECK(event.kind == CLAZAR_EVENT_REFRESHED && event.level == CLAZAR_LEVEL_INFO);
    CHECK(event.client_id == std::getenv("CLAZAR_CLIENT_ID") && !event.message.empty());
    CHECK(event.cause == CLAZAR_CAUSE_EMPTY || event.cause == CLAZAR_CAUSE_REFRESH);
    CHECK(event.error_code == CLAZAR_OK && event.http_status == 0 && !event.retry_after);
    CHECK(event.expires_in > std::chrono::hours(23) && event.expires_in <= std::chrono::hours(24));
}

static void check_the_failure(const clazar::Event& event) {
    CHECK(event.kind == CLAZAR_EVENT_REFRESH_FAILED && event.level == CLAZAR_LEVEL_WARN);
    CHECK(event.error_code == CLAZAR_ERR_CREDENTIALS && event.http_status == 401);
    CHECK(event.retry_after > std::chrono::seconds(1) && !event.expires_in);
}

// The callback can only be moved. It throws, on the library's thread; and it is destroyed when all is
// over.
static void callbacks() {
    const auto alive = std::make_shared<std::atomic<int>>(0);
    {
        auto config = clazar::Config::from_env();
        auto owned = std::make_unique<int>(1);
        config.event_callback([alive, owned = std::move(owned)](const clazar::Event& event) {
            check_the_success(event);
            *alive += *owned;
            throw std::runtime_error("from a callback");
        });
        const clazar::Provider provider(config);
        CHECK(provider.token().expires_in().count() > 0);
        (void)provider.refresh();
        config.event_callback(nullptr);

        std::function<void(const clazar::Event&)> other = [alive](const clazar::Event& event) {
            check_the_failure(event);
            ++*alive;
        };
        config.event_callback(other).client_secret("not-a-real-secret-of-anybody");
        (void)failure_of([&] { (void)clazar::Provider(config).token(); });
        config.event_callback(check_the_failure);
        (void)failure_of([&] { (void)clazar::Provider(config).token(); });
    }
    // The token request's thread may hold the callback a little longer than its waiters.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (alive.use_count() > 1) {
        CHECK(std::chrono::steady_clock::now() < deadline);
        std::this_thread::yield();
    }
    CHECK(*alive == 3);
}

static void timeouts() {
    const clazar::Provider silent(
        clazar::Config::from_env().auth_url(std::getenv("TEST_SILENT_URL")));
    CHECK(failure_of([&] { (void)silent.token(std::chrono::seconds(0)); }).code() ==
          CLAZAR_ERR_TIMEOUT);
    const auto provider = clazar::Provider::from_env();
    const auto token = provider.token(std::chrono::minutes(1));
    const auto authorization = provider.authorization(std::chrono::duration<double>(0.5));
    const auto patiently = provider.refresh(std::chrono::seconds::max());
    CHECK(patiently.value() != token.value());
    CHECK(failure_of([&] { (void)silent.token(std::chrono::hours::min()); }).code() ==
          CLAZAR_ERR_TIMEOUT);
    const auto next = provider.refresh(std::chrono::minutes(1));
    CHECK(next.value() != patiently.value());
}

static void futures() {
    const auto provider = clazar::Provider::from_env();
    auto future = provider.token_future();
    auto other = provider.token_future();
    const auto token = future.get();
    const auto same = other.get();
    CHECK(token.value() == same.value());
    const auto at_hand = provider.token_future().get();
    CHECK(at_hand.value() == token.value() && provider.stats().empty_succeeded == 1);
    provider.close();
    CHECK(failure_of([&] { (void)provider.token_future().get(); }).code() == CLAZAR_ERR_CLOSED);
}

// A callback that can only be moved, that throws, and that is destroyed.
static void tokens_by_callback() {
    const auto provider = clazar::Provider::from_env();
    const auto alive = std::make_shared<std::atomic<int>>(0);
    auto owned = std::make_unique<int>(1);
    auto at_hand = provider.token_async(
        [alive, owned = std::move(owned)](clazar::Result<clazar::Token> result) {
            CHECK(result && !result.value().value().empty());
            *alive += *owned;
            throw std::runtime_error("from a callback");
        });
    CHECK(!at_hand);
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (alive.use_count() > 1) {
        CHECK(std::chrono::steady_clock::now() < deadline);
        std::this_thread::yield();
    }
    CHECK(*alive == 1);
    at_hand = provider.token_async([alive](clazar::Result<clazar::Token>) { ++*alive; });
    CHECK(at_hand && !at_hand->value().empty() && *alive == 1 && alive.use_count() == 1);
}

int main() {
    CHECK(!clazar::version().empty());
    timeouts();
    futures();
    tokens_by_callback();
    tokens();
    errors();
    setters();
    hosts();
    moved();
    callbacks();
}
