// Half of a program whose other half is compiled with another standard library.
#include <clazar_auth.hpp>

#ifndef MAIN
extern "C" __attribute__((visibility("default"))) int has_token() {
    auto config = clazar::Config::from_env();
    config.event_callback([](const clazar::Event& event) { (void)event.message.size(); });
    return clazar::Provider(config).token().expires_in() > std::chrono::hours(1);
}
#else
extern "C" int has_token();

int main() {
    auto config = clazar::Config::from_env();
    config.event_callback([](const clazar::Event& event) { (void)event.message.size(); });
    const clazar::Provider provider(config);
    const bool has = provider.token().expires_in() > std::chrono::hours(1);
    return has && has_token() && provider.token().expires_in() > std::chrono::hours(1) ? 0 : 1;
}
#endif
