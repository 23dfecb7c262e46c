#pragma once

#include <unordered_map>

#include "apps/inspect/quiz/quiz_conversation.h"
#include "stack/wire/ipv4.h"

namespace tapestry {

/// Finds the segments that were captured on both sides of a router that translates addresses: the same
/// IPv4 identification, sequence and acknowledgment numbers, flags and text, but another source or
/// destination.
class Crossings {
public:
    /// The next packet of the capture; `other`: of the one that was taken on the router's other side.
    void packet(u64 frame, TimePoint time, Bytes ipv4, std::size_t wire_size, bool other);
    const std::vector<Crossing>& found() const { return found_; }

private:
    struct Seen {
        u64 frame = 0;
        TimePoint time{};
        bool other = false;
        Endpoint source;
        Endpoint destination;
        std::vector<u8> headers;
    };
    std::unordered_map<std::string, Seen> seen_;  ///< by all that a translation leaves alone
    std::vector<Crossing> found_;
};

}  // namespace tapestry
