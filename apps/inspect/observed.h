#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stack/base/time.h"
#include "stack/tcp/state.h"
#include "stack/trace/notation.h"

namespace tapestry {

/// Which end of a conversation: who opened it, as far as the capture shows, and the other.
enum class Side : u8 { Client, Server };
constexpr Side other(Side side) { return side == Side::Client ? Side::Server : Side::Client; }

/// What can be said of a segment by what went before it, under Wireshark's names (the part behind
/// `tcp.analysis.`).
enum class Analysis : u8 {
    Retransmission,
    FastRetransmission,
    SpuriousRetransmission,
    OutOfOrder,
    LostSegment,
    AckLostSegment,
    DuplicateAck,
    ZeroWindow,
    WindowUpdate,
    WindowFull,
    ZeroWindowProbe,
    ZeroWindowProbeAck,
    KeepAlive,
    KeepAliveAck,
    ReusedPorts,
    kCount,
};
/// "fast_retransmission".
std::string_view name(Analysis analysis);

/// A set of them.
class AnalysisSet {
public:
    void add(Analysis a) { bits_ = static_cast<u16>(bits_ | 1U << static_cast<unsigned>(a)); }
    bool has(Analysis a) const { return (bits_ >> static_cast<unsigned>(a) & 1U) != 0; }
    bool empty() const { return bits_ == 0; }
    /// In the order of the enumeration.
    std::vector<std::string> names() const;

private:
    u16 bits_ = 0;
};

/// One TCP segment of a capture.
struct ObservedSegment {
    u64 number = 0;  ///< of the record, from 1
    TimePoint time{};
    std::size_t stream = 0;
    Side from = Side::Client;
    TcpNote note;    ///< numbers relative to the first of each direction; the window as it is meant
    u32 window = 0;  ///< bytes, scaled
    Bytes payload;   ///< as much of the text as was captured; good while the sink is called
    AnalysisSet analysis;
    u32 duplicate_ack = 0;               ///< which one, with Analysis::DuplicateAck
    TcpState client = TcpState::Closed;  ///< after it
    TcpState server = TcpState::Closed;
};

/// What is known of one end.
struct ObservedEnd {
    Endpoint endpoint;
    u64 bytes = 0;  ///< of text, each once
    u64 segments = 0;
    std::optional<TcpOptions> offered;  ///< in its SYN or SYN-ACK
    TcpState state = TcpState::Closed;
    std::vector<std::string> http;  ///< first lines of the messages that it sent
};

/// One conversation. Numbered as tshark numbers `tcp.stream`.
struct ObservedStream {
    std::size_t number = 0;
    std::array<ObservedEnd, 2> ends;  ///< by Side
    /// tshark's `tcp.completeness`: SYN 1, SYN-ACK 2, ACK 4, data 8, FIN 16, RST 32.
    u8 completeness = 0;
    std::optional<TimePoint> syn;
    std::optional<TimePoint> syn_ack;
    std::optional<TimePoint> ack;
    u64 syn_frame = 0;
    u64 syn_ack_frame = 0;
    u64 ack_frame = 0;
    std::array<u32, static_cast<std::size_t>(Analysis::kCount)> counts{};
    TimePoint first{};
    TimePoint last{};

    const ObservedEnd& end(Side side) const { return ends[static_cast<std::size_t>(side)]; }
    ObservedEnd& end(Side side) { return ends[static_cast<std::size_t>(side)]; }
    /// "closed", "reset by the server", "open", "refused".
    std::string ending() const;
    std::optional<Side> reset_by;
};

}  // namespace tapestry
