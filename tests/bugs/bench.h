#pragma once

#include <functional>

#include "tests/hostile/alive.h"

// One peer, played by hand, against a whole stack in virtual time. A row of the list is written once, as a
// story; the bench plays it again in other ways, which bring out more than new stories do.

namespace tapestry::test {

/// How a story is played.
enum class Way : u8 {
    Plain,
    NearEnd,     ///< the first numbers of both sides (and our timestamps) just below 2^32
    NearMiddle,  ///< ... just below 2^31, where the sign of a difference changes
    Twice,       ///< every segment of the peer arrives twice
    Swapped,     ///< of each two segments that the peer sends in a row the second arrives first
};
inline constexpr std::array kNumbers{Way::Plain, Way::NearEnd, Way::NearMiddle};
inline constexpr std::array kNoSwap{Way::Plain, Way::NearEnd, Way::NearMiddle, Way::Twice};
inline constexpr std::array kNoTwice{Way::Plain, Way::NearEnd, Way::NearMiddle, Way::Swapped};
inline constexpr std::array kEveryWay{Way::Plain, Way::NearEnd, Way::NearMiddle, Way::Twice,
                                      Way::Swapped};

inline const char* name(Way way) {
    static constexpr std::array names{"as they come", "near 2^32", "near 2^31", "twice", "swapped"};
    return names.at(static_cast<std::size_t>(way));
}

inline constexpr u8 kAck = TcpFlags::kAck;
inline constexpr u8 kSyn = TcpFlags::kSyn;
inline constexpr u8 kFin = TcpFlags::kFin;
inline constexpr u8 kRst = TcpFlags::kRst;
inline constexpr u8 kUrg = TcpFlags::kUrg;

/// First numbers, and the first value of the timestamp clock, where a way asks for them.
class NumbersChosen final : public Choices {
public:
    explicit NumbersChosen(Way way) {
        if (way == Way::NearEnd) number_ = 0xfffffff0;
        if (way == Way::NearMiddle) number_ = 0x7ffffff0;
    }
    std::optional<SeqNum> iss(const Endpoint&, const Endpoint&) override {
        if (!number_) return std::nullopt;
        return SeqNum(*number_);
    }
    std::optional<u32> timestamp(const Endpoint&, const Endpoint&) override { return number_; }
    std::optional<u32> number() const { return number_; }

private:
    std::optional<u32> number_;
};

/// A segment that the peer sends. Numbers count from the SYN of each side.
struct Given {
    u8 flags = kAck;
    u32 seq = 1;
    u32 ack = 1;
    std::vector<u8> text{};
    std::optional<u16> window{};  ///< as in the header; nothing: the bench's
    std::vector<u8> options{};
    std::optional<u32> stamp{};  ///< TSval; nothing: the peer's clock, once `stamps` is set
    u16 urgent = 0;
    std::optional<u16> port{};  ///< the peer's; nothing: the bench's
    std::optional<u16> to_port{};
    Ipv4Address from = kPeer;
    Ipv4Address to = kUs;
};

/// A stack with a listener on port 81, and the peer. What the peer sends waits until the stack is looked
/// at (run(), out(), read(), pass() ...); then it arrives, in the way that the story is played. So
/// segments that are put one after the other, with nothing between, are those that can change places.
///
/// Copies and exchanged places rightly cause other answers: duplicate ACKs, challenges, ACKs that are not
/// delayed. So a story looks at what must hold whatever the answers are: the state at the end, each byte
/// once and in order, no stall, no reset, bounded memory; and at exact answers only where exact() says so.
class Bench {
public:
    explicit Bench(Way played, const StackConfig& config = HostileHost::quiet())
        : way(played), host(config), choices_(played) {
        host.know_peer();
        host.stack.set_choices(&choices_);
        if (const auto number = choices_.number()) peer_base = *number;
        listener = host.stack.tcp_listener();
        EXPECT_TRUE(listener.listen({Ipv4Address(), 81}));
    }

    bool exact() const { return way != Way::Twice && way != Way::Swapped; }

    // ---- the peer ----------------------------------------------------------------------------
    void put(Given given) {
        if (given.options.empty() && stamps) {
            const u32 value = given.stamp.value_or(clock());
            given.options = {1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0};
            store_be32(&given.options[4], value);
            store_be32(&given.options[8], (given.flags & kAck) != 0 ? last_stamp : 0);
        }
        const RawTcp raw{.source_port = given.port.value_or(port),
                         .destination_port = given.to_port.value_or(to_port),
                         .seq = peer_base + given.seq,
                         .ack = (given.flags & kAck) != 0 ? our_base + given.ack : 0,
                         .flags = given.flags,
                         .window = given.window.value_or(window),
                         .urgent = given.urgent,
                         .options = std::move(given.options),
                         .text = std::move(given.text)};
        put_frame(raw.frame(given.from, given.to));
    }
    void put_frame(std::vector<u8> frame) { queue_.push_back(std::move(frame)); }
    /// Bytes of the peer's stream, acknowledging what `acked` says.
    void data(u32 seq, u32 size, u8 more_flags = 0) {
        put({.flags = static_cast<u8>(kAck | more_flags),
             .seq = seq,
             .ack = acked,
             .text = stream(seq, size, false)});
        const u32 end = seq + size + ((more_flags & kFin) != 0 ? 1 : 0);
        sent = std::max(sent, end);
    }
    /// An empty ACK behind all that the peer has sent.
    void ack(u32 number, std::optional<u16> with_window = {}, std::vector<u8> options = {}) {
        acked = std::max(acked, number);
        put({.seq = sent, .ack = number, .window = with_window, .options = std::move(options)});
    }
    /// The peer's timestamp clock.
    u32 clock() const { return stamp_base + static_cast<u32>(host.now.time_since_epoch() / 1ms); }

