#include "apps/http/response_parser.h"

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/error.hpp>
#include <limits>

namespace tapestry {
namespace http = boost::beast::http;

std::string ResponseHead::status_line() const {
    std::string line = version == 10 ? "HTTP/1.0 " : "HTTP/1.1 ";
    line += std::to_string(status);
    return reason.empty() ? line : line + ' ' + reason;
}

ResponseParser::ResponseParser(bool head_only) {
    skip(head_only);
    eager(true);
    header_limit(64 * 1024);
    // Where the body goes has limits of its own. Not boost::none: Boost 1.74 takes every length for more
    // than that, and then forgets to say that the head is complete.
    body_limit(std::numeric_limits<std::uint64_t>::max());
}

std::size_t ResponseParser::take(Bytes bytes, Error& error) {
    const std::size_t n = put(boost::asio::const_buffer(bytes.data(), bytes.size()), error);
    if (error == http::error::need_more) error = {};
    return n;
}

void ResponseParser::on_request_impl(http::verb, string_view, string_view, int, Error& error) {
    error = {};
}

void ResponseParser::on_response_impl(int code, string_view reason, int version, Error& error) {
    head_.status = code;
    head_.reason = std::string(reason);
    head_.version = version;
    error = {};
}

void ResponseParser::on_field_impl(http::field, string_view name, string_view value, Error& error) {
    // A trailer comes after on_head: nobody asks for it.
    head_.fields.emplace_back(std::string(name), std::string(value));
    error = {};
}

void ResponseParser::on_header_impl(Error& error) {
    error = {};
    if (on_head) on_head(head_);
}

void ResponseParser::on_body_init_impl(boost::optional<std::uint64_t> const&, Error& error) {
    error = {};
}

std::size_t ResponseParser::on_body_impl(string_view body, Error& error) {
    error = {};
    const Bytes bytes(reinterpret_cast<const u8*>(body.data()), body.size());
    if (on_body && !on_body(bytes)) {
        refused_ = true;
        error = make_error_code(boost::system::errc::operation_canceled);
    }
    return body.size();
}

void ResponseParser::on_chunk_header_impl(std::uint64_t, string_view, Error& error) { error = {}; }

std::size_t ResponseParser::on_chunk_body_impl(std::uint64_t, string_view body, Error& error) {
    return on_body_impl(body, error);
}

void ResponseParser::on_finish_impl(Error& error) { error = {}; }

}  // namespace tapestry
