#pragma once

#include <boost/beast/http/basic_parser.hpp>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "stack/base/types.h"

namespace tapestry {

/// The head of a response, field names and order as they came.
struct ResponseHead {
    int status = 0;
    int version = 11;  ///< 10 or 11
    std::string reason;
    std::vector<std::pair<std::string, std::string>> fields;

    /// "HTTP/1.1 200 OK"
    std::string status_line() const;
};

/// One HTTP response, read from whatever pieces of the stream there are (Beast's parser). The body is
/// handed on as it comes, without a copy: chunks are taken apart, a body without a length ends with the
/// stream.
class ResponseParser final : public boost::beast::http::basic_parser<false> {
public:
    using Error = boost::system::error_code;
    /// Called when the head is complete, before any of the body.
    std::function<void(const ResponseHead&)> on_head;
    /// False: no more, please; the parser then stops with an error.
    std::function<bool(Bytes)> on_body;

    /// `head_only`: the answer to a HEAD request, which has no body whatever its fields say.
    explicit ResponseParser(bool head_only);

    /// Takes what it can of `bytes` and returns how much. need_more is no error.
    std::size_t take(Bytes bytes, Error& error);
    const ResponseHead& head() const { return head_; }
    /// on_body has said no.
    bool refused() const { return refused_; }

private:
    using string_view = boost::beast::string_view;
    void on_request_impl(boost::beast::http::verb, string_view, string_view, int,
                         Error& error) override;
    void on_response_impl(int code, string_view reason, int version, Error& error) override;
    void on_field_impl(boost::beast::http::field, string_view name, string_view value,
                       Error& error) override;
    void on_header_impl(Error& error) override;
    void on_body_init_impl(boost::optional<std::uint64_t> const&, Error& error) override;
    std::size_t on_body_impl(string_view body, Error& error) override;
    void on_chunk_header_impl(std::uint64_t, string_view, Error& error) override;
    std::size_t on_chunk_body_impl(std::uint64_t, string_view body, Error& error) override;
    void on_finish_impl(Error& error) override;

    ResponseHead head_;
    bool refused_ = false;
};

}  // namespace tapestry
