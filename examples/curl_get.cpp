// Gets a URL of the Clazar API with libcurl, and once more with another token if the API answers 401.
// The token goes over https to the API alone, or to a sandbox on this machine: the provider says where.
//
//     c++ -std=c++17 curl_get.cpp -o curl_get $(pkg-config --cflags --libs clazar_auth libcurl)
//     ./curl_get https://api.clazar.io/listings/
#include <clazar_auth.hpp>
#include <curl/curl.h>

#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace {

struct Global {
    Global() { curl_global_init(CURL_GLOBAL_DEFAULT); }
    ~Global() { curl_global_cleanup(); }
    Global(const Global&) = delete;
    Global& operator=(const Global&) = delete;
};

struct Free {
    void operator()(CURL* curl) const noexcept { curl_easy_cleanup(curl); }
    void operator()(curl_slist* list) const noexcept {
        for (auto* item = list; item != nullptr; item = item->next)
            clazar_memzero(item->data, std::char_traits<char>::length(item->data));
        curl_slist_free_all(list);
    }
};

struct Answer {
    long status = 0;
    std::string body;
};

std::size_t append(char* data, std::size_t, std::size_t size, void* body) try {
    static_cast<std::string*>(body)->append(data, size);
    return size;
} catch (const std::bad_alloc&) {
    return 0;  // libcurl takes it for a failure.
}

Answer get(const char* url, const clazar::Token& token) {
    std::string line = "Authorization: ";
    line.reserve(line.size() + token.authorization().size());
    line += token.authorization();
    const std::unique_ptr<curl_slist, Free> headers(curl_slist_append(nullptr, line.c_str()));
    clazar_memzero(line.data(), line.size());
    const std::unique_ptr<CURL, Free> curl(curl_easy_init());
    if (!headers || !curl) throw std::bad_alloc();

    Answer answer;
    curl_easy_setopt(curl.get(), CURLOPT_URL, url);
    curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
    curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer.body);
    curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, 30L);
    curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
    // A redirect may lead to where the token must not go.
    curl_easy_setopt(curl.get(), CURLOPT_FOLLOWLOCATION, 0L);
    // A proxy of the environment gets https alone, which it cannot read.
    if (std::string_view(url).substr(0, 8) != "https://")
        curl_easy_setopt(curl.get(), CURLOPT_PROXY, "");
    if (const CURLcode code = curl_easy_perform(curl.get()); code != CURLE_OK)
        throw std::runtime_error(std::string(url) + ": " + curl_easy_strerror(code));
    curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &answer.status);
    return answer;
}

Answer get(const char* url, clazar::Provider& provider) {
    provider.check_url(url);
    const auto token = provider.token();
    auto answer = get(url, token);
    if (answer.status != 401) return answer;
    provider.invalidate(token);
    return get(url, provider.token());
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::cerr << "usage: " << argv[0] << " URL\n";
        return 2;
    }
    const Global global;
    auto provider = clazar::Provider::from_env();
    const auto answer = get(argv[1], provider);
    std::cout << answer.body;
    if (answer.status != 200) std::cerr << argv[1] << ": status " << answer.status << '\n';
    return answer.status == 200 ? 0 : 1;
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
