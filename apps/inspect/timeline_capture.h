#pragma once

#include <map>

#include "apps/inspect/sent_before.h"
#include "apps/inspect/timeline.h"
#include "drivers/pcap_reader.h"

namespace tapestry {

/// Makes a timeline of a capture, from the same records that an Observer reads: each segment is a step of
/// the one who sent it and, at the same time, a step of the one who got it. What their TCPs knew and
/// decided is made up from the frames; docs/timeline.md says which variables that can be.
class TimelineCapture {
public:
    explicit TimelineCapture(const std::string& file);

    /// The next record; before the observer gets it.
    void record(const PcapRecord& record);
    /// The observer has found a segment in the record that came last.
    void segment(const ObservedSegment& segment, const ObservedStream& stream);
    const Timeline& finish();

private:
    using Step = Timeline::Step;
    /// One end as it is seen.
    struct Seen {
        u32 end = Timeline::kNone;
        TcpSnapshot state;
        u32 index = Timeline::kNone;  ///< of states
        bool sent = false;            ///< its ISS is known
        bool fin = false;             ///< it has sent one
    };

    u32 host(Ipv4Address address);
    Seen& seen(const ObservedStream& stream, Side side);
    void put_frame();
    Step& add(Step::Kind kind, u32 host);
    void decide(Step& step, Seen& seen, Stimulus stimulus, Verdict verdict, TcpState state);
    static Verdict verdict_of_sender(const ObservedSegment& segment, const Segment& seg,
                                     const Seen& sender);
    static Verdict verdict_of_receiver(const ObservedSegment& segment, const Segment& seg,
                                       const Seen& receiver, TcpState after);
    static void sends(Seen& sender, const Segment& seg, u32 length, u32 window);
    static void gets(Seen& receiver, const Segment& seg, u32 length, u32 window);
    static void options(Seen& sender, Seen& receiver, const ObservedStream& stream, Side from);

    Timeline timeline_;
    std::map<Ipv4Address, u32> hosts_;
    std::map<std::pair<std::size_t, Side>, Seen> seen_;
    std::map<u32, SentBefore> sent_before_;  ///< by the sender's end
    std::vector<u8> bytes_;                  ///< of the record that came last, as an Ethernet frame
    u32 wire_size_ = 0;
    u64 number_ = 0;
    TimePoint time_{};
    bool started_ = false;
    bool waiting_ = false;  ///< the record has no step yet
    std::size_t kept_ = 0;
};

}  // namespace tapestry
