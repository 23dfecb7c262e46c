#pragma once

#include <cstddef>

#include "stack/base/time.h"

namespace tapestry {

/// What has gone through one connection, for TCP_INFO; nothing decides by it.
struct TcpTraffic {
    u64 bytes_acked = 0;
    u64 bytes_received = 0;
    u64 bytes_sent = 0;
    u64 bytes_retrans = 0;
    u32 segs_out = 0;
    u32 segs_in = 0;
    u32 data_segs_out = 0;
    u32 data_segs_in = 0;
    TimePoint last_data_sent{};
    TimePoint last_data_recv{};
    TimePoint last_ack_recv{};

    void heard(bool ack, bool text, TimePoint now) {
        ++segs_in;
        if (ack) last_ack_recv = now;
        if (!text) return;
        ++data_segs_in;
        last_data_recv = now;
    }
    /// RCV.NXT has moved so far; the FIN, which may be in it, is no text.
    void took(u32 moved, bool finished) {
        bytes_received += moved - (moved > 0 && finished ? 1 : 0);
    }
    /// `gso_size`: of a super-frame the text of each segment, else 0.
    void sent(std::size_t text, u16 gso_size, TimePoint now) {
        const auto segments =
            gso_size == 0 ? 1U : static_cast<u32>((text + gso_size - 1U) / gso_size);
        segs_out += segments;
        if (text == 0) return;
        data_segs_out += segments;
        bytes_sent += text;
        last_data_sent = now;
    }
};

}  // namespace tapestry
