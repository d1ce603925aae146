// Throws from a shared object that hides its symbols; caught.cc's other half is compiled with CATCHES.
#include <clazar_auth.hpp>

#ifndef CATCHES
extern "C" __attribute__((visibility("default"))) void refuse() {
    clazar::Provider(clazar::Config().client_id("a-client"));
}
#else
extern "C" void refuse();

int main() {
    try {
        refuse();
    } catch (const clazar::Error& error) {
        return error.code() == CLAZAR_ERR_INVALID_ARGUMENT ? 0 : 1;
    } catch (...) {
        return 2;
    }
    return 3;
}
#endif
