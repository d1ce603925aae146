/**
 * @file
 * clazar-auth for C++17: what clazar_auth.h offers, as types that clean up after themselves.
 *
 *     #include <clazar_auth.hpp>
 *     #include <iostream>
 *
 *     int main() try {
 *         const auto provider = clazar::Provider::from_env();
 *         const auto authorization = provider.authorization();
 *         std::cout << "ready to send " << authorization.view().size() << " characters\n";
 *     } catch (const clazar::Error& error) {
 *         std::cerr << error.what() << '\n';
 *         return 1;
 *     }
 *
 * A Provider and a Token are copied as handles on the same thing; a Config can only be moved. An object
 * that was moved from is empty: it may be assigned to; its noexcept functions give an empty result, and the
 * others throw. What clazar_auth.h says of threads, fork() and errno holds here too.
 *
 * Functions throw Error, or std::bad_alloc, unless they are noexcept. Those whose name begins with try_
 * give a Result in its place. In a program that is compiled without exceptions (-fno-exceptions) use those:
 * there the others print the error and call std::abort() where they would throw. A setter of Config keeps
 * its error there, for Provider::try_make() and try_authenticate(), until the option is set.
 */
#ifndef CLAZAR_AUTH_HPP
#define CLAZAR_AUTH_HPP

#if __cplusplus < 201703L && !(defined(_MSVC_LANG) && _MSVC_LANG >= 201703L)
#error "clazar_auth.hpp needs C++17: compile with -std=c++17 or later, or use clazar_auth.h"
#endif

#include <clazar_auth.h>

#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#if defined(__cpp_exceptions) || defined(_CPPUNWIND)
#define CLAZAR_EXCEPTIONS 1
#include <future>
#else
#define CLAZAR_EXCEPTIONS 0
#endif

// Has compilers that can tell warn of a view that outlives what it is of.
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::lifetimebound)
#define CLAZAR_LIFETIMEBOUND [[clang::lifetimebound]]
#endif
#endif
#ifndef CLAZAR_LIFETIMEBOUND
#define CLAZAR_LIFETIMEBOUND
#endif

// An Error is caught across shared objects that hide their symbols, which DLLs do not know.
#if defined(__GNUC__) && !defined(_WIN32)
#define CLAZAR_VISIBLE __attribute__((visibility("default")))
#else
#define CLAZAR_VISIBLE
#endif

