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

/// What a segment's checksum says about it.
enum class ChecksumSeen : u8 {
    Good,
    Wrong,
    Partial,  ///< the pseudo-header's sum only: left to the network card, the capture was before it
    NotChecked,  ///< the capture has not all of the segment
};
/// "good", "wrong", "partial", "not checked".
std::string_view name(ChecksumSeen checksum);

/// One TCP segment of a capture.
struct ObservedSegment {
    u64 number = 0;  ///< of the record, from 1
    TimePoint time{};
    std::size_t stream = 0;
    Side from = Side::Client;
    SeqNum seq;      ///< as the segment has it
    SeqNum ack;      ///< as the segment has it; meaningless without the ACK bit
    TcpNote note;    ///< numbers relative to the first of each direction; the window as the segment has it
    u32 window = 0;  ///< bytes, scaled
    Bytes payload;   ///< as much of the text as was captured; good while the sink is called
    AnalysisSet analysis;
    u32 duplicate_ack = 0;               ///< which one, with Analysis::DuplicateAck
    TcpState client = TcpState::Closed;  ///< after it
    TcpState server = TcpState::Closed;
    ChecksumSeen checksum = ChecksumSeen::NotChecked;
    bool ip_checksum_wrong = false;
};

/// One HTTP message, found in the text of a conversation.
struct HttpMessage {
    Side from = Side::Client;
    u64 number = 0;  ///< of the record that has its first byte
    TimePoint time{};
    std::string line;            ///< its first
    std::string method;          ///< of a request
    std::string target;          ///< of a request
    u16 status = 0;              ///< of a response
    std::optional<u64> request;  ///< of a response: the record of the request that it answers
    Duration after{};            ///< ... and the time since
};

/// What a conversation shows about how it was captured.
struct CaptureSigns {
    u64 super_frames = 0;  ///< larger than the MSS, or than 1500 bytes where no SYN was seen
    u64 partial_checksums = 0;
    u64 wrong_checksums = 0;
    u64 wrong_ip_checksums = 0;
    u64 cut = 0;             ///< segments of which the capture has not all
    u64 from_fragments = 0;  ///< segments that came in IP fragments
    bool mid_stream = false;
    std::array<u64, 2> missing{};  ///< by Side: bytes of it that were acknowledged, but not shown

    /// What there is to say, in one line; "" for nothing.
    std::string text() const;
};

/// What is known of one end.
struct ObservedEnd {
    Endpoint endpoint;
    u64 bytes = 0;  ///< of text, each once
    u64 segments = 0;
    std::optional<TcpOptions> offered;  ///< in its SYN or SYN-ACK
    TcpState state = TcpState::Closed;
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
    std::vector<HttpMessage> http;  ///< in the order in which they began
    CaptureSigns capture;

    const ObservedEnd& end(Side side) const { return ends[static_cast<std::size_t>(side)]; }
    ObservedEnd& end(Side side) { return ends[static_cast<std::size_t>(side)]; }
    /// "closed", "reset by the server", "open", "refused".
    std::string ending() const;
    std::optional<Side> reset_by;
};

}  // namespace tapestry
