#include "drivers/peer_http.h"

#include <algorithm>
#include <cctype>

#include "stack/base/types.h"

namespace tapestry {
namespace {

constexpr std::string_view kPage =
    "<!doctype html>\n"
    "<html lang=\"en\">\n"
    "<head><meta charset=\"utf-8\"><title>The peer</title></head>\n"
    "<body>\n"
    "<h1>Hello from the other end of the wire</h1>\n"
    "<p>This page comes from the Linux kernel's TCP, in a network namespace that Tapestry made "
    "for\n"
    "itself. If you can read it, two TCPs that share no code have understood each other.</p>\n"
    "<ul>\n"
    "<li><a href=\"/1M.bin\">/1M.bin</a>: 1 MiB of known bytes</li>\n"
    "<li><a href=\"/slow\">/slow</a>: an answer that takes its time</li>\n"
    "</ul>\n"
    "</body>\n"
    "</html>\n";

constexpr Duration kSilence = 2s;
constexpr Duration kPause = 100ms;
constexpr int kPieces = 5;

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::ranges::equal(
        a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Cuts off and returns the first line of `text`, without its end.
std::string_view take_line(std::string_view& text) {
    const std::size_t end = text.find("\r\n");
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 2);
    return line;
}

/// What the header fields ask for.
struct Fields {
    bool malformed = false;
    bool has_body = false;
    bool close = false;
    bool keep_alive = false;
    bool host = false;
};

Fields read_fields(std::string_view head) {
    Fields fields;
    while (!head.empty()) {
        const std::string_view line = take_line(head);
        const std::size_t colon = line.find(':');
        if (colon == std::string_view::npos || colon == 0 || line[colon - 1] == ' ') {
            fields.malformed = true;
            continue;
        }
        const std::string_view name = line.substr(0, colon);
        const std::string_view value = trimmed(line.substr(colon + 1));
        if (equal_ignoring_case(name, "connection")) {
            fields.close = fields.close || equal_ignoring_case(value, "close");
            fields.keep_alive = fields.keep_alive || equal_ignoring_case(value, "keep-alive");
        } else if (equal_ignoring_case(name, "content-length")) {
            fields.has_body = fields.has_body || value != "0";
        } else if (equal_ignoring_case(name, "transfer-encoding")) {
            fields.has_body = true;
        } else if (equal_ignoring_case(name, "host")) {
            fields.host = true;
        }
    }
    return fields;
}

}  // namespace

const std::string& peer_megabyte() {
    static const std::string content = [] {
        std::string bytes(std::size_t{1} << 20, '\0');
        u32 x = 1;
        for (char& byte : bytes) {
            x = x * 1664525U + 1013904223U;
            byte = static_cast<char>(x >> 24);
        }
        return bytes;
    }();
    return content;
}

void PeerHttp::input(std::string_view bytes, TimePoint now) {
    if (closing_) return;
    input_ += bytes;
    answer_requests(now);
}

void PeerHttp::end_of_input(TimePoint now) {
    ended_ = true;
    answer_requests(now);
}

void PeerHttp::take_output(std::string& out, TimePoint now) {
    while (!pieces_.empty() && pieces_.front().due <= now && out.size() < kEnough) {
        out += pieces_.front().bytes;
        pieces_.pop_front();
        // An answer that is out lets the next request, which may wait here already, have its turn.
        if (pieces_.empty()) answer_requests(now);
    }
}

std::optional<TimePoint> PeerHttp::next_output() const {
    if (pieces_.empty()) return std::nullopt;
    return pieces_.front().due;
}

/// One request at a time: answers leave in the order of the requests.
void PeerHttp::answer_requests(TimePoint now) {
    while (!closing_ && pieces_.empty()) {
        // RFC 9112 2.2: ignore at least one empty line received prior to the request-line.
        while (input_.starts_with("\r\n")) input_.erase(0, 2);
        const std::size_t end = input_.find("\r\n\r\n");
        if (end == std::string::npos ? input_.size() > kMaxHead : end > kMaxHead) {
            refuse("431 Request Header Fields Too Large", now);
        } else if (end == std::string::npos) {
            closing_ = ended_;  // half a request is none
            return;
        } else {
            const std::string head = input_.substr(0, end + 2);
            input_.erase(0, end + 4);
            answer(head, now);
        }
    }
}

void PeerHttp::answer(std::string_view head, TimePoint now) {
    const std::string_view line = take_line(head);
    const std::size_t first = line.find(' ');
    const std::size_t last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return refuse("400 Bad Request", now);
    const std::string_view method = line.substr(0, first);
    std::string_view target = line.substr(first + 1, last - first - 1);
    const std::string_view version = line.substr(last + 1);
    const Fields fields = read_fields(head);
    const bool http_1_1 = version == "HTTP/1.1";
    if (!version.starts_with("HTTP/")) return refuse("400 Bad Request", now);
    if (!http_1_1 && version != "HTTP/1.0") return refuse("505 HTTP Version Not Supported", now);
    // RFC 9112 3.2: a server MUST respond with 400 to an HTTP/1.1 request that lacks a Host field.
    if (fields.malformed || (http_1_1 && !fields.host) || target.find(' ') != target.npos) {
        return refuse("400 Bad Request", now);
    }
    if (fields.has_body) return refuse("413 Content Too Large", now);
    const bool head_only = method == "HEAD";
    if (method != "GET" && !head_only) return refuse("405 Method Not Allowed", now);

    closing_ = http_1_1 ? fields.close : !fields.keep_alive;
    target = target.substr(0, target.find('?'));
    if (target == "/") return respond("200 OK", "text/html; charset=utf-8", kPage, head_only, now);
    if (target == "/1M.bin") {
        return respond("200 OK", "application/octet-stream", peer_megabyte(), head_only, now);
    }
    if (target == "/slow") return respond_slowly(head_only, now);
    respond("404 Not Found", "text/plain", "There is no such thing here.\n", head_only, now);
}

void PeerHttp::respond(std::string_view status, std::string_view type, std::string_view body,
                       bool head_only, TimePoint now) {
    std::string bytes = "HTTP/1.1 ";
    bytes.append(status).append("\r\nServer: tapestry-peer\r\nContent-Type: ").append(type);
    bytes.append("\r\nContent-Length: ").append(std::to_string(body.size()));
    if (status.starts_with("405")) bytes.append("\r\nAllow: GET, HEAD");
    bytes.append("\r\nConnection: ").append(closing_ ? "close" : "keep-alive").append("\r\n\r\n");
    if (!head_only) bytes.append(body);
    pieces_.push_back({now, std::move(bytes)});
}

void PeerHttp::respond_slowly(bool head_only, TimePoint now) {
    constexpr std::string_view kLine = "This took a while.\n";
    std::string body;
    for (int i = 0; i < kPieces; ++i) body += kLine;
    respond("200 OK", "text/plain", body, head_only, now + kSilence);
    if (head_only) return;
    // The first piece goes with the head.
    std::string& head = pieces_.back().bytes;
    head.resize(head.size() - (kPieces - 1) * kLine.size());
    for (int i = 1; i < kPieces; ++i) {
        pieces_.push_back({now + kSilence + i * kPause, std::string(kLine)});
    }
}

void PeerHttp::refuse(std::string_view status, TimePoint now) {
    closing_ = true;
    input_.clear();
    respond(status, "text/plain", std::string(status) + "\n", false, now);
}

}  // namespace tapestry
