#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "stack/base/types.h"

namespace tapestry {

/// Finds where the messages of HTTP/1 begin in the text of one direction (RFC 9112), handed over in
/// any pieces. Only what says where a message ends is understood of it.
class HttpParser {
public:
    /// Whether a response to the oldest request that waits for one has a body: not to HEAD.
    using FirstLine = std::function<void(const std::string& line)>;
    using HasBody = std::function<bool()>;

    /// `begins` is called at the first byte of a message, `first_line` when its first line is whole;
    /// `answer_has_body` is asked at the end of a response's head.
    struct Calls {
        std::function<void()> begins;
        FirstLine first_line;
        HasBody answer_has_body;
    };

    /// Whether a message may begin so, as far as there is text.
    static bool may_begin(std::string_view text);

    void text(std::string_view text, const Calls& calls);
    /// Text that was not captured. It may be of a body; else the place in the messages is lost.
    void skip(u64 length);
    /// Whether it is in the middle of something; if not, it waits for text that may_begin().
    bool active() const { return state_ != State::Idle; }

private:
    /// Lines longer than that are none of HTTP's, for us.
    static constexpr std::size_t kMaxLine = 8192;

    enum class State : u8 {
        Idle,       ///< not HTTP, or lost
        FirstLine,  ///< or the empty lines before it
        Head,
        Body,  ///< left_ bytes more
        ChunkSize,
        Chunk,  ///< left_ bytes more
        Trailer,
        UntilEnd,  ///< all that comes is body
    };

    void line(const Calls& calls);
    void header();
    void end_of_head(const Calls& calls);
    void body(u64 length, State then);
    void chunk_size();

    State state_ = State::Idle;
    std::string line_;
    u64 left_ = 0;
    State after_body_ = State::FirstLine;
    // Of the message under way.
    bool response_ = false;
    u16 status_ = 0;
    bool chunked_ = false;
    bool has_length_ = false;
    u64 length_ = 0;
};

}  // namespace tapestry
