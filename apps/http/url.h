#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "stack/base/types.h"

namespace tapestry {

/// An http URL (RFC 9110 section 4.2.1, RFC 3986).
struct Url {
    std::string host;  ///< as written: an IPv4 address or a name
    u16 port = 80;
    std::string target;  ///< origin-form, RFC 9112 3.2.1: path and query, "/" at least

    /// Host and port as they stand in a Host field: the port only when it is not 80.
    std::string authority() const;
    friend bool operator==(const Url&, const Url&) = default;
};

/// Why a URL cannot be used.
struct UrlError {
    enum class Kind : u8 { Malformed, Protocol };
    Kind kind = Kind::Malformed;
    std::string text;
};

/// Takes "http://host[:port][/path][?query][#fragment]"; "http://" may be left out, as curl has it. The
/// fragment is dropped. White space, control characters and bytes above 126 are refused, so that no
/// URL can smuggle a second line into a request; so are user names, passwords and IPv6 addresses.
std::expected<Url, UrlError> parse_url(std::string_view text);

}  // namespace tapestry
