#pragma once

#include <deque>
#include <map>
#include <memory>

#include "apps/inspect/sent_before.h"
#include "apps/inspect/timeline.h"
#include "drivers/clock.h"

namespace tapestry {

/// Writes a timeline while something runs: listens to stacks, and to links where there are any. What
/// belongs together becomes one step: a frame that comes in and what it did to its connection, the
/// last frame of a flush and that flush.
///
/// Memory is bounded in bytes of frames: beyond kKeptWhole only the first kKeptOfEach of each are kept.
class TimelineRecorder {
public:
    static constexpr std::size_t kKeptWhole = std::size_t{64} << 20;
    static constexpr std::size_t kKeptOfEach = 128;

    /// What hears frames.
    enum class Frames : u8 {
        /// The stacks: what they send and get is all that is known of the network. Of two that are
        /// heard, what the one sent and the other got are one frame.
        AtBorders,
        OnLinks  ///< on_link(): the stack only says when a frame has arrived
    };

    /// The timeline has its hosts, lifelines and links already. All outlive it. `clock` is for a network
    /// in virtual time, where a stack that has had nothing to do may not know what time it is; without
    /// one the events' own times count, and the first is the timeline's start.
    TimelineRecorder(Timeline& timeline, Frames frames, Clock clock = {});
    ~TimelineRecorder();
    TimelineRecorder(const TimelineRecorder&) = delete;
    TimelineRecorder& operator=(const TimelineRecorder&) = delete;

    /// The ear of a host, which its stack is to be given. With Frames::AtBorders the first other host
    /// is the far end of everything.
    TraceSink& ear(u32 host);
    /// A frame is put on a link; `to` is whom it is for. `lost`: why it does not arrive, or "".
    void on_link(u32 link, Timeline::Place from, Timeline::Place to, Bytes bytes,
                 const std::string& lost);
    /// Words: of an application, a person, the author; and the same in Chinese ("": as they are).
    void say(Timeline::Step::Kind kind, u32 host, const std::string& text,
             const std::string& chinese = "");
    /// Says which ends are the two of one connection, and what was lost. To be called when nothing more
    /// comes.
    void finish();

private:
    class Ear;
    using Step = Timeline::Step;
    using Ends = std::pair<Endpoint, Endpoint>;  ///< ours, the peer's

    /// What a host is in the middle of.
    struct Machine {
        std::unique_ptr<Ear> ear;
        std::map<Ends, u32> ends;        ///< the latest
        std::map<Ends, u32> unflushed;   ///< the last step that sent something for them
        u32 received = Timeline::kNone;  ///< the step of the frame that it is looking at
        u32 cause = Timeline::kNone;     ///< the last step that can lead to others
    };
    /// Frames that are on a link.
    struct InFlight {
        u32 frame;
        bool group;                ///< for several: stays until it is old
        std::vector<u32> arrived;  ///< hosts that have it
    };

    Step& add(Step::Kind kind, u32 host);
    u32 last_step() const { return static_cast<u32>(timeline_.steps.size() - 1); }
    Duration now() const { return (clock_ ? clock_() : now_) - timeline_.start; }
    void hear(TimePoint time);
    u32 add_frame(const FrameEvent& event);
    u32 add_frame(std::vector<u8> bytes, const Offload& offload);
    void note_sent(u32 host, u32 step);
    void note_lost();
    u32 find_in_flight(u32 host, u32 interface, Bytes bytes);
    void on_frame(u32 host, const FrameEvent& event);
    void on_tcp(u32 host, const TcpEvent& event);
    void on_drop(u32 host, const DropEvent& event);
    void on_flow(u32 host, const FlowEvent& event);
    void on_forward(u32 host, const ForwardEvent& event);
    Step& step_of(u32 host, const TcpEvent& event);
    u32 end_of(u32 host, const TcpEvent& event);
    u32 keep(const TcpSnapshot& state, u32 like);
    void note_reply(u32 host, u32 end, const TcpSnapshot& now);

    Timeline& timeline_;
    Frames frames_;
    Clock clock_;
    TimePoint now_{};       ///< without a clock: of the last event
    bool started_ = false;  ///< ... there has been one
    std::map<u32, Machine> machines_;
    std::deque<InFlight> in_flight_;
    std::vector<u32> last_state_;                             ///< by end
    std::size_t kept_ = 0;                                    ///< bytes of frames
    std::map<std::pair<u32, Ends>, SentBefore> sent_before_;  ///< by link and ends
};

/// Ties the ends of each connection together by their initial sequence numbers, which no NAT changes,
/// and numbers the connections.
void pair_ends(Timeline& timeline);

}  // namespace tapestry
