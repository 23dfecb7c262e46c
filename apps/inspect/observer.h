#pragma once

#include <functional>
#include <map>

#include "apps/inspect/observed.h"
#include "apps/inspect/relative_note.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/segment.h"

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
    /// TCP segment is passed over. False: it was.
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
        bool scaled = false;      ///< both sides have offered it, or the handshake was not seen
        u32 duplicates = 0;       ///< of its last ACK
        AnalysisSet last;         ///< of its last segment
        bool fin_sent = false;
        SeqNum fin{};               ///< behind it
        std::map<u32, u32> pieces;  ///< text seen, relative; merged from the left
        u32 contiguous = 1;         ///< relative number up to which all text was seen
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
    };
    struct Arrived {
        u64 number;
        TimePoint time;
        Segment segment;
        u32 length = 0;  ///< of the text on the wire; the capture may have less of it

        SeqNum end() const {
            return segment.seq + length + (segment.flags.syn() ? 1U : 0U) +
                   (segment.flags.fin() ? 1U : 0U);
        }
    };

    void observe(const Arrived& arrived);

    std::size_t find(const Arrived& arrived, bool& reused);
    static TcpNote relative(Stream& stream, const Arrived& arrived, Side from);
    static AnalysisSet analyze(Stream& stream, const Arrived& arrived, Side from, u32& duplicate);
    static void analyze_repetition(Stream& stream, const Arrived& arrived, Side from,
                                   AnalysisSet& set);
    static void remember(Stream& stream, const Arrived& arrived, Side from, const AnalysisSet& set);
    static void handshake(Stream& stream, ObservedStream& shown, const Arrived& arrived, Side from);
    static void states(Stream& stream, ObservedStream& shown, const Arrived& arrived, Side from);
    static void note_ack(Way& ours, const Segment& seg);
    static void take_text(Way& way, ObservedEnd& end, const Arrived& arrived);
    static void find_http(ObservedEnd& end, Bytes text);

    Sink sink_;
    std::vector<ObservedStream> streams_;
    std::vector<Stream> inner_;
    std::map<std::pair<Endpoint, Endpoint>, std::size_t> latest_;  ///< by the ends, lower first
};

}  // namespace tapestry
