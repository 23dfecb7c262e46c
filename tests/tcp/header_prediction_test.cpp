// Header prediction changes nothing (stack/tcp/connection_fast.cpp): two stacks, one with it and one
// without, live through the same random connection, and agree after every step on all that can be seen:
// the events with their verdicts and snapshots, the frames, the counters, what the user is told.

#include <gtest/gtest.h>

#include <cstring>

#include "tests/support/tcp_host.h"

namespace tapestry::test {
namespace {

/// What a trace is told of one stimulus.
struct Event {
    TimePoint now;
    Stimulus stimulus = Stimulus::Segment;
    Verdict verdict = Verdict::None;
    std::optional<Drop> drop;
    TcpSnapshot before;
    TcpSnapshot after;
    friend bool operator==(const Event&, const Event&) = default;
};

/// One of the two stacks, with a connection that its peer has opened.
class Twin final : public TraceSink {
public:
    Twin(StackConfig config, bool prediction) : host_(predicting(config, prediction)) {
        host_.stack.set_trace(this);
        listener_ = host_.stack.tcp_listener();
        EXPECT_TRUE(listener_.listen({Ipv4Address(), 80}));
    }
    void on_tcp(const TcpEvent& event) override {
        events_.push_back(
            {event.now, event.stimulus, event.verdict, event.drop, event.before, event.after});
    }
    /// With `more` what it causes to be sent waits: it is not the last one of its batch.
    void receive(const PacketBuilder& segment, bool more) {
        Packet packet = host_.pool.copy(segment.build());
        if (more) {
            host_.stack.receive_part(*host_.interface, std::span(&packet, 1), host_.now);
        } else {
            host_.stack.receive(*host_.interface, std::span(&packet, 1), host_.now);
        }
        if (socket) return;
        if (auto accepted = listener_.accept()) {
            socket = std::move(*accepted);
            socket.watch(&ready_, 7);
        }
    }
    void pass(Duration span) { host_.pass(span); }
    void device_takes(int frames) { host_.port.room = frames; }
    TimePoint now() const { return host_.now; }
    std::vector<RecordingPort::Sent> take_frames() { return host_.port.take(); }
    std::vector<Event> take_events() { return std::exchange(events_, {}); }
    std::vector<u64> take_ready() {
        std::vector<u64> tokens;
        ready_.take(tokens);
        return tokens;
    }
    const Counters& counters() const { return host_.stack.counters(); }
    auto next_deadline() { return host_.stack.next_deadline(); }

private:
    static StackConfig predicting(StackConfig config, bool prediction) {
        config.tcp.header_prediction = prediction;
        return config;
    }

