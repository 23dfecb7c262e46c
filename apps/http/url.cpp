#include "apps/http/url.h"

#include <algorithm>
#include <charconv>

namespace tapestry {
namespace {

std::unexpected<UrlError> malformed(std::string text) {
    return std::unexpected(UrlError{UrlError::Kind::Malformed, std::move(text)});
}

bool is_host_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

}  // namespace

std::string Url::authority() const { return port == 80 ? host : host + ':' + std::to_string(port); }

std::expected<Url, UrlError> parse_url(std::string_view text) {
    if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c > '~'; })) {
        return malformed("the URL has a character that must be percent-encoded");
    }
    if (const auto scheme = text.find("://"); scheme != std::string_view::npos) {
        std::string name(text.substr(0, scheme));
        std::ranges::transform(name, name.begin(), [](unsigned char c) {
            return static_cast<char>(c >= 'A' && c <= 'Z' ? c + 32 : c);
        });
        if (name != "http") {
            return std::unexpected(UrlError{
                UrlError::Kind::Protocol, "protocol \"" + name + "\" is not supported, only http"});
        }
        text.remove_prefix(scheme + 3);
    }
    text = text.substr(0, text.find('#'));
    const std::size_t end = std::min(text.find_first_of("/?"), text.size());
    std::string_view authority = text.substr(0, end);

    Url url;
    url.target = text.substr(end);
    if (!url.target.starts_with('/')) url.target.insert(0, "/");
    if (authority.find('@') != std::string_view::npos) {
        return malformed("user names in URLs are not supported");
    }
    if (authority.starts_with('[')) return malformed("IPv6 addresses are not supported");
    if (const auto colon = authority.find(':'); colon != std::string_view::npos) {
        const std::string_view digits = authority.substr(colon + 1);
        unsigned port = 0;
        const auto [last, error] =
            std::from_chars(digits.data(), digits.data() + digits.size(), port);
        if (error != std::errc() || last != digits.data() + digits.size() || port == 0 ||
            port > 65535) {
            return malformed("\"" + std::string(digits) + "\" is not a port, 1 to 65535");
        }
        url.port = static_cast<u16>(port);
        authority = authority.substr(0, colon);
    }
    if (authority.empty()) return malformed("no host in the URL");
    if (!std::ranges::all_of(authority, is_host_character)) {
        return malformed("\"" + std::string(authority) + "\" is not a host");
    }
    url.host = authority;
    return url;
}

}  // namespace tapestry
