// Half of a program whose other half is compiled with another standard library, or without exceptions.
#include <clazar_auth.hpp>

#ifndef MAIN
extern "C" __attribute__((visibility("default"))) int has_token() {
    auto config = clazar::Config::from_env();
    config.event_callback([](const clazar::Event& event) { (void)event.message.size(); });
    return clazar::Provider(config).token().expires_in() > std::chrono::hours(1);
}
#else
extern "C" int has_token();

// Whether this half can still throw.
static bool throws() {
    try {
        clazar::Config().timeout(std::chrono::milliseconds(-1));
    } catch (const clazar::Error&) {
        return true;
    }
    return false;
}

int main() {
    auto config = clazar::Config::from_env();
    config.event_callback([](const clazar::Event& event) { (void)event.message.size(); });
    const clazar::Provider provider(config);
    const bool has = provider.token().expires_in() > std::chrono::hours(1);
    return throws() && has && has_token() && provider.token().expires_in() > std::chrono::hours(1)
               ? 0
               : 1;
}
#endif
