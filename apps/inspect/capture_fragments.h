#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "apps/inspect/seen_text.h"
#include "stack/wire/ipv4.h"

namespace tapestry {

/// Puts the datagrams of a capture together again. Unlike a host, it takes pieces that overlap, the
/// later bytes winning, and knows no time: a capture is read, not answered to.
///
/// Memory is bounded: at kMaxDatagrams under way the oldest is forgotten.
class CaptureFragments {
public:
    static constexpr std::size_t kMaxDatagrams = 64;

    /// One fragment of `wire_size` bytes. The whole packet, good until the next call, if this was the
    /// last piece that it needed. A piece that the capture has cut is passed over.
    std::optional<Bytes> add(const Ipv4View& fragment, std::size_t wire_size);

private:
    struct Datagram {
        Ipv4Address source;
        Ipv4Address destination;
        u16 identification = 0;
        IpProtocol protocol{};
        std::vector<u8> header;       ///< of the first fragment; empty before it comes
        std::vector<u8> text;         ///< what was behind the headers
        SeenText seen{0};             ///< of the text
        std::optional<u32> end = {};  ///< of the text, known from the last fragment
    };
    Datagram& find(const Ipv4View& fragment);
    void write_header(std::size_t size);

    std::deque<Datagram> datagrams_;  ///< oldest first
    std::vector<u8> whole_;
};

}  // namespace tapestry
