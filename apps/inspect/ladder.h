#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "apps/inspect/conversation.h"
#include "apps/inspect/ladder_page.h"
#include "apps/inspect/traffic_run.h"

namespace tapestry {

/// Draws what a stack does, as it happens: a line for each frame with an arrow, our state after it, and
/// under it what it changed and which step of which RFC decided. Long runs of similar segments are
/// summed up. Sequence numbers count from the first of each direction, time from the first event.
///
/// A segment that has arrived is held until the stack has said what became of it, at the latest until the
/// next event; so a line may appear after the packet, but never after the next one.
class Ladder final : public TraceSink {
public:
    Ladder(LineOut out, Paint paint) : page_(std::move(out), paint) {}
    /// Calls finish().
    ~Ladder() override;

    void on_frame(const FrameEvent& event) override;
    void on_drop(const DropEvent& event) override;
    void on_tcp(const TcpEvent& event) override;

    /// Prints what is still held, and a line of totals. Called once.
    void finish();

private:
    using Key = std::pair<Endpoint, Endpoint>;  ///< ours, the peer's
    /// How much a line matters: one of a run, something special, a step that must not be missed.
    enum class Weight : u8 { Routine, Notable, Key };
    struct Known {
        explicit Known(std::size_t number) : frames(number) {}
        Conversation frames;
        TcpState state = TcpState::Closed;
        u32 shown = 0;                    ///< routine segments since something else happened
        u32 notable = 0;                  ///< notable ones since the connection was quiet
        TrafficRun run;                   ///< segments that were not shown
        Verdict last_in = Verdict::None;  ///< of the segment before
        bool last_out_again = false;      ///< the last that left was sent for the second time
        u32 unflushed = 0;                ///< frames that have left since the last flush was over
        bool last_shown = true;           ///< the last segment was
        TimePoint last_line{};
        TimePoint last_segment{};
    };
    /// A segment on its way to the page.
    struct Held {
        Key key;
        TimePoint now;
        Direction direction = Direction::In;
        std::string note;
        std::string options;  ///< that had no room in the note
        std::string role;
        std::string text;
        u32 segments = 1;
        u32 length = 0;
        bool plain = false;  ///< no flags but ACK and PSH
        bool again = false;  ///< nothing new in it
    };

    /// Segments of a run that are shown before the rest is summed up.
    static constexpr u32 kShownOfRun = 8;
    /// Losses and the like that are shown before they are summed up, too.
    static constexpr u32 kShownNotable = 24;

    Duration elapsed(TimePoint now);
    Known& known(const Key& key, TimePoint now);
    void tcp_frame(const FrameEvent& event, const TcpDigest& digest);
    Held describe(const FrameEvent& event, const TcpDigest& digest, Known& conversation);
    void print(const Held& segment, Known& conversation);
    void print_held();
    bool hide(const Held& segment, Weight weight, TrafficRun::Kind kind, Known& conversation);
    void end_run(Known& conversation);
    static Weight weigh(const TcpEvent& event, const Held& segment, const Known& conversation);
    void segment_event(const TcpEvent& event, Known& conversation);
    void flush_event(const TcpEvent& event, Known& conversation);
    void call_or_timer(const TcpEvent& event, Known& conversation);
    void consequences(const TcpEvent& event, const std::string& text, std::string_view rule,
                      bool all);

    LadderPage page_;
    std::optional<TimePoint> start_;
    std::map<Key, Known> conversations_;
    std::optional<Held> held_;
    std::optional<Drop> explained_;  ///< a refusal that a line has named already
    u64 frames_in_ = 0;
    u64 frames_out_ = 0;
    u64 drops_ = 0;
    TimePoint last_{};
    bool finished_ = false;
};

}  // namespace tapestry
