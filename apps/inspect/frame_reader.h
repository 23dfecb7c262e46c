#pragma once

#include <map>
#include <tuple>

#include "apps/inspect/conversation.h"
#include "apps/inspect/story.h"

namespace tapestry {

/// Says what frames mean to somebody who watches the links of a network. Each link is watched by
/// itself: behind a translation the same connection has other addresses.
class FrameReader {
public:
    /// `frame` is as the wire carries it. To be called once for each frame, in their order.
    FrameFacts read(Bytes frame, const std::string& link, const Offload& offload = {});

private:
    using Key = std::tuple<std::string, Endpoint, Endpoint>;  ///< the lower endpoint first
    struct Known {
        explicit Known(u32 number) : segments(number) {}
        Conversation segments;
        /// What each of the two ends has said last.
        struct Side {
            std::optional<u16> told;  ///< the window that was told
            u16 window = 0;
            std::optional<u32> ack;
            u32 end = 0;  ///< behind all that it has sent
        };
        std::array<Side, 2> sides;
    };

    void read_tcp(const TcpDigest& received, FrameFacts& facts);
    static bool is_duplicate(const TcpDigest& digest, const TcpNote& note, const Known& known);

    std::map<Key, Known> conversations_;
};

/// What every frame of a timeline says, by its index.
std::vector<FrameFacts> frame_facts(const Timeline& timeline);

/// What an ICMP "destination unreachable" says, by its code, in a few words.
std::string unreachable_text(u8 code);

}  // namespace tapestry
