#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <string>

#include "apps/http/file_root.h"

namespace tapestry {

using HttpRequestHead = boost::beast::http::request<boost::beast::http::empty_body>;

/// What a server says to one request. The head has everything but Content-Length and Connection, which
/// the session adds.
struct HttpAnswer {
    boost::beast::http::response<boost::beast::http::empty_body> head;
    std::string text;  ///< the body, unless it is a file's
    UniqueFd file;
    u64 offset = 0;  ///< where in the file the body begins
    u64 length = 0;  ///< of the body, bytes
};

/// Decides what each request is answered with.
class Site {
public:
    virtual ~Site() = default;
    /// `request` is GET or HEAD and well-formed. Never fails: refusals are answers.
    virtual HttpAnswer answer(const HttpRequestHead& request) = 0;
};

/// The files below a directory: index.html or a listing for directories, byte ranges, types by
/// extension. Files are opened when they are asked for and never read as a whole.
class FileSite final : public Site {
public:
    /// Throws SetupError.
    explicit FileSite(const std::string& directory) : root_(directory) {}
    HttpAnswer answer(const HttpRequestHead& request) override;

private:
    HttpAnswer answer_file(FileRoot::Entry file, const std::string& path,
                           const HttpRequestHead& request) const;
    HttpAnswer answer_directory(FileRoot::Entry directory, const std::string& path,
                                const HttpRequestHead& request) const;

    FileRoot root_;
};

/// A short page that says what the status says.
HttpAnswer error_answer(unsigned status);
/// "text/html; charset=utf-8" for "index.html"; application/octet-stream for what is unknown.
std::string_view media_type(std::string_view path);

}  // namespace tapestry
