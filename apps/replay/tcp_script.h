#pragma once

#include <set>

#include "apps/replay/recording.h"
#include "stack/tcp/socket.h"

namespace tapestry {

/// What the recording of one TCP conversation tells before it is played: who opened it, with which
/// numbers, and what the played host's program must have asked of its socket.
struct TcpScript {
    std::size_t stream = 0;  ///< as tshark counts
    Endpoint local;          ///< the played host's
    Endpoint remote;
    std::vector<const RecordedFrame*> frames;  ///< of both, in their order
    std::vector<const RecordedFrame*> ours;
    std::vector<const RecordedFrame*> theirs;

    const Segment* our_syn = nullptr;    ///< null: none was recorded
    const Segment* their_syn = nullptr;  ///< the same
    SeqNum our_isn;
    SeqNum their_isn;
    bool active = false;      ///< the host opened it: its SYN came first
    bool refuses = false;     ///< nobody listened: the host only reset
    bool silent = false;      ///< the host never said anything
    bool mid_stream = false;  ///< the recording begins when both were talking already

    /// The host's SYN-ACK was recorded, but not what it answers.
    bool answers_unseen_syn() const {
        return our_syn != nullptr && our_syn->flags.ack() && their_syn == nullptr;
    }

    /// Options of the played host's socket: keep-alive, segment size, TTL.
    TcpSocketOptions socket;
    /// Not 0: the program read as the recorded window moved, from a buffer of so many bytes.
    u32 receive_buffer = 0;
    /// A reset that came after the host's FIN: its program had closed, not only shut down.
    bool resets_after_fin = false;
    /// The reset at the end was TCP's: nothing answered its keep-alive probes.
    bool dies_of_silence = false;
    u8 their_shift = 0;  ///< of their windows: offered, or where that was not seen, guessed

    /// How long frames took between the host and where they were recorded, each way.
    Duration away{};
    /// Frames of the peer that were lost behind the recorder: the host never got them.
    std::set<const RecordedFrame*> lost;
    /// When the frame was at the host.
    TimePoint host_time(const RecordedFrame& frame) const {
        return frame.ours ? frame.time - away : frame.time + away;
    }

    /// "192.168.3.10:49152 > 192.168.3.1:80".
    std::string title() const;
};

/// What a SYN's window scale option means: without one 0, above 14 is 14 (RFC 7323 2.3).
u8 window_shift(const Segment& syn);

/// Every TCP conversation of the played host, in the order of their first frames.
std::vector<TcpScript> tcp_scripts(const Recording& recording);

/// The text of one side as a receiver puts it together: what lies behind `isn`. What was not recorded
/// is zeros.
std::vector<u8> stream_text(const std::vector<const RecordedFrame*>& frames, SeqNum isn);

}  // namespace tapestry
