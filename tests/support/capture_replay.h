#pragma once

#include <deque>
#include <map>
#include <string>
#include <vector>

#include "stack/stack.h"
#include "tests/support/capture_file.h"

namespace tapestry::test {

/// The text of one side of a conversation as a receiver puts it together: what lies behind `isn`.
std::vector<u8> stream_of(const std::vector<TimedSegment>& segments, SeqNum isn);

/// What a recording does not say by itself.
struct ReplayOptions {
    /// When the application reads.
    enum class Reads : u8 {
        AtOnce,
        WithTheWindow,  ///< as the recorded window's right edge moves; needs receive_buffer
        Never,          ///< so that closing is a reset (RFC 2525 section 2.17)
    };
    /// When the application writes.
    enum class Writes : u8 {
        AsSent,  ///< each byte when it was sent first
        Ahead,  ///< everything when the first was sent: windows decide, Nagle and IW are the default
    };
    /// Who decided on the recorded reset.
    enum class Resets : u8 { Application, Stack };

    Ipv4Address host{192, 168, 3, 10};  ///< whom the stack plays
    Reads reads = Reads::AtOnce;
    Writes writes = Writes::AsSent;
    Resets resets = Resets::Application;
    u32 receive_buffer = 0;     ///< 0: the default
    TcpSocketOptions socket{};  ///< of the played side
};

/// The stack plays one host of a recorded TCP conversation, in virtual time. What the other host sent
/// is fed in when it arrived, byte for byte but for the timestamps that it echoes (our clock is not the
/// recorded one). What the application did is taken from what the recorded host sent: it wrote bytes
/// when they were sent first, closed when the FIN went out, reset when the RST did. So:
///
/// - The recorded host's Nagle algorithm and congestion window have decided already when data may
///   leave; ours are kept out of it (TCP_NODELAY, a large initial window), unless the application
///   writes ahead.
/// - Our ISN is the recorded one: ISN = M + F (RFC 6528), F is known because the secret is, and the
///   clock starts where M makes the sum right.
/// - A recorded segment that acknowledges what the stack has not sent yet is held back until it has: a
///   peer cannot know the future. If it is a mere ACK, what has been sent is acknowledged meanwhile, as
///   that peer would have done. How often that was so is counted.
/// - The minimum of the retransmission timeout is Linux's, 200 ms.
class CaptureReplay final : private Port, private TraceSink {
public:
    /// Throws std::runtime_error when the capture holds no TCP conversation of `options.host`.
    CaptureReplay(const std::string& path, const ReplayOptions& options);
    ~CaptureReplay() override;

    /// Plays everything, then goes on for `afterwards`.
    void run(Duration afterwards = 5s);

    // What was recorded and what happened, all on the recording's clock.
    const std::vector<TimedSegment>& recorded() const { return ours_; }
    const std::vector<TimedSegment>& sent() const { return sent_; }
    const std::vector<TimedSegment>& theirs() const { return theirs_; }
    /// What the application has read, and what there was to read.
    const std::vector<u8>& read() const { return read_; }
    /// Refusals by their names.
    const std::map<std::string, int>& drops() const { return drops_; }
    /// The connection's state after the last thing that happened to it.
    TcpState state() const { return state_; }
    /// Every state that it has been in, in order.
    const std::vector<TcpState>& states() const { return states_; }
    /// The error that the application met; None: none.
    Errno error() const { return error_; }
    /// Recorded frames that had to be held back, and those that still are.
    u32 held_back() const { return held_back_; }
    std::size_t never_fed() const { return held_.size(); }
    /// Calls that the stack did not take as the recorded host did: one line each.
    const std::vector<std::string>& refused_calls() const { return refused_calls_; }
    /// First numbers, for people: those of the host that is played, and of the other.
    SeqNum our_isn() const { return our_isn_; }
    SeqNum their_isn() const { return their_isn_; }

private:
    PortCapabilities capabilities() const override { return {}; }
    bool transmit(const Frame& frame) override;
    void on_drop(const DropEvent& event) override;
    void on_tcp(const TcpEvent& event) override;

    void sort_out(const std::string& path);
    StackConfig stack_config() const;
    void set_clock();
    void start_stack();
    TimePoint stack_time(TimePoint recorded) const { return recorded + clock_offset_; }
    TimePoint recorded_time(TimePoint stack) const { return stack - clock_offset_; }

    void run_to(TimePoint recorded);
    void act(const TimedSegment& segment);
    void act_on_text(const Segment& segment);
    void write(Bytes text);
    void act_on_fin(const Segment& segment);
    void act_on_reset();
    void arrive(const TimedSegment& segment);
    bool too_early(const TimedSegment& segment) const;
    void feed(const TimedSegment& segment, std::optional<SeqNum> ack = std::nullopt);
    u8 their_window_shift() const;
    void feed_held();
    void settle();
    void read_some();
    std::size_t may_read() const;
    bool check(const std::string& call, const std::expected<void, Errno>& result);

    ReplayOptions options_;
    std::vector<CapturedFrame> frames_;
    std::vector<TimedSegment> all_, ours_, theirs_, sent_;
    std::deque<std::vector<u8>> sent_bytes_;
    std::deque<TimedSegment> held_;
    Endpoint local_, remote_;
    MacAddress local_mac_, remote_mac_;
    SeqNum our_isn_, their_isn_;
    bool active_ = false;   ///< our SYN came first
    bool refuses_ = false;  ///< nobody listens: we only reset
    Duration clock_offset_{};
    TimePoint now_{};  ///< the stack's

    class FixedRng;
    std::unique_ptr<FixedRng> rng_;
    PacketPool pool_{PacketPool::kSuperFrameSlot, 4096};
    std::unique_ptr<Stack> stack_;
    Interface* interface_ = nullptr;
    Listener listener_;
    TcpSocket socket_;

    SeqNum written_to_;              ///< the next number that the application has not written
    std::optional<SeqNum> sent_to_;  ///< one past the highest number that the stack has sent
    bool closing_ = false;
    bool reset_ = false;
    std::optional<SeqNum> lowered_;  ///< the last ACK that was made for a segment held back
    std::optional<SeqNum> edge_;     ///< the right one of the recorded receive window
    bool over_ = false;              ///< the recording has been played
    std::optional<u32> our_stamp_, recorded_stamp_;
    std::vector<u8> read_;
    std::map<std::string, int> drops_;
    TcpState state_ = TcpState::Closed;
    std::vector<TcpState> states_;
    Errno error_ = Errno::None;
    u32 held_back_ = 0;
    std::vector<std::string> refused_calls_;
};

}  // namespace tapestry::test
