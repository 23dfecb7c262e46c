#include "apps/inspect/http_conversation.h"

#include <algorithm>

namespace tapestry {
namespace {

/// So much of a line is kept.
constexpr std::size_t kMaxLine = 1000;

std::string_view words_of(Bytes text) {
    return {reinterpret_cast<const char*>(text.data()), text.size()};
}

}  // namespace

bool HttpConversation::may_begin(Bytes text) { return HttpParser::may_begin(words_of(text)); }

void HttpConversation::take(std::vector<HttpMessage>& messages, Side from, u64 position, u64 length,
                            Bytes text, u64 number, TimePoint time) {
    Way& way = ways_[static_cast<std::size_t>(from)];
    if (position + length <= way.next) return;
    const bool begins = !way.parser.active() && may_begin(text) && position >= way.next;
    if (begins) way.next = position;
    if (!way.parser.active() && !begins) return;
    const Piece piece{words_of(text), length, number, time};
    if (position > way.next) {
        keep(way, position, piece);
    } else {
        feed(messages, from, position, piece);
    }
    drain(messages, from);
}

void HttpConversation::keep(Way& way, u64 position, const Piece& piece) {
    const auto [place, is_new] =
        way.early.try_emplace(position, Early{std::string(piece.text), piece});
    if (!is_new) return;
    way.early_bytes += piece.text.size() + sizeof(Early);
    if (way.early_bytes <= kMaxEarly) return;
    way.parser.skip(way.early.begin()->first - way.next);
    way.next = way.early.begin()->first;
}

void HttpConversation::drain(std::vector<HttpMessage>& messages, Side from) {
    Way& way = ways_[static_cast<std::size_t>(from)];
    while (!way.early.empty() && way.early.begin()->first <= way.next) {
        auto first = way.early.extract(way.early.begin());
        Early& early = first.mapped();
        way.early_bytes -= early.text.size() + sizeof(Early);
        early.piece.text = early.text;
        feed(messages, from, first.key(), early.piece);
    }
}

/// A piece that begins at or before what is next.
void HttpConversation::feed(std::vector<HttpMessage>& messages, Side from, u64 position,
                            const Piece& piece) {
    Way& way = ways_[static_cast<std::size_t>(from)];
    if (position + piece.length <= way.next) return;
    const std::size_t known = std::min<u64>(way.next - position, piece.text.size());
    way.next = position + piece.length;
    const HttpParser::Calls calls{
        .begins =
            [&] {
                way.begin_number = piece.number;
                way.begin_time = piece.time;
            },
        .first_line = [&](const std::string& line) { begun(messages, from, line); },
        .answer_has_body = [&] { return answered_has_body_; }};
    way.parser.text(piece.text.substr(known), calls);
    if (piece.length > piece.text.size()) way.parser.skip(piece.length - piece.text.size());
}

void HttpConversation::begun(std::vector<HttpMessage>& messages, Side from,
                             const std::string& line) {
    const Way& way = ways_[static_cast<std::size_t>(from)];
    HttpMessage message;
    message.from = from;
    message.number = way.begin_number;
    message.time = way.begin_time;
    message.line = line.substr(0, kMaxLine);
    if (line.starts_with("HTTP/")) {
        message.status =
            static_cast<u16>(std::atoi(line.c_str() + std::min<std::size_t>(9, line.size())));
        answered_has_body_ = true;
        // RFC 9110 15.2: an interim response; the final one is still to come.
        const bool interim = message.status < 200 && message.status != 101;
        if (!waiting_.empty()) {
            const Waiting& request = waiting_.front();
            message.request = request.number;
            message.after = way.begin_time - request.time;
            answered_has_body_ = !request.head && !(request.connect && message.status < 300);
            if (!interim) waiting_.pop_front();
        }
    } else {
        const std::size_t space = line.find(' ');
        message.method = line.substr(0, space);
        message.target = message.line.substr(std::min(space + 1, message.line.size()));
        if (const auto version = message.target.rfind(" HTTP/"); version != std::string::npos) {
            message.target.resize(version);
        }
        if (waiting_.size() < kMaxMessages) {
            waiting_.push_back({way.begin_number, way.begin_time, message.method == "HEAD",
                                message.method == "CONNECT"});
        }
    }
    if (messages.size() < kMaxMessages) messages.push_back(std::move(message));
}

}  // namespace tapestry
