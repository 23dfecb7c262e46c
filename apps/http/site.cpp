#include "apps/http/site.h"

#include <array>
#include <ctime>

#include "apps/http/byte_range.h"

namespace tapestry {
namespace {

namespace http = boost::beast::http;

constexpr std::array<std::pair<std::string_view, std::string_view>, 20> kTypes{{
    {".html", "text/html; charset=utf-8"},
    {".htm", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".txt", "text/plain; charset=utf-8"},
    {".md", "text/markdown; charset=utf-8"},
    {".csv", "text/csv; charset=utf-8"},
    {".xml", "application/xml"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".jpg", "image/jpeg"},
    {".jpeg", "image/jpeg"},
    {".gif", "image/gif"},
    {".webp", "image/webp"},
    {".ico", "image/x-icon"},
    {".pdf", "application/pdf"},
    {".wasm", "application/wasm"},
    {".gz", "application/gzip"},
    {".mp4", "video/mp4"},
}};

/// RFC 9110 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT"
std::string http_date(i64 seconds) {
    const std::time_t time = seconds;
    std::tm parts{};
    gmtime_r(&time, &parts);
    std::array<char, 64> text{};
    const std::size_t size =
        std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return {text.data(), size};
}

std::string escape_html(std::string_view text) {
    std::string out;
    for (const char c : text) {
        switch (c) {
            case '&':
                out += "&amp;";
                break;
            case '<':
                out += "&lt;";
                break;
            case '>':
                out += "&gt;";
                break;
            case '"':
                out += "&quot;";
                break;
            default:
                out += c;
        }
    }
    return out;
}

/// RFC 3986 2.1, for one part of a path; a '/' is kept.
std::string percent_encode(std::string_view text) {
    constexpr std::string_view kSafe =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    constexpr std::string_view kDigits = "0123456789ABCDEF";
    std::string out;
    for (const char c : text) {
        if (kSafe.find(c) != std::string_view::npos) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '%';
            out += kDigits[byte >> 4];
            out += kDigits[byte & 15];
        }
    }
    return out;
}

std::string listing(const std::string& path, const std::vector<std::string>& names) {
    const std::string title = "Index of /" + escape_html(path);
    std::string page = "<!doctype html>\n<meta charset=\"utf-8\">\n<title>" + title +
                       "</title>\n<h1>" + title + "</h1>\n<ul>\n";
    if (!path.empty()) page += "<li><a href=\"../\">..</a></li>\n";
    for (const std::string& name : names) {
        // "./" keeps a name with a colon from being taken for a scheme.
        page +=
            "<li><a href=\"./" + percent_encode(name) + "\">" + escape_html(name) + "</a></li>\n";
    }
    return page + "</ul>\n";
}

HttpAnswer text_answer(http::status status, std::string_view type, std::string text) {
    HttpAnswer answer;
    answer.head.result(status);
    answer.head.set(http::field::content_type, boost::beast::string_view(type.data(), type.size()));
    answer.length = text.size();
    answer.text = std::move(text);
    return answer;
}

}  // namespace

std::string_view media_type(std::string_view path) {
    for (const auto& [extension, type] : kTypes) {
        if (path.ends_with(extension)) return type;
    }
    return "application/octet-stream";
}

HttpAnswer error_answer(unsigned status) {
    const auto code = http::int_to_status(status);
    const auto reason = http::obsolete_reason(code);
    return text_answer(code, "text/plain; charset=utf-8",
                       std::to_string(status) + ' ' + std::string(reason) + '\n');
}

HttpAnswer FileSite::answer(const HttpRequestHead& request) {
    const std::string_view target(request.target().data(), request.target().size());
    const auto path = path_of_target(target);
    if (!path) return error_answer(static_cast<unsigned>(path.error()));
    auto entry = root_.open(*path);
    if (!entry) return error_answer(static_cast<unsigned>(entry.error()));
    const std::string_view before_query = target.substr(0, target.find_first_of("?#"));
    if (!entry->directory) {
        // A file is no directory.
        if (before_query.ends_with('/')) return error_answer(404);
        return answer_file(std::move(*entry), *path, request);
    }
    if (!before_query.ends_with('/')) {
        // Without the slash the links in the page would lead elsewhere.
        HttpAnswer answer = error_answer(301);
        answer.head.set(http::field::location, '/' + percent_encode(*path) + '/');
        return answer;
    }
    return answer_directory(std::move(*entry), *path, request);
}

HttpAnswer FileSite::answer_directory(FileRoot::Entry directory, const std::string& path,
                                      const HttpRequestHead& request) const {
    const std::string index = path.empty() ? "index.html" : path + "/index.html";
    if (auto file = root_.open(index); file && !file->directory) {
        return answer_file(std::move(*file), index, request);
    }
    return text_answer(http::status::ok, "text/html; charset=utf-8",
                       listing(path, root_.list(directory)));
}

HttpAnswer FileSite::answer_file(FileRoot::Entry file, const std::string& path,
                                 const HttpRequestHead& request) const {
    HttpAnswer answer;
    const std::string_view type = media_type(path);
    const std::string modified = http_date(file.modified);
    ByteRange range{.length = file.size};
    const auto field = request.find(http::field::range);
    // RFC 9110 13.1.5: with If-Range only when the file is still the one that the client knows.
    const auto if_range = request.find(http::field::if_range);
    const bool same = if_range == request.end() || if_range->value() == modified;
    if (field != request.end() && same && request.method() == http::verb::get) {
        range = parse_range({field->value().data(), field->value().size()}, file.size);
    }
    const std::string size = std::to_string(file.size);
    if (range.kind == ByteRange::Kind::Unsatisfiable) {
        answer = error_answer(416);
        answer.head.set(http::field::content_range, "bytes */" + size);
        return answer;
    }
    answer.head.result(http::status::ok);
    if (range.kind == ByteRange::Kind::Part) {
        answer.head.result(http::status::partial_content);
        answer.head.set(http::field::content_range,
                        "bytes " + std::to_string(range.first) + '-' +
                            std::to_string(range.first + range.length - 1) + '/' + size);
    }
    answer.head.set(http::field::content_type, boost::beast::string_view(type.data(), type.size()));
    answer.head.set(http::field::last_modified, modified);
    answer.head.set(http::field::accept_ranges, "bytes");
    answer.file = std::move(file.fd);
    answer.offset = range.first;
    answer.length = range.length;
    return answer;
}

}  // namespace tapestry