    TcpHost host_;
    ReadySet ready_;
    std::vector<Event> events_;
    Listener listener_;

public:
    TcpSocket socket;
};

StackConfig choose_stack(Rng& rng) {
    StackConfig config = TcpHost::quiet();
    TcpConfig& tcp = config.tcp;
    tcp.rack = rng.below(4) != 0;
    tcp.undo = rng.below(4) != 0;
    tcp.prr = rng.below(4) != 0;
    tcp.nagle = rng.below(2) == 0;
    tcp.keep_alive = rng.below(4) == 0;
    tcp.keep_alive_idle = 1s;
    tcp.keep_alive_interval = 500ms;
    tcp.quick_acks = rng.below(20);
    tcp.min_rto = 200ms;
    tcp.user_timeout = rng.below(8) == 0 ? Duration{5s} : Duration{};
    tcp.receive_buffer = rng.below(2) == 0 ? 1U << 20U : 5000;
    // Now and then there is no memory for what comes.
    tcp.memory_ceiling = rng.below(4) == 0 ? 16384 : u64{1} << 20U;
    tcp.congestion = rng.below(2) == 0 ? Congestion::Cubic : Congestion::Reno;
    return config;
}

/// The peer, who for the most part sends what bulk transfers are made of, and everything else, too.
class Play {
public:
    explicit Play(u64 seed)
        : rng_(seed), fast_(choose_stack(rng_), true), slow_(config_of(seed), false) {
        offer_ = SynOffer{rng_.below(4) != 0, rng_.below(4) != 0, rng_.below(2) != 0};
    }
    void open() {
        TcpHeader syn = tcp_header(irs_, TcpFlags::kSyn, 0);
        if (offer_.ecn) syn.flags.bits |= TcpFlags::kEce | TcpFlags::kCwr;
        syn.options.mss = u16{1000};
        syn.options.window_scale = u8{4};
        syn.options.sack_permitted = offer_.sack;
        send(syn, 0, false);
        TcpHeader ack = next_header();
        ack.acknowledgment = latest_.snd_nxt;
        send(ack, 0, false);
        ASSERT_TRUE(fast_.socket && slow_.socket);
    }
    void step() {
        const u32 kind = rng_.below(100);
        if (kind < 60) {
            send_segment();
        } else if (kind < 75) {
            std::vector<u8> text(1 + rng_.below(20000), u8{'y'});
            EXPECT_EQ(fast_.socket.write(text), slow_.socket.write(text));
        } else if (kind < 85) {
            std::vector<u8> a(1 + rng_.below(20000));
            std::vector<u8> b(a.size());
            EXPECT_EQ(fast_.socket.read(a), slow_.socket.read(b));
            EXPECT_EQ(a, b);
        } else if (kind < 87) {
            const int frames = rng_.below(2) == 0 ? -1 : static_cast<int>(rng_.below(3));
            fast_.device_takes(frames);
            slow_.device_takes(frames);
        } else if (kind == 87 && one_in(30)) {
            // The reset leaves with the next flush, which the segment comes before.
            const TcpHeader header = next_header();
            fast_.socket.abort();
            slow_.socket.abort();
            send(header, 1 + rng_.below(1000), false);
        } else {
            const Duration span =
                rng_.below(20) == 0 ? rng_.below(3000) * 1ms : rng_.below(5000) * 10us;
            fast_.pass(span);
            slow_.pass(span);
        }
        compare();
    }
    bool over() const { return !fast_.socket || fast_.socket.state() == TcpState::Closed; }
    u64 predictable() const { return predictable_; }

private:
    struct SynOffer {
        bool timestamps = false;
        bool sack = false;
        bool ecn = false;
    };
    static StackConfig config_of(u64 seed) {
        SeededRng rng(seed);
        return choose_stack(rng);
    }
    bool one_in(u32 n) { return rng_.below(n) == 0; }