namespace clazar {

// What was compiled with another version of this header, another standard library, or with or without
// exceptions, may meet in one program.
#if defined(_LIBCPP_VERSION) && CLAZAR_EXCEPTIONS
inline namespace v0_1_libcxx {
#elif defined(_LIBCPP_VERSION)
inline namespace v0_1_libcxx_noexcept {
#elif CLAZAR_EXCEPTIONS
inline namespace v0_1 {
#else
inline namespace v0_1_noexcept {
#endif

/**
 * Why a function failed. what() says what happened, where, and what to do next; it holds no secret
 * and no token.
 */
class CLAZAR_VISIBLE Error : public std::runtime_error {
public:
    /** An error of the C interface, which stays the caller's; it may be NULL. */
    Error(clazar_status code, const clazar_error* error)
        : std::runtime_error(error != nullptr ? clazar_error_message(error)
                                              : clazar_status_name(code)),
          code_(code),
          http_status_(clazar_error_http_status(error)),
          is_retryable_(clazar_error_is_retryable(error)),
          retry_after_(clazar_error_retry_after_ms(error)) {}

    /** An argument that cannot be used. */
    explicit Error(const std::string& message)
        : std::runtime_error(message), code_(CLAZAR_ERR_INVALID_ARGUMENT) {}

    /** One of the `CLAZAR_ERR_*`. */
    [[nodiscard]] clazar_status code() const noexcept { return code_; }

    /** The HTTP status code of the API's answer; 0 if none came. */
    [[nodiscard]] std::int32_t http_status() const noexcept { return http_status_; }

    /** Whether the same call may succeed later, with nothing changed. */
    [[nodiscard]] bool is_retryable() const noexcept { return is_retryable_; }

    /** How long to wait before the next request, where that is known. */
    [[nodiscard]] std::optional<std::chrono::milliseconds> retry_after() const noexcept {
        if (retry_after_ < 0) return std::nullopt;
        return std::chrono::milliseconds(retry_after_);
    }

private:
    clazar_status code_;
    std::int32_t http_status_ = 0;
    bool is_retryable_ = false;
    std::int64_t retry_after_ = -1;
};

/** Not for users. */
namespace detail {

/** Throws, where that can be. */
[[noreturn]] inline void fail(const Error& error) {
#if CLAZAR_EXCEPTIONS
    throw error;
#else
    std::fprintf(stderr, "%s\n", error.what());
    std::abort();
#endif
}

/** Calls what belongs to a program from the C interface, which no exception must cross. */
template <class Function>
void contained(Function&& function) noexcept {
#if CLAZAR_EXCEPTIONS
    try {
        function();
    } catch (...) {
        // A callback has nobody to report to.
    }
#else
    function();
#endif
}

template <auto Function>
struct Free {
    template <class T>
    void operator()(T* handle) const noexcept {
        Function(handle);
    }
};

using ConfigHandle = std::unique_ptr<clazar_config, Free<clazar_config_free>>;
using ErrorHandle = std::unique_ptr<clazar_error, Free<clazar_error_free>>;
using ProviderHandle = std::unique_ptr<clazar_provider, Free<clazar_provider_free>>;
using TokenHandle = std::unique_ptr<clazar_token, Free<clazar_token_free>>;

/** Calls a function with an out-parameter for its error, which is given back. */
template <class Function>
std::optional<Error> error_of(Function&& function) {
    clazar_error* raw = nullptr;
    const clazar_status status = function(&raw);
    const ErrorHandle error(raw);
    if (status == CLAZAR_OK) return std::nullopt;
    return Error(status, error.get());
}

/** The milliseconds of a time-out, rounded up; none below 0, and at most a thousand years. */
template <class Rep, class Period>
std::uint64_t milliseconds(std::chrono::duration<Rep, Period> time) {
    const double longest = 1000.0 * 365 * 86400 * 1000;
    const double count = std::chrono::duration<double, std::milli>(time).count();
    if (!(count > 0)) return 0;
    return static_cast<std::uint64_t>(std::ceil(count < longest ? count : longest));
}

/** Milliseconds of the C interface, where none are below 0. */
inline std::optional<std::chrono::milliseconds> time(std::int64_t milliseconds) noexcept {
    if (milliseconds < 0) return std::nullopt;
    return std::chrono::milliseconds(milliseconds);
}

/** Deletes what a callback was called with. */
template <class Callable>
void destroy(void* callable) noexcept {
    delete static_cast<Callable*>(callable);
}

/** A copy of a text that ends in NUL, and is wiped. */
class Text {
public:
    explicit Text(std::string_view text) : text_(text) {}
    Text(const Text&) = delete;
    Text& operator=(const Text&) = delete;
    ~Text() { clazar_memzero(text_.data(), text_.size()); }
    [[nodiscard]] const char* c_str() const noexcept { return text_.c_str(); }

private:
    std::string text_;
};

inline bool has_nul(std::string_view text) noexcept {
    return text.find('\0') != std::string_view::npos;
}

}  // namespace detail

/** A value, or the Error that is there in its place. */
template <class T>
class [[nodiscard]] Result {
public:
    Result(T value) : content_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
    Result(Error error) : content_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

    /** Whether there is a value. */
    explicit operator bool() const noexcept { return content_.index() == 0; }

    /** The value; without one the Error is thrown. */
    [[nodiscard]] const T& value() const& CLAZAR_LIFETIMEBOUND { return checked(content_); }
    /** The same, to be changed or moved from. */
    [[nodiscard]] T& value() & CLAZAR_LIFETIMEBOUND { return checked(content_); }
    /** The same, moved out. */
    [[nodiscard]] T value() && { return std::move(checked(content_)); }

    /** The Error, or null if there is a value. */
    [[nodiscard]] const Error* error() const& noexcept CLAZAR_LIFETIMEBOUND {
        return std::get_if<1>(&content_);
    }
    const Error* error() const&& = delete;

private:
    template <class Content>
    static auto& checked(Content& content) {
        if (const Error* error = std::get_if<1>(&content)) detail::fail(*error);
        return std::get<0>(content);
    }

    std::variant<T, Error> content_;
};

/** As `clazar_event_info`. Its texts end in NUL, and are valid during the call that gets it. */
struct Event {
    clazar_event kind;
    clazar_level level;
    std::string_view client_id;
    std::string_view message;
    clazar_cause cause;
    /** `CLAZAR_OK` if nothing failed. */
    clazar_status error_code;
    /** 0 if no answer of the API failed. */
    std::int32_t http_status;
    std::optional<std::chrono::milliseconds> retry_after;
    std::optional<std::chrono::milliseconds> expires_in;
};

/** Options for a Provider and for authenticate(), which check them. For one thread at a time. */
class Config {
public:
    /** Options without credentials. No environment variable is read. */
    Config() : Config(make(clazar_config_new).value()) {}

    /** Options from the environment, as `clazar_config_new_from_env` reads them. */
    [[nodiscard]] static Config from_env() { return try_from_env().value(); }
    /** The same, without exceptions. */
    static Result<Config> try_from_env() { return make(clazar_config_new_from_env); }

    // setters: generated by `make generate` from src/interface.rs
    /** As `clazar_config_set_client_id`. */
    Config& client_id(std::string_view text) {
        return set(clazar_config_set_client_id, "client_id", text);
    }
    /** As `clazar_config_set_client_secret`. */
    Config& client_secret(std::string_view text) {
        return set(clazar_config_set_client_secret, "client_secret", text);
    }
    /** As `clazar_config_set_client_secret_file`. */
    Config& client_secret_file(std::string_view text) {
        return set(clazar_config_set_client_secret_file, "client_secret_file", text);
    }
    /** As `clazar_config_set_client_secret_fallback`. */
    Config& client_secret_fallback(std::string_view text) {
        return set(clazar_config_set_client_secret_fallback, "client_secret_fallback", text);
    }
    /** As `clazar_config_set_auth_url`. */
    Config& auth_url(std::string_view text) {
        return set(clazar_config_set_auth_url, "auth_url", text);
    }
    /** As `clazar_config_set_ca_file`. */
    Config& ca_file(std::string_view text) {
        return set(clazar_config_set_ca_file, "ca_file", text);
    }
    /** As `clazar_config_set_proxy`. */
    Config& proxy(std::string_view text) {
        return set(clazar_config_set_proxy, "proxy", text);
    }
    /** As `clazar_config_set_timeout_ms`; above zero. */
    Config& timeout(std::chrono::milliseconds time) {
        return set_time(clazar_config_set_timeout_ms, "timeout", time);
    }
    /** As `clazar_config_set_user_agent`. */
    Config& user_agent(std::string_view text) {
        return set(clazar_config_set_user_agent, "user_agent", text);
    }
    /** As `clazar_config_set_allowed_hosts`, of any range of texts. */
    template <class Range>
    Config& allowed_hosts(const Range& texts) {
        return set_all(clazar_config_set_allowed_hosts, "allowed_hosts", texts);
    }
    /** The same, of a list in braces. */
    Config& allowed_hosts(std::initializer_list<std::string_view> texts) {
        return set_all(clazar_config_set_allowed_hosts, "allowed_hosts", texts);
    }
    /** As `clazar_config_set_store`. */
    Config& store(std::string_view text) {
        return set(clazar_config_set_store, "store", text);
    }
    /** As `clazar_config_set_trust_env`. */
    Config& trust_env(bool on) {
        return done(clazar_config_set_trust_env(handle_.get(), on), "trust_env");
    }
    /** As `clazar_config_set_system_roots`. */
    Config& system_roots(bool on) {
        return done(clazar_config_set_system_roots(handle_.get(), on), "system_roots");
    }
    // end of what is generated

    /**
     * Sets what is called with each event (const Event&) of the providers made with this
     * configuration: anything that can be called so and be moved. It is called on any thread and on
     * several at once, as `clazar_event_callback` says. What it throws is dropped. It is destroyed
     * after the last event.
     */
    template <class Callable>
    Config& event_callback(Callable callback) {
        static_assert(std::is_invocable_v<Callable&, const Event&>,
                      "an event callback is called with a const clazar::Event&");
        const auto call = [](void* context, const clazar_event_info* info) noexcept {
            detail::contained([&] {
                (*static_cast<Callable*>(context))(
                    Event{info->kind, info->level, info->client_id, info->message, info->cause,
                          info->error_code, info->http_status, detail::time(info->retry_after_ms),
                          detail::time(info->expires_in_ms)});
            });
        };
        auto context = std::make_unique<Callable>(std::move(callback));
        const clazar_status status = clazar_config_set_event_callback(
            handle_.get(), call, context.get(), detail::destroy<Callable>);
        if (status == CLAZAR_OK) static_cast<void>(context.release());
        return done(status, "event_callback");
    }
    /** Providers made from now on tell no events. */
    Config& event_callback(std::nullptr_t) {
        return done(clazar_config_set_event_callback(handle_.get(), nullptr, nullptr, nullptr),
                    "event_callback");
    }

    /** The handle of the C interface, which stays this object's. */
    [[nodiscard]] const clazar_config* get() const noexcept { return handle_.get(); }

private:
    friend class Provider;
    friend Result<class Token> try_authenticate(const Config& config);
    explicit Config(detail::ConfigHandle handle) noexcept : handle_(std::move(handle)) {}

    template <class Maker>
    static Result<Config> make(Maker maker) {
        clazar_config* config = nullptr;
        auto failure =
            detail::error_of([&](clazar_error** error) { return maker(&config, error); });
        if (failure) return std::move(*failure);
        return Config(detail::ConfigHandle(config));
    }

    template <class Setter>
    Config& set(Setter setter, const char* name, std::string_view value) {
        if (detail::has_nul(value)) return failed(name, " must not contain a NUL");
        return done(setter(handle_.get(), detail::Text(value).c_str()), name);
    }

    template <class Setter, class Range>
    Config& set_all(Setter setter, const char* name, const Range& values) {
        std::vector<std::string> copies;
        for (const auto& value : values) copies.emplace_back(std::string_view(value));
        std::vector<const char*> texts;
        for (const auto& copy : copies) {
            if (detail::has_nul(copy)) return failed(name, " must not contain a NUL");
            texts.push_back(copy.c_str());
        }
        return done(setter(handle_.get(), texts.data(), texts.size()), name);
    }

    template <class Setter>
    Config& set_time(Setter setter, const char* name, std::chrono::milliseconds time) {
        if (time.count() <= 0) return failed(name, " must be above 0");
        return done(setter(handle_.get(), static_cast<std::uint64_t>(time.count())), name);
    }

    Config& done(clazar_status status, const char* name) {
        if (status != CLAZAR_OK) {
            return failed(name, handle_ ? " must be UTF-8 of at most 64 KiB"
                                        : " cannot be set: the Config was moved from");
        }
        errors_.erase(name);
        return *this;
    }

    Config& failed(const char* name, const char* why) {
        Error error(std::string(name) + why);
#if CLAZAR_EXCEPTIONS
        throw error;
#else
        errors_.insert_or_assign(name, std::move(error));
        return *this;
#endif
    }

    /** An error of a setter that could not be thrown, until the option is set. Null if there is none. */
    [[nodiscard]] const Error* error() const noexcept {
        return errors_.empty() ? nullptr : &errors_.begin()->second;
    }

    detail::ConfigHandle handle_;
    /** By the name of the option. */
    std::map<std::string_view, Error> errors_;
};

/** An access token. Immutable: any number of threads may read it. A copy is another handle on it. */
class Token {
public:
    Token(const Token& other) noexcept : handle_(clazar_token_clone(other.get())) {}
    Token(Token&&) noexcept = default;
    Token& operator=(Token other) noexcept {
        handle_.swap(other.handle_);
        return *this;
    }
    ~Token() = default;

    /** The token itself, without "Bearer". Ends in NUL, and is valid as long as this object. */
    [[nodiscard]] std::string_view value() const& noexcept CLAZAR_LIFETIMEBOUND {
        return text(clazar_token_value);
    }
    /** Not of a temporary, which is gone at the end of its statement. */
    std::string_view value() const&& = delete;

    /** The value of the Authorization header. Ends in NUL, and is valid as long as this object. */
    [[nodiscard]] std::string_view authorization() const& noexcept CLAZAR_LIFETIMEBOUND {
        return text(clazar_token_authorization);
    }
    /** Not of a temporary. */
    std::string_view authorization() const&& = delete;

    /** When the token expires, by this machine's clock at the time of the token request. */
    [[nodiscard]] std::chrono::system_clock::time_point expires_at() const noexcept {
        return std::chrono::system_clock::time_point(
            std::chrono::seconds(clazar_token_expires_at(handle_.get())));
    }

    /** How long the token is still valid, rounded down; 0 once it has expired. */
    [[nodiscard]] std::chrono::seconds expires_in() const noexcept {
        return std::chrono::seconds(clazar_token_expires_in(handle_.get()));
    }

    /** The handle of the C interface, which stays this object's. */
    [[nodiscard]] const clazar_token* get() const noexcept { return handle_.get(); }

private:
    friend class Provider;
    friend Result<Token> try_authenticate(const Config& config);
    explicit Token(clazar_token* token) noexcept : handle_(token) {}

    template <class Getter>
    std::string_view text(Getter getter) const noexcept {
        std::size_t length = 0;
        const char* text = getter(handle_.get(), &length);
        return text != nullptr ? std::string_view(text, length) : std::string_view();
    }

    detail::TokenHandle handle_;
};

/** The value of the Authorization header on the stack, wiped at its end. Made by a Provider. */
class Authorization {
public:
    Authorization(Authorization&& other) noexcept : length_(other.length_) {
        std::memcpy(text_, other.text_, length_ + 1);
        clazar_memzero(other.text_, other.length_);
        other.length_ = 0;
    }
    Authorization& operator=(Authorization&&) = delete;
    ~Authorization() { clazar_memzero(text_, length_); }

    /** "Bearer <token>", valid as long as this object. */
    [[nodiscard]] std::string_view view() const& noexcept CLAZAR_LIFETIMEBOUND {
        return {text_, length_};
    }
    /** Not of a temporary, which is wiped at the end of its statement. */
    std::string_view view() const&& = delete;
    /** The same, ending in NUL. */
    [[nodiscard]] const char* c_str() const& noexcept CLAZAR_LIFETIMEBOUND { return text_; }
    /** Not of a temporary. */
    const char* c_str() const&& = delete;
    /** As view(). */
    operator std::string_view() const& noexcept CLAZAR_LIFETIMEBOUND { return view(); }  // NOLINT
    operator std::string_view() const&& = delete;                                        // NOLINT

private:
    friend class Provider;
    Authorization() noexcept { text_[0] = '\0'; }

    std::size_t length_ = 0;
    char text_[CLAZAR_AUTHORIZATION_MAX];
};

/**
 * Hands out a valid token, and gets a new one when it is due. Any number of threads may use it at
 * once; only the destructor and assignment need it for themselves. A copy is another handle on the same
 * provider.
 *
 * A time-out is any duration of std::chrono: what clazar_provider_token_timeout says of it holds.
 */
class Provider {
public:
    /** As `clazar_provider_new`: no request is sent before the first token is asked for. */
    explicit Provider(const Config& config) : Provider(try_make(config).value()) {}

    /** The same, without exceptions. */
    static Result<Provider> try_make(const Config& config) {
        if (config.error()) return *config.error();
        clazar_provider* provider = nullptr;
        auto failure = detail::error_of([&](clazar_error** error) {
            return clazar_provider_new(config.get(), &provider, error);
        });
        if (failure) return std::move(*failure);
        return Provider(provider);
    }

    /** A provider with the options that the environment holds. */
    [[nodiscard]] static Provider from_env() { return Provider(Config::from_env()); }

    Provider(const Provider& other) noexcept : handle_(clazar_provider_clone(other.get())) {}
    Provider(Provider&&) noexcept = default;
    Provider& operator=(Provider other) noexcept {
        handle_.swap(other.handle_);
        return *this;
    }
    ~Provider() = default;

    /** As `clazar_provider_authorization`: with a fresh token no lock, no allocation. */
    [[nodiscard]] Authorization authorization() const {
        Authorization text;
        if (const auto failure = fill(text, clazar_provider_authorization)) detail::fail(*failure);
        return text;
    }
    /** The same, without exceptions. */
    Result<Authorization> try_authorization() const {
        Authorization text;
        auto failure = fill(text, clazar_provider_authorization);
        if (failure) return std::move(*failure);
        return text;
    }
    /** As `clazar_provider_authorization_timeout`. */
    template <class Rep, class Period>
    [[nodiscard]] Authorization authorization(std::chrono::duration<Rep, Period> timeout) const {
        return try_authorization(timeout).value();
    }
    /** The same, without exceptions. */
    template <class Rep, class Period>
    Result<Authorization> try_authorization(std::chrono::duration<Rep, Period> timeout) const {
        Authorization text;
        auto failure = fill(text, [&](auto provider, auto... more) {
            return clazar_provider_authorization_timeout(provider, detail::milliseconds(timeout),
                                                         more...);
        });
        if (failure) return std::move(*failure);
        return text;
    }

    /** As `clazar_provider_token`. */
    [[nodiscard]] Token token() const { return try_token().value(); }
    /** The same, without exceptions. */
    Result<Token> try_token() const { return ask(clazar_provider_token); }
    /** As `clazar_provider_token_timeout`. */
    template <class Rep, class Period>
    [[nodiscard]] Token token(std::chrono::duration<Rep, Period> timeout) const {
        return try_token(timeout).value();
    }
    /** The same, without exceptions. */
    template <class Rep, class Period>
    Result<Token> try_token(std::chrono::duration<Rep, Period> timeout) const {
        return ask([&](auto provider, auto... more) {
            return clazar_provider_token_timeout(provider, detail::milliseconds(timeout), more...);
        });
    }

    /**
     * As `clazar_provider_token_async`: the token, if one is available; else `callback` is called with a
     * Result<Token>, once, on a thread of the library. It is anything that can be called so and be moved,
     * and is destroyed after the call. What it throws is dropped.
     */
    template <class Callable>
    [[nodiscard]] std::optional<Token> token_async(Callable callback) const {
        return try_token_async(std::move(callback)).value();
    }
    /** The same, without exceptions. */
    template <class Callable>
    Result<std::optional<Token>> try_token_async(Callable callback) const {
        static_assert(std::is_invocable_v<Callable&, Result<Token>>,
                      "the callback is called with a clazar::Result<clazar::Token>");
        const auto call = [](void* context, clazar_token* token, clazar_error* raw) noexcept {
            const std::unique_ptr<Callable> callable(static_cast<Callable*>(context));
            const detail::ErrorHandle error(raw);
            detail::contained([&] {
                if (token != nullptr) {
                    (*callable)(Result<Token>(Token(token)));
                } else {
                    (*callable)(Result<Token>(Error(clazar_error_code(raw), raw)));
                }
            });
        };
        auto context = std::make_unique<Callable>(std::move(callback));
        clazar_token* token = nullptr;
        auto failure = detail::error_of([&](clazar_error** error) {
            return clazar_provider_token_async(handle_.get(), call, context.get(), &token, error);
        });
        if (failure) return std::move(*failure);
        if (token != nullptr) return std::optional<Token>(Token(token));
        static_cast<void>(context.release());
        return std::optional<Token>();
    }

#if CLAZAR_EXCEPTIONS
    /** A token to come, which may be there already. Its destructor does not wait. */
    [[nodiscard]] std::future<Token> token_future() const {
        std::promise<Token> promise;
        std::future<Token> future = promise.get_future();
        auto token = try_token_async([promise = std::move(promise)](Result<Token> result) mutable {
            settle(promise, std::move(result));
        });
        if (token && !token.value()) return future;
        std::promise<Token> done;
        if (token) {
            done.set_value(*std::move(token).value());
        } else {
            done.set_exception(std::make_exception_ptr(*token.error()));
        }
        return done.get_future();
    }
#endif

    /** As `clazar_provider_peek`: the token in memory if it is valid, without any I/O. */
    [[nodiscard]] std::optional<Token> peek() const {
        clazar_token* token = nullptr;
        check([&](clazar_error** error) {
            return clazar_provider_peek(handle_.get(), &token, error);
        });
        if (token == nullptr) return std::nullopt;
        return Token(token);
    }

    /** As `clazar_provider_refresh`. */
    Token refresh() const { return try_refresh().value(); }
    /** The same, without exceptions. */
    Result<Token> try_refresh() const { return ask(clazar_provider_refresh); }
    /** As `clazar_provider_refresh_timeout`. */
    template <class Rep, class Period>
    Token refresh(std::chrono::duration<Rep, Period> timeout) const {
        return try_refresh(timeout).value();
    }
    /** The same, without exceptions. */
    template <class Rep, class Period>
    Result<Token> try_refresh(std::chrono::duration<Rep, Period> timeout) const {
        return ask([&](auto provider, auto... more) {
            return clazar_provider_refresh_timeout(provider, detail::milliseconds(timeout),
                                                   more...);
        });
    }

    /** As `clazar_provider_invalidate`: the API answered 401 to `token`. */
    void invalidate(const Token& token) const {
        check([&](clazar_error** error) {
            return clazar_provider_invalidate(handle_.get(), token.get(), error);
        });
    }

    /** As `clazar_provider_seal`. */
    [[nodiscard]] std::vector<std::uint8_t> seal() const { return try_seal().value(); }
    /** The same, without exceptions. */
    Result<std::vector<std::uint8_t>> try_seal() const {
        std::vector<std::uint8_t> blob(CLAZAR_SEALED_MAX);
        std::size_t length = 0;
        auto failure = detail::error_of([&](clazar_error** error) {
            return clazar_provider_seal(handle_.get(), blob.data(), blob.size(), &length, error);
        });
        if (failure) return std::move(*failure);
        blob.resize(length);
        return blob;
    }

    /** As `clazar_provider_unseal`. */
    void unseal(const std::uint8_t* blob, std::size_t size) const {
        if (const auto error = try_unseal(blob, size)) detail::fail(*error);
    }
    /** The same, of a whole vector. */
    void unseal(const std::vector<std::uint8_t>& blob) const { unseal(blob.data(), blob.size()); }
    /** The error of that, without exceptions. */
    [[nodiscard]] std::optional<Error> try_unseal(const std::uint8_t* blob,
                                                  std::size_t size) const {
        return detail::error_of([&](clazar_error** error) {
            return clazar_provider_unseal(handle_.get(), blob, size, error);
        });
    }

    /** As `clazar_provider_check_url`: throws an Error that says why not. */
    void check_url(std::string_view url) const {
        if (const auto error = try_check_url(url)) detail::fail(*error);
    }
    /** The error of that, without exceptions. */
    [[nodiscard]] std::optional<Error> try_check_url(std::string_view url) const {
        if (detail::has_nul(url)) return Error("url must not contain a NUL");
        return detail::error_of([&](clazar_error** error) {
            return clazar_provider_check_url(handle_.get(), detail::Text(url).c_str(), error);
        });
    }

    /** What the provider did so far, and how it is now. */
    [[nodiscard]] clazar_stats stats() const {
        clazar_stats stats = CLAZAR_STATS_INIT;
        check([&](clazar_error** error) {
            return clazar_provider_stats(handle_.get(), &stats, error);
        });
        return stats;
    }

    /** As `clazar_provider_close`, for all handles. */
    void close() const noexcept { clazar_provider_close(handle_.get()); }

    /** The handle of the C interface, which stays this object's. */
    [[nodiscard]] const clazar_provider* get() const noexcept { return handle_.get(); }

private:
    explicit Provider(clazar_provider* provider) noexcept : handle_(provider) {}

    /** Fails only for an object that was moved from. */
    template <class Function>
    static void check(Function&& function) {
        if (const auto failure = detail::error_of(function)) detail::fail(*failure);
    }

    template <class Getter>
    Result<Token> ask(Getter getter) const {
        clazar_token* token = nullptr;
        auto failure = detail::error_of(
            [&](clazar_error** error) { return getter(handle_.get(), &token, error); });
        if (failure) return std::move(*failure);
        return Token(token);
    }

    template <class Getter>
    std::optional<Error> fill(Authorization& text, Getter getter) const {
        std::size_t length = 0;
        auto failure = detail::error_of([&](clazar_error** error) {
            return getter(handle_.get(), text.text_, sizeof text.text_, &length, error);
        });
        // With an error it may be a length that would be needed.
        if (!failure) text.length_ = length;
        return failure;
    }

#if CLAZAR_EXCEPTIONS
    static void settle(std::promise<Token>& promise, Result<Token> result) {
        if (const Error* error = result.error()) {
            promise.set_exception(std::make_exception_ptr(*error));
        } else {
            promise.set_value(std::move(result).value());
        }
    }
#endif

    detail::ProviderHandle handle_;
};

/** As `clazar_authenticate`, without exceptions. */
inline Result<Token> try_authenticate(const Config& config) {
    if (config.error()) return *config.error();
    clazar_token* token = nullptr;
    auto failure = detail::error_of(
        [&](clazar_error** error) { return clazar_authenticate(config.get(), &token, error); });
    if (failure) return std::move(*failure);
    return Token(token);
}

/** As `clazar_authenticate`: one request on the calling thread, and nothing is kept. */
[[nodiscard]] inline Token authenticate(const Config& config) {
    return try_authenticate(config).value();
}

/** The version of the library, such as "0.1.0". */
[[nodiscard]] inline std::string_view version() noexcept { return clazar_version(); }

}  // namespace v0_1
}  // namespace clazar

#undef CLAZAR_EXCEPTIONS
#undef CLAZAR_LIFETIMEBOUND
#undef CLAZAR_VISIBLE

#endif
