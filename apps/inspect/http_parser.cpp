#include "apps/inspect/http_parser.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace tapestry {
namespace {

constexpr std::array<std::string_view, 11> kBeginnings{"GET ",    "HEAD ",    "POST ",    "PUT ",
                                                       "DELETE ", "OPTIONS ", "CONNECT ", "TRACE ",
                                                       "PATCH ",  "HTTP/1.",  "HTTP/0."};

bool same_word(std::string_view a, std::string_view lower) {
    return std::ranges::equal(a, lower, [](char x, char y) {
        return (x >= 'A' && x <= 'Z' ? static_cast<char>(x - 'A' + 'a') : x) == y;
    });
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// All of it a number, or nothing of it is believed.
bool number(std::string_view text, int base, u64& value) {
    const auto [end, error] = std::from_chars(text.begin(), text.end(), value, base);
    return error == std::errc() && end == text.end() && !text.empty();
}

}  // namespace

bool HttpParser::may_begin(std::string_view text) {
    return !text.empty() && std::ranges::any_of(kBeginnings, [&](std::string_view beginning) {
        const std::size_t common = std::min(beginning.size(), text.size());
        return text.substr(0, common) == beginning.substr(0, common);
    });
}

void HttpParser::text(std::string_view text, const Calls& calls) {
    while (!text.empty()) {
        if (state_ == State::Idle) {
            if (!may_begin(text)) return;
            state_ = State::FirstLine;
            line_.clear();
        }
        if (state_ == State::UntilEnd) return;
        if (state_ == State::Body || state_ == State::Chunk) {
            const std::size_t taken = std::min<u64>(left_, text.size());
            text.remove_prefix(taken);
            left_ -= taken;
            if (left_ == 0) state_ = after_body_;
            continue;
        }
        // RFC 9112 2.2: "... SHOULD ignore at least one empty line (CRLF) received prior to the
        // request-line."
        if (state_ == State::FirstLine && line_.empty() && text[0] != '\r' && text[0] != '\n') {
            if (!may_begin(text)) state_ = State::Idle;
            if (state_ == State::Idle) return;
            calls.begins();
        }
        const std::size_t end = text.find('\n');
        line_ += text.substr(0, end);
        if (line_.size() > kMaxLine) state_ = State::Idle;
        if (end == std::string_view::npos || state_ == State::Idle) return;
        text.remove_prefix(end + 1);
        if (line_.ends_with('\r')) line_.pop_back();
        line(calls);
        line_.clear();
    }
}

void HttpParser::skip(u64 length) {
    const bool of_body = (state_ == State::Body || state_ == State::Chunk) && length <= left_;
    if (of_body) {
        left_ -= length;
        if (left_ == 0) state_ = after_body_;
    } else if (state_ != State::UntilEnd) {
        state_ = State::Idle;
    }
}

void HttpParser::line(const Calls& calls) {
    switch (state_) {
        case State::FirstLine: {
            if (line_.empty()) return;
            response_ = line_.starts_with("HTTP/");
            const std::size_t version = line_.rfind(' ');
            const bool request = line_.find(" HTTP/", line_.find(' ') + 1) == version &&
                                 version != std::string::npos;
            u64 status = 0;
            if (response_ &&
                !number(line_.substr(std::min<std::size_t>(9, line_.size()), 3), 10, status)) {
                state_ = State::Idle;
            }
            if (!response_ && !request) state_ = State::Idle;
            if (state_ == State::Idle) return;
            status_ = static_cast<u16>(status);
            chunked_ = has_length_ = false;
            length_ = 0;
            state_ = State::Head;
            calls.first_line(line_);
            return;
        }
        case State::Head:
            return line_.empty() ? end_of_head(calls) : header();
        case State::ChunkSize:
            return chunk_size();
        case State::Trailer:
            if (line_.empty()) state_ = State::FirstLine;
            return;
        default:
            return;
    }
}

void HttpParser::header() {
    const std::size_t colon = line_.find(':');
    if (colon == std::string::npos) return;
    const std::string_view all(line_);
    const std::string_view name = all.substr(0, colon);
    const std::string_view value = trimmed(all.substr(colon + 1));
    if (same_word(name, "content-length")) has_length_ = number(value, 10, length_);
    if (same_word(name, "transfer-encoding")) {
        chunked_ = value.size() >= 7 && same_word(value.substr(value.size() - 7), "chunked");
    }
}

/// RFC 9112 section 6.3: how long the body is.
void HttpParser::end_of_head(const Calls& calls) {
    const bool bodiless = response_ && (!calls.answer_has_body() || status_ < 200 ||
                                        status_ == 204 || status_ == 304);
    if (response_ && status_ == 101) {
        state_ = State::UntilEnd;  // another protocol from here on
    } else if (bodiless) {
        state_ = State::FirstLine;
    } else if (chunked_) {
        state_ = State::ChunkSize;
    } else if (has_length_) {
        body(length_, State::FirstLine);
        if (length_ == 0) state_ = State::FirstLine;
    } else {
        state_ = response_ ? State::UntilEnd : State::FirstLine;
    }
}

void HttpParser::body(u64 length, State then) {
    left_ = length;
    after_body_ = then;
    state_ = then == State::ChunkSize ? State::Chunk : State::Body;
}

/// RFC 9112 section 7.1: a size in hexadecimal, perhaps extensions, the data and an empty line.
void HttpParser::chunk_size() {
    u64 size = 0;
    if (!number(trimmed(std::string_view(line_).substr(0, line_.find(';'))), 16, size) ||
        size > u64{1} << 62) {
        state_ = State::Idle;
    } else if (size == 0) {
        state_ = State::Trailer;
    } else {
        body(size + 2, State::ChunkSize);
    }
}

}  // namespace tapestry
