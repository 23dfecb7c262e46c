#pragma once

#include <map>

#include "apps/replay/played.h"
#include "stack/stack.h"

namespace tapestry {

/// What the recordings of all conversations have in common when they are played.
struct PlayOptions {
    /// The program writes everything when its first byte was sent: windows, Nagle and congestion control
    /// are the stack's own. Otherwise each byte when it was sent first.
    bool write_ahead = false;
    bool keep_passed = false;   ///< remember every frame that passes
    TraceSink* also = nullptr;  ///< who else hears what the stack tells; outlives the stage
    Duration afterwards = 1s;   ///< how long the stack goes on behind the recording
};

/// What an actor needs from the stage.
class StageDoor {
public:
    virtual ~StageDoor() = default;
    virtual Stack& stack() = 0;
    virtual TimePoint now() const = 0;
    /// The stack's clock at a time of the recording.
    virtual TimePoint stack_time(TimePoint recorded) const = 0;
    /// A frame reaches the host. `trusted`: its checksum is not looked at.
    virtual void feed(Bytes frame, bool trusted) = 0;
    /// Lets the port be listened to, with these options for the next SYN; false: it cannot be.
    virtual bool listen(const Endpoint& local, const TcpSocketOptions& options) = 0;
    /// Nobody listens there any more.
    virtual void stop_listening(const Endpoint& local) = 0;
};

/// The program on the played host in one TCP conversation, and the wire to the peer. What the program did
/// is taken from what the recorded host sent: it wrote bytes when they were sent first, closed when the
/// FIN went out, reset when the RST did, read when the window says so. What the peer sent comes in when
/// it came, byte for byte but for the timestamps that it echoes, since our clock is not the recorded one.
///
/// - The recorded host's Nagle algorithm and congestion window have decided already when data may leave;
///   ours are kept out of it (TCP_NODELAY, a large initial window), unless the program writes ahead.
/// - A recorded segment that acknowledges what the stack has not sent yet is held back until it has: a
///   peer cannot know the future. If it is a mere ACK, what has been sent is acknowledged meanwhile, as
///   that peer would have done. How often that was so is counted.
/// - Text that the recording has not is zeros, in both directions; a handshake that it has not is made up.
class TcpActor {
public:
    TcpActor(const TcpScript& script, const PlayOptions& options, StageDoor& door);

    /// The next frame of the recording is due.
    void play(const RecordedFrame& frame);
    /// The recorded host sent `frame` later, when it knew its neighbour; its program connected now.
    void connect_early(const RecordedFrame& frame);
    /// What the program does whenever it can.
    void settle();
    /// A connection of ours was accepted.
    void accepted(TcpSocket socket) { socket_ = std::move(socket); }
    /// The last frame has been played.
    void finish();

    // What the stage tells and asks.
    const SentFrame& on_sent(SentFrame frame);
    void on_event(const TcpEvent& event);
    /// What the recorded host's timestamp clock shows now.
    std::optional<u32> timestamp_now() const;
    std::optional<u16> identification(const Ipv4Header& header, Bytes transport);

    const TcpScript& script() const { return script_; }
    PlayedTcp& played() { return played_; }

private:
    void act(const RecordedFrame& frame);
    void open();
    void connect();
    TcpSocketOptions wanted_options() const;
    void note_edge(const Segment& seg);
    void act_on_text(const Segment& seg);
    void note_urgent(const Segment& seg);
    void fill_hole(u32 size);
    void act_on_fin();
    void act_on_reset(const Segment& seg);
    void write_waiting();
    void arrive(const RecordedFrame& frame);
    bool too_early(const Segment& seg) const;
    void feed(const RecordedFrame& frame, std::optional<SeqNum> ack = std::nullopt);
    void feed_held();
    void note_theirs(const Segment& seg);
    std::optional<SeqNum> hole_in_theirs(SeqNum until, u64 number);
    void make_up_theirs(SeqNum until, const RecordedFrame& like);
    void make_up_handshake();
    std::optional<u32> echo_for(u32 recorded) const;
    void read_some();
    std::size_t may_read() const;
    bool check(const std::string& call, const std::expected<void, Errno>& result);

    const TcpScript& script_;
    const PlayOptions& options_;
    StageDoor& door_;
    PlayedTcp played_;
    TcpSocket socket_;
    std::deque<const RecordedFrame*> held_;

    bool opened_ = false;
    bool making_up_ = false;  ///< a handshake
    bool connected_ = false;
    SeqNum written_to_;              ///< the next number that the program has not written
    std::vector<u8> waiting_;        ///< what it could not write yet
    std::optional<SeqNum> urgent_;   ///< one past the last octet that is to be written as urgent
    std::optional<SeqNum> sent_to_;  ///< one past the highest number that the stack has sent
    bool closing_ = false;           ///< the FIN is to go behind what waits
    bool closed_ = false;            ///< ... and has been asked for
    bool reset_ = false;
    bool over_ = false;
    std::optional<SeqNum> lowered_;    ///< the last ACK that was made for a segment held back
    std::optional<SeqNum> edge_;       ///< the right one of the recorded receive window
    std::optional<SeqNum> got_to_;     ///< up to where their text was recorded without a hole
    std::optional<SeqNum> their_ack_;  ///< the last one that came
    /// When the recorded host first showed a timestamp, and what ours were then.
    std::map<u32, TimePoint> recorded_stamps_;
    std::optional<std::pair<TimePoint, u32>> our_stamp_;
    /// Identifications of the recorded host's segments, by SEG.SEQ, SEG.ACK and length.
    std::map<std::array<u32, 3>, std::deque<u16>> identifications_;
    TcpSnapshot last_;
};

}  // namespace tapestry
