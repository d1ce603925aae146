/*
 * Waits for a token in a coroutine (C++20), which blocks no thread meanwhile.
 *
 *     c++ -std=c++20 coroutine.cpp -o coroutine $(pkg-config --cflags --libs clazar_auth)
 *     ./coroutine
 */
#include <clazar_auth.hpp>

#include <coroutine>
#include <cstdlib>
#include <exception>
#include <future>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <utility>

/** What `co_await` takes: goes on with the token, at once or on a thread of the library. */
class NextToken {
public:
    explicit NextToken(const clazar::Provider& provider) : provider_(provider) {}

    [[nodiscard]] bool await_ready() const noexcept { return false; }

    bool await_suspend(std::coroutine_handle<> coroutine) {
        // The callback may have gone on with the coroutine, and ended it, before this call returns:
        // nothing of this object is touched after it unless a token was available.
        auto available =
            provider_.try_token_async([this, coroutine](clazar::Result<clazar::Token> result) {
                result_.emplace(std::move(result));
                coroutine.resume();
            });
        if (available && !available.value()) return true;
        if (available) {
            result_.emplace(*std::move(available).value());
        } else {
            result_.emplace(*available.error());
        }
        return false;
    }

    clazar::Token await_resume() { return std::move(*result_).value(); }

private:
    const clazar::Provider& provider_;
    std::optional<clazar::Result<clazar::Token>> result_;
};

/** The least that a coroutine can be: it starts at once, and `done` tells when it has ended. */
struct Task {
    struct promise_type {
        std::promise<void> done;
        Task get_return_object() { return {done.get_future()}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_void() { done.set_value(); }
        void unhandled_exception() { done.set_exception(std::current_exception()); }
    };
    std::future<void> done;
};

static Task show(const clazar::Provider& provider) {
    const clazar::Token token = co_await NextToken(provider);
    std::cout << "a token for " << token.expires_in().count() << " seconds\n";
    const clazar::Token same = co_await NextToken(provider);
    if (same.value() != token.value()) throw std::runtime_error("it was available");
}

int main() try {
    const auto provider = clazar::Provider::from_env();
    show(provider).done.get();
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return EXIT_FAILURE;
}
