#pragma once

#include <memory>

#include "stack/base/ready.h"
#include "stack/ip/ipv4.h"
#include "stack/tcp/congestion.h"
#include "stack/tcp/prr.h"
#include "stack/tcp/rack.h"
#include "stack/tcp/receive_tuning.h"
#include "stack/tcp/receiver.h"
#include "stack/tcp/recovery.h"
#include "stack/tcp/rtt.h"
#include "stack/tcp/sender.h"
#include "stack/tcp/socket.h"
#include "stack/tcp/spurious.h"
#include "stack/tcp/state.h"
#include "stack/tcp/traffic.h"

namespace tapestry {

/// What on_segment() decided.
struct SegmentResult {
    Verdict verdict = Verdict::Accepted;
    /// The segment, or its text, was refused.
    std::optional<Drop> drop{};
    /// A small answer (reset, challenge ACK, duplicate ACK) that the caller sends at once.
    std::optional<TcpHeader> reply{};
    /// The SYN opens a new connection in the place of this one, which is over (TIME-WAIT).
    bool reopen = false;
};

/// One end of one TCP connection (RFC 9293): the variables, the sender, the receiver and the timers.
/// Four things move it, and nothing else: a segment, a timer, a call of its user, a flush. What there
/// is to send leaves in flush(), once for each batch of segments.
///
/// Theory of operation: connection_handshake.cpp opens, connection_input.cpp takes segments in the
/// order of section 3.10.7.4, connection_fast.cpp the two most common kinds of them at once,
/// connection_output.cpp sends, connection_user.cpp carries out calls,
/// connection_recovery.cpp repairs losses, connection_timers.cpp runs the timers;
/// connection_options.cpp and connection_info.cpp set and tell.
class Connection final : private Timer {
public:
    Connection(Tcp& tcp, Services& services);
    ~Connection() override;

    // The four stimuli.
    SegmentResult on_segment(const Segment& seg, TimePoint now);
    Verdict on_deadline(TimePoint now);
    /// Sends what may be sent. False: the device is full, call again later.
    bool flush(TimePoint now);

    // User calls (RFC 9293 section 3.10.1 to 3.10.6).
    void open_active(const Endpoint& local, const Endpoint& remote, TimePoint now);
    std::expected<std::size_t, Errno> write(Bytes data, bool urgent = false);
    std::expected<std::size_t, Errno> read(MutableBytes out);
    std::expected<std::array<Bytes, 2>, Errno> peek(u32 max);
    void consume(u32 n);
    std::expected<void, Errno> shutdown(Shutdown how);
    void close();
    void abort();
    std::expected<void, Errno> set_options(const TcpSocketOptions& options);
    TcpSocketOptions options() const;
    Errno take_error();
    void watch(ReadySet* set, u64 token);
    void bind(const Endpoint& local) { local_ = local; }

    /// A SYN has come to a listener (RFC 9293 3.10.7.2, third).
    /// `iss_floor`: the new ISS is beyond it.
    void open_passive(const Segment& syn, std::optional<SeqNum> iss_floor, TimePoint now);
    /// ... and is answered with a cookie, this ISS. Nothing is kept: header_of_syn_ack() is all.
    void open_with_cookie(const Segment& syn, SeqNum iss, TimePoint now);
    TcpHeader header_of_syn_ack(TimePoint now) const;
    /// The SYN-ACK with a cookie has left, in the past.
    void cookie_was_sent(TimePoint now);
    /// When it is established, somebody may accept it here.
    void wait_at(ListenQueue& parent);
    /// The network reports an error about a segment that was ours. Refuses: IcmpNoMatch.
    std::expected<Verdict, Drop> on_icmp_error(const IcmpError& error, TimePoint now);