    // ---- the wire ----------------------------------------------------------------------------
    void run() {
        auto queue = std::exchange(queue_, {});
        for (std::size_t i = 0; way == Way::Swapped && i + 1 < queue.size(); i += 2) {
            if (queue[i] != queue[i + 1]) ++transformed;
            std::swap(queue[i], queue[i + 1]);
        }
        for (const auto& frame : queue) {
            host.feed(frame);
            if (way != Way::Twice) continue;
            host.feed(frame);
            ++transformed;
        }
    }
    void pass(Duration span) {
        run();
        host.pass(span);
    }
    /// The segments to the peer since the last time, in relative numbers; their bytes are looked at.
    std::vector<SeenSegment> out() {
        run();
        auto list = host.take_segments();
        std::erase_if(list, [](const SeenSegment& one) { return one.to != kPeer; });
        for (SeenSegment& one : list) take(one);
        return list;
    }
    /// The last of out() that has the flags; a segment without any when there is none.
    SeenSegment last_out(u8 flags = kAck) {
        SeenSegment last;
        for (auto& one : out()) {
            if ((one.flags & flags) == flags) last = std::move(one);
        }
        return last;
    }
    /// How long until the stack sends something by itself, and nothing within `limit`.
    std::optional<Duration> wait_output(Duration limit) {
        run();
        const TimePoint begin = host.now;
        while (host.port.sent.empty()) {
            const auto next = host.stack.next_deadline();
            if (!next || *next > begin + limit) return std::nullopt;
            host.now = std::max(host.now, *next);
            host.settle();
        }
        return host.now - begin;
    }

    // ---- a connection ------------------------------------------------------------------------
    /// The peer connects; `us` is the other end. What the options offer is agreed on. The handshake
    /// takes 100 ms.
    void open(std::vector<u8> options = {2, 4, 5, 180}, std::optional<u16> ack_window = {}) {
        put({.flags = kSyn, .seq = 0, .options = std::move(options)});
        (void)out();
        host.pass(100ms);
        put({.window = ack_window});
        accept();
        (void)out();
    }
    void accept() {
        run();
        auto accepted = listener.accept();
        EXPECT_TRUE(accepted) << "there is nothing to accept";
        if (accepted) us = std::move(*accepted);
    }
    /// We connect to port 90 of the peer: as far as our SYN.
    void connect() {
        us = host.stack.tcp_socket();
        EXPECT_TRUE(us.connect({kPeer, 90}));
        host.settle();
        port = 90;
        const auto syn = out();
        ASSERT_EQ(syn.size(), 1U);
        to_port = syn[0].source_port;
    }
    /// The peer's SYN-ACK.
    void put_syn_ack(std::vector<u8> options = {2, 4, 5, 180}) {
        put({.flags = kSyn | kAck, .seq = 0, .options = std::move(options)});
    }
    /// Bytes of our stream.
    void write(u32 size) {
        run();
        const auto done = us.write(stream(1 + written, size, true));
        EXPECT_EQ(done.value_or(0), size);
        written += static_cast<u32>(done.value_or(0));
        host.settle();
    }
    void shutdown() {
        run();
        EXPECT_TRUE(us.shutdown(Shutdown::Send));
        host.settle();
    }
    void close() {
        run();
        us.close();
        host.settle();
    }
    /// Reads what there is; gives how many bytes of the stream have been read in all. They must be the
    /// peer's, each once and in order.
    u32 read() {
        run();
        std::array<u8, 8192> buffer;  // NOLINT: filled by read()
        auto more = us.read(buffer);
        for (; more && *more > 0; more = us.read(buffer)) {
            const auto size = static_cast<u32>(*more);
            EXPECT_EQ(std::vector<u8>(buffer.begin(), buffer.begin() + size),
                      stream(1 + got, size, false));
            got += size;
        }
        at_end = more.has_value();
        host.settle();
        return got;
    }
    /// An honest peer takes what we send, and acknowledges every segment, until it has `total` bytes of
    /// the stream (and the FIN behind them, with `fin`). What out() has given before is not lost.
    testing::AssertionResult takes(u32 total, bool fin = false,
                                   Duration limit = std::chrono::minutes(30)) {
        const TimePoint end = host.now + limit;
        while (host.now < end) {
            run();
            (void)out();
            if (taken == total && (!fin || fin_at == total + 1)) {
                ack(1 + taken + (fin ? 1 : 0));
                run();
                return testing::AssertionSuccess();
            }
            for (const u32 number : to_acknowledge_) {
                ack(1 + number + (fin_at == number + 1 ? 1 : 0));
            }
            if (to_acknowledge_.empty() && !wait_output(limit)) break;
            to_acknowledge_.clear();
        }
        return testing::AssertionFailure()
               << "after " << taken << " of " << total << " bytes, FIN " << fin_at.value_or(0);
    }
    TcpSnapshot know() {
        run();
        return us.snapshot();
    }
    TcpState state() { return know().state; }
    /// Of one of our timers; kNever: it is off.
    TimePoint timer(TcpTimer which) { return know().deadlines.at(static_cast<std::size_t>(which)); }
    std::size_t connections() {
        run();
        return host.stack.tcp().connection_count();
    }
    const Counters& counters() {
        run();
        return host.stack.counters();
    }
    /// The peer still sends bytes that are read and takes bytes that are written.
    testing::AssertionResult works() {
        const u32 before = read();
        data(before + 1, 100);
        data(before + 101, 100);
        if (read() != before + 200) return testing::AssertionFailure() << "cannot read";
        write(100);
        return takes(written);
    }