    /// The header of the next segment in order, which acknowledges nothing new.
    TcpHeader next_header() {
        const TcpSnapshot s = fast_.socket ? fast_.socket.snapshot() : latest_;
        TcpHeader header = tcp_header(s.rcv_nxt.value(), TcpFlags::kAck, s.snd_una.value());
        header.window = window_;
        return header;
    }
    void send_segment() {
        TcpHeader header = next_header();
        const TcpSnapshot s = fast_.socket.snapshot();
        const u32 flight = static_cast<u32>(s.snd_nxt - s.snd_una);
        u32 length = 0;
        if (one_in(2)) length = 1 + rng_.below(1000);
        if (length == 0 || one_in(8)) {
            header.acknowledgment += one_in(2) ? flight : rng_.below(flight + 1);
        }
        if (one_in(3)) header.flags.bits |= TcpFlags::kPsh;
        if (one_in(5)) make_odd(header, s);
        send(header, length, one_in(4));
    }
    /// What is not predicted, or must not be.
    void make_odd(TcpHeader& header, const TcpSnapshot& s) {
        const u32 flight = static_cast<u32>(s.snd_nxt - s.snd_una);
        switch (rng_.below(14)) {
            case 0:
            case 1:
            case 2:
                header.sequence += rng_.below(4000);
                break;
            case 3:
                header.sequence = header.sequence - rng_.below(4000);
                break;
            case 4:
            case 5:
            case 6:
                if (flight > 1) {
                    const u32 left = 1 + rng_.below(flight - 1);
                    header.acknowledgment = s.snd_una;
                    header.options.sack_blocks[0] = {s.snd_una + left, s.snd_nxt};
                    header.options.sack_count = 1;
                }
                break;
            case 7:
                window_ = one_in(4) ? u16{0} : static_cast<u16>(rng_.below(3000));
                header.window = window_;
                break;
            case 8:
                header.flags.bits |= one_in(2) ? TcpFlags::kEce : TcpFlags::kCwr;
                break;
            case 9:
                header.flags.bits |= TcpFlags::kUrg;
                header.urgent_pointer = static_cast<u16>(rng_.below(50));
                break;
            case 10:
                header.acknowledgment = one_in(2) ? s.snd_nxt + 1U : s.snd_una - rng_.below(70000);
                break;
            case 11:
                clock_shift_ = one_in(2) ? 0 : -static_cast<i32>(rng_.below(2000));
                break;
            case 12:
                no_stamp_ = true;
                break;
            default:
                if (!one_in(20)) break;
                header.flags.bits |= one_in(2) ? TcpFlags::kFin : TcpFlags::kRst;
                break;
        }
    }
    void send(TcpHeader header, u32 length, bool more) {
        if (offer_.timestamps && !std::exchange(no_stamp_, false)) {
            const auto ms = fast_.now().time_since_epoch() / 1ms;
            const u32 value = static_cast<u32>(5000 + ms + clock_shift_);
            header.options.timestamps = TcpTimestamps{value, one_in(20) ? 0 : echo_};
        }
        clock_shift_ = 0;
        PacketBuilder segment;
        if (offer_.ecn) segment.ip.tos = one_in(20) ? Ecn::kCe : Ecn::kEct0;
        segment.tcp(header).payload(std::vector<u8>(length, static_cast<u8>(rng_.below(256))));
        fast_.receive(segment, more);
        slow_.receive(segment, more);
        compare();
    }
    void compare() {
        const auto events = fast_.take_events();
        EXPECT_TRUE(events == slow_.take_events()) << events.size() << " events";
        for (const Event& event : events) {
            latest_ = event.after;
            const bool established = event.after.state == TcpState::Established;
            predictable_ += established && (event.verdict == Verdict::AckAdvances ||
                                            event.verdict == Verdict::DataInOrder)
                                ? 1
                                : 0;
        }
        const auto frames = fast_.take_frames();
        const auto others = slow_.take_frames();
        EXPECT_EQ(frames.size(), others.size());
        for (std::size_t i = 0; i < std::min(frames.size(), others.size()); ++i) {
            EXPECT_EQ(frames[i].bytes, others[i].bytes);
            learn(frames[i].bytes);
        }
        EXPECT_EQ(fast_.take_ready(), slow_.take_ready());
        EXPECT_EQ(std::memcmp(&fast_.counters(), &slow_.counters(), sizeof(Counters)), 0);
        EXPECT_EQ(fast_.next_deadline(), slow_.next_deadline());
        if (!fast_.socket) return;
        EXPECT_EQ(fast_.socket.snapshot(), slow_.socket.snapshot());
        EXPECT_EQ(fast_.socket.info(), slow_.socket.info());
    }
    /// The timestamp that the peer echoes is that of what it has heard last.
    void learn(Bytes frame) {
        const auto tcp =
            TcpView::parse(frame.subspan(EthernetView::kHeaderSize + Ipv4View::kMinHeaderSize));
        if (!tcp) return;
        const auto options = TcpOptions::parse(tcp->options());
        if (options && options->timestamps) echo_ = options->timestamps->value;
    }

    SeededRng rng_;
    Twin fast_;
    Twin slow_;
    SynOffer offer_;
    TcpSnapshot latest_;
    u32 irs_ = 0xffff0000;  // the numbers wrap
    u32 echo_ = 0;
    i32 clock_shift_ = 0;
    u16 window_ = 4000;
    bool no_stamp_ = false;
    u64 predictable_ = 0;
};

TEST(HeaderPrediction, ChangesNothing) {
    u64 predictable = 0;
    for (u64 seed = 1; seed <= 150; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Play play(seed);
        play.open();
        for (int i = 0; i < 250 && !play.over() && !HasFailure(); ++i) {
            SCOPED_TRACE("step " + std::to_string(i));
            play.step();
        }
        if (HasFailure()) return;
        predictable += play.predictable();
    }
    EXPECT_GT(predictable, 5000U) << "or the test says little";
}

}  // namespace
}  // namespace tapestry::test