    TcpState state() const { return state_; }
    const Endpoint& local() const { return local_; }
    const Endpoint& remote() const { return remote_; }
    Readiness readiness() const;
    u32 writable_bytes() const;
    u32 urgent_ahead() const { return receiver_.urgent_ahead(); }
    u32 readable_bytes() const { return receiver_.readable(); }
    TcpSnapshot snapshot() const;
    TcpInfo info() const;

    /// Nobody has, or will get, a handle: the stack forgets the connection when it ends.
    bool orphaned() const { return !has_handle_ && parent_ == nullptr; }
    ListenQueue* parent() const { return parent_; }
    /// The listener is gone.
    void leave_parent() { parent_ = nullptr; }
    /// A handle has been given out.
    void adopt() {
        has_handle_ = true;
        parent_ = nullptr;
    }

private:
    friend class Tcp;
    friend class TcpSocket;
    friend class TcpTraceGuard;

    // connection_fast.cpp
    std::optional<SegmentResult> on_predicted(const Segment& seg, TimePoint now);
    SegmentResult on_predicted_ack(const Segment& seg, TimePoint now);
    SegmentResult on_predicted_text(const Segment& seg, TimePoint now);

    // connection_handshake.cpp
    SegmentResult on_segment_syn_sent(const Segment& seg, TimePoint now);
    SegmentResult complete_syn_sent(const Segment& seg, TimePoint now);
    std::expected<Verdict, SegmentResult> check_ack_syn_received(const Segment& seg, TimePoint now);
    void begin_passive(const Segment& syn, SeqNum iss, TimePoint now);
    void take_peer_syn(const Segment& seg, TimePoint now);
    void become_established(TimePoint now);
    TcpOptions syn_options(TimePoint now) const;

    // connection_input.cpp: the checks of section 3.10.7.4, in its order
    std::optional<SegmentResult> check_time_wait(const Segment& seg, TimePoint now);
    std::optional<SegmentResult> check_paws(const Segment& seg, TimePoint now);
    std::optional<SegmentResult> check_sequence(const Segment& seg, TimePoint now);
    std::optional<SegmentResult> check_reset(const Segment& seg, TimePoint now);
    std::optional<SegmentResult> check_syn(const Segment& seg, TimePoint now);
    std::expected<Verdict, SegmentResult> check_ack(const Segment& seg, TimePoint now);

    // connection_ack.cpp
    /// What an acknowledgment has brought.
    struct AckReport {
        bool advances = false;  ///< SND.UNA moved
        u32 duplicate = 0;      ///< bytes of a D-SACK (RFC 2883); 0: there was none
        bool fresh = false;     ///< there was something new in the SACK blocks
        Delivered delivered{};
    };
    Verdict take_ack(const Segment& seg, TimePoint now);
    Verdict take_new_ack(const Segment& seg, AckReport& report, TimePoint now);
    Verdict take_same_ack(const Segment& seg, TimePoint now);
    u32 flight_after_recovery() const;
    void take_window(const Segment& seg);
    void sample_rtt(const Segment& seg, TimePoint now);
    std::optional<Verdict> advance_closing_states(TimePoint now);

    // connection_recovery.cpp
    Verdict take_duplicate_ack(TimePoint now);
    Verdict take_sack(const Segment& seg, AckReport& report, Verdict so_far);
    Verdict detect_losses(const Segment& seg, const AckReport& report, Verdict so_far,
                          TimePoint now);
    Rack::Situation rack_situation(TimePoint now, bool duplicate) const;
    u32 run_rack(TimePoint now, bool duplicate);
    u32 run_scoreboard(bool fresh);
    void retransmit_head();
    void enter_recovery(u32 delivered, TimePoint now);
    TimePoint echoed(const Segment& seg, TimePoint now) const;
    Verdict on_reorder_timer(TimePoint now);
    void arm_loss_probe(TimePoint now);
    Verdict on_loss_probe_timer();
    bool send_loss_probe(TimePoint now);
    Verdict check_loss_probe(const Segment& seg, const AckReport& report, Verdict so_far,
                             TimePoint now);
    void end_loss_probe();
    bool was_spurious(const Segment& seg, const AckReport& report);
    Verdict undo(const AckReport& report, TimePoint now);

