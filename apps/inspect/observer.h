#pragma once

#include <functional>
#include <map>
#include <memory>

#include "apps/inspect/capture_fragments.h"
#include "apps/inspect/http_conversation.h"
#include "apps/inspect/observed.h"
#include "apps/inspect/observed_packet.h"
#include "apps/inspect/relative_note.h"

namespace tapestry {

/// Reconstructs both ends of every TCP conversation from frames alone: no stack is run, nothing is
/// believed that the frames do not show.
///
/// The analysis of a segment follows the definitions that people know from Wireshark, so that its
/// names mean here what they mean there; docs/wireshark.md says where we differ, and why.
class Observer {
public:
    using Sink = std::function<void(const ObservedSegment&)>;
    explicit Observer(Sink sink) : sink_(std::move(sink)) {}

    /// One packet of the capture, which had `wire_size` bytes where it was taken; whatever is no whole
    /// TCP segment is passed over. False: it was. A fragment counts for the segment that it completes.
    bool packet(u64 number, TimePoint time, Bytes ipv4, std::size_t wire_size);

    const std::vector<ObservedStream>& streams() const { return streams_; }

private:
    /// What one direction has shown.
    struct Way {
        NumberBase numbers;
        std::optional<SeqNum> next;         ///< the highest number so far
        std::optional<SeqNum> to_be_acked;  ///< up to where an ACK surprises nobody
        SeqNum ack{};                       ///< the last one that it sent ...
        bool acked = false;                 ///< ... if it did
        TimePoint ack_time{};
        TimePoint next_time{};
        u32 window = 0;           ///< raw
        std::optional<u8> scale;  ///< from its SYN
        bool scaled = false;      ///< both sides have offered it, as far as was seen
        bool syn_seen = false;
        u32 duplicates = 0;  ///< of its last ACK
        AnalysisSet last;    ///< of its last segment
        bool fin_sent = false;
        SeqNum fin{};  ///< behind it
        SeenText text;
        u64 acked_to = 0;  ///< position in the text up to which the other side has it
    };
    struct Stream {
        std::array<Way, 2> ways;  ///< by Side
        Way& way(Side side) { return ways[static_cast<std::size_t>(side)]; }
        const Way& way(Side side) const { return ways[static_cast<std::size_t>(side)]; }
        /// What this side has offered last, in bytes; known if its scale is.
        u32 window_of(Side side) const {
            return way(side).window << (way(side).scaled ? way(side).scale.value_or(0) : 0);
        }
        bool window_known(Side side) const { return way(side).scale || handshake_seen; }
        bool handshake_seen = false;
        Duration first_rtt{3ms};  ///< Wireshark's threshold where the handshake was not seen
        std::unique_ptr<HttpConversation> http;  ///< from the first text that may be HTTP
    };
    void observe(const ObservedPacket& arrived);

    std::size_t find(const ObservedPacket& arrived, bool& reused);
    static TcpNote relative(Stream& stream, const ObservedPacket& arrived, Side from);
    static AnalysisSet analyze(Stream& stream, const ObservedPacket& arrived, Side from,
                               u32& duplicate);
    static void analyze_repetition(Stream& stream, const ObservedPacket& arrived, Side from,
                                   AnalysisSet& set);
    static void remember(Stream& stream, const ObservedPacket& arrived, Side from,
                         const AnalysisSet& set);
    static void handshake(Stream& stream, ObservedStream& shown, const ObservedPacket& arrived,
                          Side from);
    static void states(Stream& stream, ObservedStream& shown, const ObservedPacket& arrived,
                       Side from);
    static void note_ack(Way& ours, const Segment& seg);
    static void take_text(Stream& stream, ObservedStream& shown, const ObservedPacket& arrived,
                          Side from);
    static void note_missing(Stream& stream, ObservedStream& shown, const ObservedPacket& arrived,
                             Side from);
    static void note_signs(ObservedStream& shown, const ObservedPacket& arrived, Side from);

    Sink sink_;
    CaptureFragments fragments_;
    std::vector<ObservedStream> streams_;
    std::vector<Stream> inner_;
    std::map<std::pair<Endpoint, Endpoint>, std::size_t> latest_;  ///< by the ends, lower first
};

}  // namespace tapestry