    static std::vector<u8> stream(u32 seq, u32 size, bool ours) {
        std::vector<u8> bytes(size);
        for (u32 i = 0; i < size; ++i) {
            const u32 at = seq - 1 + i;
            bytes[i] = static_cast<u8>(at * 31 + (at >> 8U) * 17 + (ours ? 1 : 101));
        }
        return bytes;
    }

    const Way way;
    HostileHost host;
    Listener listener;
    TcpSocket us;

    u16 port = 1000;
    u16 to_port = 81;
    u32 peer_base = 1'000'000;  ///< on the wire, of the peer's SYN
    u32 our_base = 0;           ///< of our SYN, as it was seen
    u16 window = 65535;
    bool stamps = false;  ///< the peer's segments carry timestamps
    u32 stamp_base = 1000;
    u32 last_stamp = 0;  ///< our last TSval

    u32 sent = 1;     ///< by the peer: the number behind it
    u32 acked = 1;    ///< what data() acknowledges
    u32 written = 0;  ///< bytes that the application has written
    u32 got = 0;      ///< bytes that the application has read
    bool at_end = false;
    u32 taken = 0;                ///< bytes that have reached the peer without a hole
    std::optional<u32> fin_at;    ///< our FIN's number
    std::size_t largest = 0;      ///< text of a segment of ours
    std::size_t transformed = 0;  ///< copies, or exchanged places
    /// Keeps segments of ours from reaching the peer: true loses this one.
    std::function<bool(const SeenSegment&)> loses;

private:
    void take(SeenSegment& one) {
        if ((one.flags & kSyn) != 0) our_base = one.seq;
        one.seq -= our_base;
        one.ack = (one.flags & kAck) != 0 ? one.ack - peer_base : 0;
        if (one.options.timestamps) last_stamp = one.options.timestamps->value;
        const auto size = static_cast<u32>(one.text.size());
        largest = std::max(largest, one.text.size());
        if (size > 0) {
            EXPECT_EQ(one.text, stream(one.seq, size, true)) << "other bytes at " << one.seq;
            EXPECT_LE(one.seq - 1 + size, written) << "more than was written";
        }
        if (loses && loses(one)) return;
        if ((one.flags & kFin) != 0) {
            const u32 at = one.seq + size;
            EXPECT_EQ(fin_at.value_or(at), at) << "the FIN has moved";
            fin_at = at;
        }
        if (size == 0 && (one.flags & kFin) == 0) return;
        pieces_[one.seq - 1] = std::max(pieces_[one.seq - 1], size);
        for (const auto& [at, length] : pieces_) {
            if (at <= taken) taken = std::max(taken, at + length);
        }
        to_acknowledge_.push_back(taken);
    }

    NumbersChosen choices_;
    std::vector<std::vector<u8>> queue_;
    std::map<u32, u32> pieces_;
    std::vector<u32> to_acknowledge_;
};

/// Plays the story in each of the ways. A way that has changed nothing is no test, and fails. Afterwards
/// the host must be alive.
template <std::size_t N>
void play(const std::array<Way, N>& ways, const std::function<void(Bench&)>& story,
          const StackConfig& config = HostileHost::quiet()) {
    for (const Way way : ways) {
        SCOPED_TRACE(name(way));
        Bench bench(way, config);
        story(bench);
        bench.run();
        if (!bench.exact()) {
            EXPECT_GT(bench.transformed, 0U) << "nothing was " << name(way);
        }
        bench.us = TcpSocket();
        bench.host.stack.set_choices(nullptr);
        expect_alive(bench.host);
        if (testing::Test::HasFailure()) return;
    }
}

}  // namespace tapestry::test
