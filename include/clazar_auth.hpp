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
 * Config, Provider and Token can be moved but not copied. An object that was moved from is empty: it
 * may be assigned to; its noexcept functions give an empty result, and the others throw. Functions
 * throw Error, or std::bad_alloc, unless they are noexcept. What clazar_auth.h says of threads,
 * fork() and errno holds here too.
 */
#ifndef CLAZAR_AUTH_HPP
#define CLAZAR_AUTH_HPP

#include <clazar_auth.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

// Has compilers that can tell warn of a view that outlives what it is of.
#if defined(__has_cpp_attribute)
#if __has_cpp_attribute(clang::lifetimebound)
#define CLAZAR_LIFETIMEBOUND [[clang::lifetimebound]]
#endif
#endif
#ifndef CLAZAR_LIFETIMEBOUND
#define CLAZAR_LIFETIMEBOUND
#endif

namespace clazar {

// Programs that were compiled with other versions of this header may meet in one process.
inline namespace v0_1 {

/**
 * Why a function failed. what() says what happened, where, and what to do next; it holds no secret
 * and no token.
 */
class Error : public std::runtime_error {
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

/** As `clazar_event_info`. Its texts end in NUL, and are valid during the call that gets it. */
struct Event {
    clazar_event kind;
    clazar_level level;
    std::string_view client_id;
    std::string_view message;
    clazar_cause cause;
    /** `CLAZAR_OK` if nothing failed. */
    clazar_status error_code;
    /** 0 if no answer of the API is the failure. */
    std::int32_t http_status;
    std::optional<std::chrono::milliseconds> retry_after;
    std::optional<std::chrono::milliseconds> expires_in;
};

/** Not for users. */
namespace detail {

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

/** Calls a function with an out-parameter for its error, and throws that. */
template <class Function>
void call(Function&& function) {
    clazar_error* raw = nullptr;
    const clazar_status status = function(&raw);
    const ErrorHandle error(raw);
    if (status != CLAZAR_OK) throw Error(status, error.get());
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

/** Milliseconds of the C interface, where none are below 0. */
inline std::optional<std::chrono::milliseconds> time(std::int64_t milliseconds) noexcept {
    if (milliseconds < 0) return std::nullopt;
    return std::chrono::milliseconds(milliseconds);
}

/** A callable for events, of whatever type. The standard library's types are its own affair. */
class EventCallback {
public:
    EventCallback() = default;
    EventCallback(const EventCallback&) = delete;
    EventCallback& operator=(const EventCallback&) = delete;
    virtual ~EventCallback() = default;
    virtual void operator()(const clazar_event_info& event) = 0;
};

template <class Callable>
class EventCallbackOf final : public EventCallback {
public:
    explicit EventCallbackOf(Callable callable) : callable_(std::move(callable)) {}
    void operator()(const clazar_event_info& event) override {
        callable_(Event{event.event, event.level, event.client_id, event.message, event.cause,
                        event.error_code, event.http_status, time(event.retry_after_ms),
                        time(event.expires_in_ms)});
    }

private:
    Callable callable_;
};

// A function with C linkage is the same in all namespaces, so the version is in its name.
extern "C" {
inline void clazar_v0_1_on_event(void* callback, const clazar_event_info* event) noexcept {
    try {
        (*static_cast<EventCallback*>(callback))(*event);
    } catch (...) {
        // It must not cross the C interface, and an event has nobody to report to.
    }
}
inline void clazar_v0_1_destroy(void* callback) noexcept {
    delete static_cast<EventCallback*>(callback);
}
}

}  // namespace detail

/** Options for a Provider and for authenticate(), which check them. For one thread at a time. */
class Config {
public:
    /** Options without credentials. No environment variable is read. */
    Config() : handle_(make(clazar_config_new)) {}

    /** Options from the environment, as `clazar_config_new_from_env` reads them. */
    [[nodiscard]] static Config from_env() { return Config(make(clazar_config_new_from_env)); }

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
        std::unique_ptr<detail::EventCallback> context =
            std::make_unique<detail::EventCallbackOf<Callable>>(std::move(callback));
        done(clazar_config_set_event_callback(handle_.get(), detail::clazar_v0_1_on_event,
                                              context.get(), detail::clazar_v0_1_destroy),
             "event_callback");
        static_cast<void>(context.release());
        return *this;
    }
    /** Providers made from now on tell no events. */
    Config& event_callback(std::nullptr_t) {
        return done(clazar_config_set_event_callback(handle_.get(), nullptr, nullptr, nullptr),
                    "event_callback");
    }

    /** The handle of the C interface, which stays this object's. */
    [[nodiscard]] const clazar_config* get() const noexcept { return handle_.get(); }

private:
    explicit Config(detail::ConfigHandle handle) noexcept : handle_(std::move(handle)) {}

    template <class Maker>
    static detail::ConfigHandle make(Maker maker) {
        clazar_config* config = nullptr;
        detail::call([&](clazar_error** error) { return maker(&config, error); });
        return detail::ConfigHandle(config);
    }

    template <class Setter>
    Config& set(Setter setter, const char* name, std::string_view value) {
        if (value.find('\0') != std::string_view::npos) {
            throw Error(std::string(name) + " must not contain a NUL");
        }
        return done(setter(handle_.get(), detail::Text(value).c_str()), name);
    }

    template <class Setter, class Range>
    Config& set_all(Setter setter, const char* name, const Range& values) {
        std::vector<std::string> copies;
        for (const auto& value : values) copies.emplace_back(std::string_view(value));
        std::vector<const char*> texts;
        for (const auto& copy : copies) {
            if (copy.find('\0') != std::string::npos) {
                throw Error(std::string(name) + " must not contain a NUL");
            }
            texts.push_back(copy.c_str());
        }
        return done(setter(handle_.get(), texts.data(), texts.size()), name);
    }

    template <class Setter>
    Config& set_time(Setter setter, const char* name, std::chrono::milliseconds time) {
        if (time.count() <= 0) throw Error(std::string(name) + " must be above 0");
        return done(setter(handle_.get(), static_cast<std::uint64_t>(time.count())), name);
    }

    Config& done(clazar_status status, const char* name) {
        if (status != CLAZAR_OK) {
            throw Error(std::string(name) +
                        (handle_ ? " must be UTF-8" : " cannot be set: the Config was moved from"));
        }
        return *this;
    }

    detail::ConfigHandle handle_;
};

/** An access token. Immutable: any number of threads may read it. */
class Token {
public:
    /** The token itself, without "Bearer". Ends in NUL, and is valid as long as this object. */
    [[nodiscard]] std::string_view value() const noexcept CLAZAR_LIFETIMEBOUND {
        return text(clazar_token_value);
    }

    /** The value of the Authorization header. Ends in NUL, and is valid as long as this object. */
    [[nodiscard]] std::string_view authorization() const noexcept CLAZAR_LIFETIMEBOUND {
        return text(clazar_token_authorization);
    }

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
    friend Token authenticate(const Config& config);
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
    Authorization(const Authorization&) = delete;
    Authorization& operator=(const Authorization&) = delete;
    ~Authorization() { clazar_memzero(text_, length_); }

    /** "Bearer <token>", valid as long as this object. */
    [[nodiscard]] std::string_view view() const noexcept CLAZAR_LIFETIMEBOUND {
        return {text_, length_};
    }
    /** The same, ending in NUL. */
    [[nodiscard]] const char* c_str() const noexcept CLAZAR_LIFETIMEBOUND { return text_; }
    /** As view(), but not of a temporary, which is wiped at the end of its statement. */
    operator std::string_view() const& noexcept CLAZAR_LIFETIMEBOUND { return view(); }  // NOLINT
    operator std::string_view() const&& = delete;                                        // NOLINT

private:
    friend class Provider;
    explicit Authorization(const clazar_provider* provider) {
        detail::call([&](clazar_error** error) {
            return clazar_provider_authorization(provider, text_, sizeof text_, &length_, error);
        });
    }

    std::size_t length_ = 0;
    char text_[CLAZAR_AUTHORIZATION_MAX];
};

/**
 * Hands out a valid token, and gets a new one when it is due. Any number of threads may use it at
 * once; only the destructor and assignment need it for themselves.
 */
class Provider {
public:
    /** As `clazar_provider_new`: no request is sent before the first token is asked for. */
    explicit Provider(const Config& config) {
        clazar_provider* provider = nullptr;
        detail::call([&](clazar_error** error) {
            return clazar_provider_new(config.get(), &provider, error);
        });
        handle_.reset(provider);
    }

    /** A provider with the options that the environment holds. */
    [[nodiscard]] static Provider from_env() { return Provider(Config::from_env()); }

    /** Another handle on the same provider. */
    [[nodiscard]] Provider clone() const noexcept {
        return Provider(clazar_provider_clone(handle_.get()));
    }

    /** As `clazar_provider_authorization`: with a fresh token no lock, no allocation. */
    [[nodiscard]] Authorization authorization() const { return Authorization(handle_.get()); }

    /** As `clazar_provider_token`. */
    [[nodiscard]] Token token() const { return Token(get_token(clazar_provider_token)); }

    /** As `clazar_provider_peek`: the token in memory if it is valid, without any I/O. */
    [[nodiscard]] std::optional<Token> peek() const {
        clazar_token* token = get_token(clazar_provider_peek);
        if (token == nullptr) return std::nullopt;
        return Token(token);
    }

    /** As `clazar_provider_refresh`. */
    Token refresh() const { return Token(get_token(clazar_provider_refresh)); }

    /** As `clazar_provider_invalidate`: the API answered 401 to `token`. */
    void invalidate(const Token& token) const {
        detail::call([&](clazar_error** error) {
            return clazar_provider_invalidate(handle_.get(), token.get(), error);
        });
    }

    /** As `clazar_provider_seal`. */
    [[nodiscard]] std::vector<std::uint8_t> seal() const {
        std::vector<std::uint8_t> blob(CLAZAR_SEALED_MAX);
        std::size_t length = 0;
        detail::call([&](clazar_error** error) {
            return clazar_provider_seal(handle_.get(), blob.data(), blob.size(), &length, error);
        });
        blob.resize(length);
        return blob;
    }

    /** As `clazar_provider_unseal`. */
    void unseal(const std::uint8_t* blob, std::size_t size) const {
        detail::call([&](clazar_error** error) {
            return clazar_provider_unseal(handle_.get(), blob, size, error);
        });
    }
    /** The same, of a whole vector. */
    void unseal(const std::vector<std::uint8_t>& blob) const { unseal(blob.data(), blob.size()); }

    /** As `clazar_provider_check_url`: throws an Error that says why not. */
    void check_url(std::string_view url) const {
        if (url.find('\0') != std::string_view::npos) throw Error("url must not contain a NUL");
        detail::call([&](clazar_error** error) {
            return clazar_provider_check_url(handle_.get(), detail::Text(url).c_str(), error);
        });
    }

    /** What the provider did so far, and how it is now. */
    [[nodiscard]] clazar_stats stats() const {
        clazar_stats stats{};
        stats.size = sizeof stats;
        detail::call([&](clazar_error** error) {
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

    template <class Getter>
    clazar_token* get_token(Getter getter) const {
        clazar_token* token = nullptr;
        detail::call(
            [&](clazar_error** error) { return getter(handle_.get(), &token, error); });
        return token;
    }

    detail::ProviderHandle handle_;
};

/** As `clazar_authenticate`: one request on the calling thread, and nothing is kept. */
[[nodiscard]] inline Token authenticate(const Config& config) {
    clazar_token* token = nullptr;
    detail::call([&](clazar_error** error) {
        return clazar_authenticate(config.get(), &token, error);
    });
    return Token(token);
}

/** The version of the library, such as "0.1.0". */
[[nodiscard]] inline std::string_view version() noexcept { return clazar_version(); }

}  // namespace v0_1
}  // namespace clazar

#undef CLAZAR_LIFETIMEBOUND

#endif
