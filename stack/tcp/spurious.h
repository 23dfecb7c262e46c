#pragma once

#include <optional>

#include "stack/base/types.h"

namespace tapestry {

/// Was a retransmission for nothing, because the original had only been late? Two signs: the Eifel
/// algorithm (RFC 3522), by which the first acknowledgment after the retransmission echoes a timestamp
/// that is older than it; and D-SACKs for everything that was sent again (RFC 3708).
class SpuriousDetector {
public:
    /// A recovery begins: after duplicates, or after a timeout.
    void begin() {
        end();
        bytes_ = 0;
        sent_ = false;
        waiting_ = open_ = true;
    }
    /// So many bytes have been sent again, with this TSval.
    void retransmitted(u32 ts_val, u32 bytes);
    /// An acknowledgment that moves SND.UNA; the echoed TSecr, where there is one. True: spurious.
    bool on_advance(std::optional<u32> ts_ecr);
    /// A D-SACK of so many bytes. True: with this one, everything has come twice.
    bool on_duplicate(u32 bytes);
    /// It is known now, or the congestion control has a new state.
    void end() { open_ = waiting_ = false; }
    /// There is something to be undone: else no sign says anything.
    bool open() const { return open_; }

private:
    u32 bytes_ = 0;         ///< sent again, and not reported as having come twice
    u32 ts_val_ = 0;        ///< RetransmitTS of RFC 3522; sent_
    bool sent_ = false;     ///< something has been sent again
    bool waiting_ = false;  ///< no acknowledgment has come since
    bool open_ = false;     ///< there is something to be undone
};

}  // namespace tapestry