    // connection_ecn.cpp
    void take_ecn(const Segment& seg, TimePoint now);
    u8 ecn_codepoint(const SegmentPlan& plan) const;
    u8 ecn_flags(const SegmentPlan& plan) const;

    // connection_input.cpp
    SegmentResult take_text(const Segment& seg, Verdict so_far, TimePoint now);
    SegmentResult refuse_text(Drop drop);
    void owe_ack(u32 text, TimePoint now);
    void take_fin(TimePoint now);
    void take_urgent(const Segment& seg);
    void remember_timestamp(const Segment& seg, TimePoint now);
    std::optional<TcpHeader> ack_for_refused(const Segment& seg, TimePoint now);
    std::optional<TcpHeader> challenge(TimePoint now);

    // connection_output.cpp
    TcpHeader header(SeqNum seq, u8 flags, TimePoint now) const;
    TcpHeader ack_header(TimePoint now) const;
    TcpHeader reset_header(TimePoint now) const;
    SendResult transmit(const TcpHeader& header, const std::array<Bytes, 2>& text, u16 gso_size,
                        TimePoint now, u8 ecn = 0);
    bool send_plan(const SegmentPlan& plan, TimePoint now);
    bool send_ack(TimePoint now);
    void after_header_sent(const TcpHeader& header, TimePoint now);
    void after_plan_sent(const SegmentPlan& plan, TimePoint now);
    SendLimits limits() const;
    bool send_queued(TimePoint now);
    bool reports_sacks() const;
    u16 sack_bytes() const;
    void settle_timers(TimePoint now);
    Duration user_timeout() const;
    u32 congestion_window() const;
    void restart_after_idle(TimePoint now);
    u32 initial_window() const;
    void update_mss();
    u16 full_segment() const;
    u32 timestamp(TimePoint now) const;
    SeqNum choose_numbers(TimePoint now);

    // connection_timers.cpp
    void on_timer(TimePoint now) override;
    Verdict on_rto(TimePoint now);
    void give_up(bool opening);
    void look_for_black_hole(TimePoint now);
    Verdict on_persist();
    Verdict on_keep_alive(TimePoint now);
    void arm(TcpTimer timer, TimePoint deadline);
    /// The queue finds out when the moment comes.
    void disarm(TcpTimer timer) { deadlines_[static_cast<std::size_t>(timer)] = kNever; }
    bool armed(TcpTimer timer) const { return deadline(timer) != kNever; }
    TimePoint deadline(TcpTimer t) const { return deadlines_[static_cast<std::size_t>(t)]; }
    void restart_keep_alive(TimePoint now);
    void enter_time_wait(TimePoint now);

    // connection_info.cpp
    CaState ca_state() const;
    void add_traffic(TcpInfo& info) const;
    void show_sack(TcpSnapshot& s) const;

    // connection_user.cpp
    void fail(Errno error);
    void enter_closed();
    void notify();
    void taken(u32 n);
    const TcpConfig& config() const { return services_.config.tcp; }

    // connection_options.cpp
    u32 receive_limit() const;
    u32 receive_ceiling() const;
    void tune_receive_buffer(u32 taken);
    u32 send_limit() const;
    bool keep_alive_on() const;
    Congestion congestion_choice() const;
    void choose_congestion(Congestion before);

    /// What a pending acknowledgment waits for.
    enum class AckState : u8 { None, Delayed, Now };

