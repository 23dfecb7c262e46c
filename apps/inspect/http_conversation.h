#pragma once

#include <array>
#include <deque>
#include <map>
#include <vector>

#include "apps/inspect/http_parser.h"
#include "apps/inspect/observed.h"

namespace tapestry {

/// Lists the HTTP messages of one conversation, wherever their lines are cut into segments, and which
/// response answers to which request: they come in the same order (RFC 9112 section 9.3.2).
///
/// Text that comes early waits for what is before it, kMaxEarly bytes of each direction; beyond that
/// the hole is taken for text that the capture never shows.
class HttpConversation {
public:
    static constexpr std::size_t kMaxEarly = 65536;
    static constexpr std::size_t kMaxMessages = 1000;

    /// Whether this text is worth having a conversation for.
    static bool may_begin(Bytes text);

    /// Text of `length` bytes at `position` in its direction, of which the capture has `text`. New
    /// messages are put behind `messages`.
    void take(std::vector<HttpMessage>& messages, Side from, u64 position, u64 length, Bytes text,
              u64 number, TimePoint time);

private:
    /// Text as a segment brought it.
    struct Piece {
        std::string_view text;
        u64 length = 0;  ///< on the wire
        u64 number = 0;
        TimePoint time{};
    };
    struct Early {
        std::string text;
        Piece piece;
    };
    struct Way {
        HttpParser parser;
        u64 next = 0;  ///< position
        u64 begin_number = 0;
        TimePoint begin_time{};
        std::map<u64, Early> early;  ///< by position
        std::size_t early_bytes = 0;
    };
    struct Waiting {
        u64 number;
        TimePoint time;
        bool head;
        bool connect;
    };

    void feed(std::vector<HttpMessage>& messages, Side from, u64 position, const Piece& piece);
    void begun(std::vector<HttpMessage>& messages, Side from, const std::string& line);
    static void keep(Way& way, u64 position, const Piece& piece);
    void drain(std::vector<HttpMessage>& messages, Side from);

    std::array<Way, 2> ways_;  ///< by Side
    std::deque<Waiting> waiting_;
    bool answered_has_body_ = true;  ///< of the response under way
};

}  // namespace tapestry