    Tcp& tcp_;
    Services& services_;
    Endpoint local_;
    Endpoint remote_;
    Sender sender_;
    Receiver receiver_;
    RttEstimator rtt_;
    Recovery recovery_;
    Rack rack_;
    Prr prr_;
    SpuriousDetector spurious_;
    std::unique_ptr<CongestionControl> congestion_;
    std::array<TimePoint, kTcpTimerCount> deadlines_ = TcpSnapshot::all_off();
    std::unique_ptr<TcpSocketOptions> options_;  ///< null: all defaults
    ListenQueue* parent_ = nullptr;  ///< a passive open that nobody has accepted yet (MUST-11)
    ReadySet* ready_set_ = nullptr;
    u64 ready_token_ = 0;
    TcpTraffic traffic_;
    ReceiveTuning receive_tuning_;

    TimePoint timed_at_{};      ///< when the segment that is being timed was sent
    SeqNum timed_seq_;          ///< ... its end; valid while timing_
    SeqNum sample_after_;       ///< no further sample by timestamps before this is acknowledged
    TimePoint last_sent_{};     ///< for the restart after idleness (RFC 5681 4.1)
    TimePoint ts_recent_at_{};  ///< when TS.Recent was taken (RFC 7323 5.5)
    u32 ts_recent_ = 0;
    u32 ts_offset_ = 0;
    SeqNum ecn_recover_;           ///< the window was reduced for ECN; not again before this
    SeqNum loss_probe_end_;        ///< TLP.end_seq (RFC 8985 7.1); loss_probe_out_
    SeqNum last_ack_sent_;         ///< Last.ACK.sent (RFC 7323 4.3)
    TimePoint challenge_epoch_{};  ///< the second in which challenge ACKs are counted
    u32 quick_acks_ = 0;           ///< segments that were acknowledged at once
    TimePoint path_cap_until_{};   ///< when the larger size is tried again; path_cap_ != 0
    u32 unacked_ = 0;              ///< text received since the last acknowledgment
    u32 retransmissions_ = 0;
    u32 index_ = 0;            ///< place in Tcp's table
    u16 peer_mss_ = 536;       ///< SendMSS of RFC 9293 3.7.1
    u16 mss_ = 536;            ///< Eff.snd.MSS
    u16 receive_mss_ = 536;    ///< what we can receive, and advertise (MUST-67)
    u16 path_cap_ = 0;         ///< an MTU below that of the path, which has a black hole; 0: none
    u16 max_burst_ = 536;      ///< text of one super-frame
    u16 largest_segment_ = 0;  ///< RMSS as observed, for delayed ACKs
    u8 retries_ = 0;           ///< retransmissions since SND.UNA moved (R1, R2)
    u8 probes_ = 0;            ///< probes sent since anything was heard
    u8 persist_count_ = 0;     ///< window probes since the window closed, for their back-off
    u8 challenges_ = 0;
    TcpState state_ = TcpState::Closed;
    AckState ack_state_ = AckState::None;
    Errno error_ = Errno::None;
    Errno soft_error_ = Errno::None;
    bool timestamps_ = false;      ///< negotiated (Snd.TS.OK)
    bool sack_permitted_ = false;  ///< negotiated (RFC 2018 section 2)
    bool ecn_ = false;             ///< negotiated (RFC 3168 6.1.1)
    bool ece_due_ = false;         ///< a mark has arrived: ECE, until the peer's CWR
    bool cwr_due_ = false;         ///< the window has been reduced: CWR with the next new data
    bool loss_probe_due_ = false;
    bool loss_probe_out_ = false;     ///< TLP.end_seq is set
    bool loss_probe_again_ = false;   ///< TLP.is_retrans
    bool loss_probe_sampled_ = true;  ///< a round trip has been measured since the last one
    bool timing_ = false;
    bool syn_lost_ = false;
    bool override_sws_ = false;
    bool probe_due_ = false;
    bool keep_alive_due_ = false;
    bool reset_due_ = false;
    bool window_moved_ = false;  ///< the user has read since the last flush
    bool read_shut_ = false;
    bool has_handle_ = false;
    bool opened_ = false;  ///< has been open: the demultiplexer knows it
    bool dirty_ = false;   ///< waits for a flush
};

}  // namespace tapestry
