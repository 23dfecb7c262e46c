#include "stack/tcp/syn_cookie.h"

#include <gtest/gtest.h>

#include "tests/support/tcp_host.h"

// RFC 4987 section 3.6: a listener that is full answers without remembering.

namespace tapestry::test {
namespace {

constexpr SipKey kSecret{0x0123456789abcdef, 0xfedcba9876543210};
constexpr TimePoint kNow{1000s};

Segment a_syn() {
    Segment syn;
    syn.source = {Ipv4Address(10, 0, 0, 7), 4000};
    syn.destination = {Ipv4Address(10, 0, 0, 1), 80};
    syn.seq = SeqNum(0xfffffffe);
    syn.flags = {TcpFlags::kSyn};
    syn.options.mss = 1460;
    return syn;
}

/// What an honest peer answers to a SYN-ACK with this ISS and this TSval.
Segment answer(const Segment& syn, SeqNum iss, u32 stamp = 0) {
    Segment ack = syn;
    ack.seq = syn.seq + 1;
    ack.ack = iss + 1;
    ack.flags = {TcpFlags::kAck};
    ack.options = {};
    if (syn.options.timestamps) ack.options.timestamps = TcpTimestamps{777, stamp};
    return ack;
}

TEST(SynCookie, BringsTheNumbersBack) {
    const SynCookie cookie(kSecret);
    const Segment syn = a_syn();
    const auto back = cookie.syn_of(answer(syn, cookie.iss(syn, kNow)), kNow);
    ASSERT_TRUE(back);
    EXPECT_EQ(back->seq, syn.seq);
    EXPECT_EQ(back->source, syn.source);
    EXPECT_EQ(back->destination, syn.destination);
    EXPECT_TRUE(back->flags.syn());
    EXPECT_FALSE(back->flags.ack());
    EXPECT_EQ(back->options.mss, 1460);
    EXPECT_FALSE(back->options.timestamps || back->options.window_scale);
    EXPECT_FALSE(back->options.sack_permitted);
}

/// Three bits for the MSS: never more than the peer has said, but for what is below every size.
TEST(SynCookie, RoundsTheMssDown) {
    const SynCookie cookie(kSecret);
    const std::array<std::pair<u16, u16>, 8> rows{{{65535, 8960},
                                                   {8960, 8960},
                                                   {8959, 1460},
                                                   {1460, 1460},
                                                   {1459, 1440},
                                                   {1000, 536},
                                                   {535, 88},
                                                   {10, 88}}};
    for (const auto& [said, kept] : rows) {
        Segment syn = a_syn();
        syn.options.mss = said;
        const auto back = cookie.syn_of(answer(syn, cookie.iss(syn, kNow)), kNow);
        ASSERT_TRUE(back) << said;
        EXPECT_EQ(back->options.mss, kept) << said;
    }
    Segment syn = a_syn();
    syn.options.mss.reset();
    EXPECT_EQ(cookie.syn_of(answer(syn, cookie.iss(syn, kNow)), kNow)->options.mss, 536);
}

TEST(SynCookie, KeepsTheOptionsInTheTimestamp) {
    const SynCookie cookie(kSecret);
    for (u32 clock : {0U, 1U, 63U, 64U, 0x7fffffffU, 0xffffffffU, 123456789U}) {
        for (u32 bits = 0; bits < 64; ++bits) {
            Segment syn = a_syn();
            syn.options.timestamps = TcpTimestamps{500, 0};
            const u8 shift = bits & 15;
            if (shift != 15) syn.options.window_scale = shift;
            syn.options.sack_permitted = (bits & 16) != 0;
            if ((bits & 32) != 0) syn.flags.bits |= TcpFlags::kEce | TcpFlags::kCwr;
            const u32 stamp = SynCookie::timestamp(SynCookie::kept_of(syn), clock);
            EXPECT_LT(clock - stamp, 64U) << "behind the clock, by few ticks";
            const auto back = cookie.syn_of(answer(syn, cookie.iss(syn, kNow), stamp), kNow);
            ASSERT_TRUE(back);
            if (shift == 15) {
                EXPECT_FALSE(back->options.window_scale);
            } else {
                EXPECT_EQ(back->options.window_scale, std::min<u8>(shift, 14));
            }
            EXPECT_EQ(back->options.sack_permitted, syn.options.sack_permitted);
            EXPECT_EQ(back->flags.ece() && back->flags.cwr(), (bits & 32) != 0);
            EXPECT_EQ(back->options.timestamps->value, 777U) << "the latest, not the SYN's";
        }
    }
}

/// Without timestamps there is no place for the options.
TEST(SynCookie, WithoutTimestampsOnlyTheMssStays) {
    Segment syn = a_syn();
    syn.options.window_scale = u8{7};
    syn.options.sack_permitted = true;
    syn.flags.bits |= TcpFlags::kEce | TcpFlags::kCwr;
    const Segment kept = SynCookie::kept_of(syn);
    EXPECT_EQ(kept.options.mss, 1460);
    EXPECT_FALSE(kept.options.window_scale || kept.options.sack_permitted || kept.flags.ece());
}

TEST(SynCookie, IsForOnePeerOneSynAndOneSecret) {
    const SynCookie cookie(kSecret);
    const Segment syn = a_syn();
    const Segment good = answer(syn, cookie.iss(syn, kNow));
    ASSERT_TRUE(cookie.syn_of(good, kNow));
    const auto refused = [&](auto change) {
        Segment other = good;
        change(other);
        return !cookie.syn_of(other, kNow);
    };
    EXPECT_TRUE(refused([](Segment& s) { s.source.port += 1; }));
    EXPECT_TRUE(refused([](Segment& s) { s.destination.port += 1; }));
    EXPECT_TRUE(refused([](Segment& s) { s.source.address = Ipv4Address(10, 0, 0, 8); }));
    EXPECT_TRUE(refused([](Segment& s) { s.destination.address = Ipv4Address(10, 0, 0, 2); }));
    EXPECT_TRUE(refused([](Segment& s) { s.seq += 1; }));
    for (u32 bit = 0; bit < 32; ++bit) {
        EXPECT_TRUE(
            refused([&](Segment& s) { s.ack = SeqNum((s.ack - 1U).value() ^ 1U << bit) + 1; }));
    }
    EXPECT_FALSE(SynCookie({1, 2}).syn_of(good, kNow));
}

TEST(SynCookie, LivesForAMinuteOrTwo) {
    const SynCookie cookie(kSecret);
    for (const TimePoint sent : {TimePoint{}, TimePoint{63s}, TimePoint{64s}, TimePoint{100000s}}) {
        const Segment syn = a_syn();
        const Segment ack = answer(syn, cookie.iss(syn, sent));
        EXPECT_TRUE(cookie.syn_of(ack, sent));
        EXPECT_TRUE(cookie.syn_of(ack, sent + 64s));
        EXPECT_FALSE(cookie.syn_of(ack, sent + 128s));
        // The five bits come round after 34 minutes; the sum does not.
        EXPECT_FALSE(cookie.syn_of(ack, sent + 32 * 64s));
    }
    // A cookie of a time before there was any.
    EXPECT_FALSE(cookie.syn_of(answer(a_syn(), SeqNum(31U << 27)), TimePoint{}));
}

/// A million guesses at 2^24 hit hardly ever; this generator's do not.
TEST(SynCookie, IsNotGuessed) {
    const SynCookie cookie(kSecret);
    SeededRng rng(1);
    Segment ack = answer(a_syn(), SeqNum(0));
    u32 hits = 0;
    for (int i = 0; i < 1000000; ++i) {
        ack.ack = SeqNum(static_cast<u32>(rng.next()));
        if (cookie.syn_of(ack, kNow)) ++hits;
    }
    EXPECT_EQ(hits, 0U);
}

constexpr u8 kSyn = TcpFlags::kSyn;
constexpr u8 kAck = TcpFlags::kAck;

std::vector<u8> text(std::string_view words) { return {words.begin(), words.end()}; }

/// A listener with room for one handshake, which a stranger has taken.
struct FullListener {
    explicit FullListener(StackConfig config = TcpHost::quiet()) : host(config) {
        listener = host.stack.tcp_listener();
        EXPECT_TRUE(listener.listen({Ipv4Address(), 80}, 1));
        TcpHeader stranger = from(999, kSyn, 1);
        host.receive(stranger);
        EXPECT_EQ(host.take().size(), 1U);
    }
    static TcpHeader from(u16 port, u8 flags, u32 seq, u32 ack = 0) {
        TcpHeader header = tcp_header(seq, flags, ack);
        header.source_port = port;
        header.destination_port = 80;
        return header;
    }
    /// What the application reads now.
    static std::string read(TcpSocket& socket) {
        std::array<u8, 100> buffer{};
        const auto n = socket.read(buffer);
        return n ? std::string(buffer.begin(), buffer.begin() + static_cast<long>(*n)) : "nothing";
    }
    const Counters& counters() const { return host.stack.counters(); }
    std::size_t connections() { return host.stack.tcp().connection_count(); }

    TcpHost host;
    Listener listener;
};

TEST(SynCookie, AFullListenerAnswersAndRemembersNothing) {
    FullListener b;
    TcpHeader syn = FullListener::from(1000, kSyn, 100);
    syn.options.mss = 1000;
    b.host.receive(syn);
    const auto answer = b.host.take();
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_EQ(answer[0].flags, kSyn | kAck);
    EXPECT_EQ(answer[0].ack, SeqNum(101));
    EXPECT_EQ(b.connections(), 1U) << "the stranger's";
    EXPECT_EQ(b.counters().tcp_syn_cookies_sent, 1U);
    // It is not sent again either: nobody knows that it was.
    b.host.pass(10s);
    for (const auto& later : b.host.take()) EXPECT_EQ(later.destination_port, 999);

    b.host.receive(FullListener::from(1000, kAck, 101, (answer[0].seq + 1).value()), text("hello"));
    EXPECT_EQ(b.counters().tcp_syn_cookies_received, 1U);
    auto socket = b.listener.accept();
    ASSERT_TRUE(socket);
    EXPECT_EQ(socket->state(), TcpState::Established);
    EXPECT_EQ(socket->remote().port, 1000);
    EXPECT_EQ(FullListener::read(*socket), "hello");
    EXPECT_EQ(socket->info().snd_mss, 536U) << "1000, as a cookie can say it";
    EXPECT_EQ(b.counters().tcp_passive_opens, 2U);
}

TEST(SynCookie, OptionsComeBackInTheTimestamp) {
    FullListener b;
    TcpHeader syn = FullListener::from(1000, kSyn | TcpFlags::kEce | TcpFlags::kCwr, 100);
    syn.options = {.mss = 1460,
                   .window_scale = u8{9},
                   .sack_permitted = true,
                   .timestamps = TcpTimestamps{5000, 0}};
    b.host.receive(syn);
    const auto answer = b.host.take();
    ASSERT_EQ(answer.size(), 1U);
    ASSERT_TRUE(answer[0].options.timestamps);
    EXPECT_TRUE(answer[0].options.sack_permitted);
    EXPECT_TRUE(answer[0].options.window_scale);
    EXPECT_EQ(answer[0].flags, kSyn | kAck | TcpFlags::kEce);
    const u32 stamp = answer[0].options.timestamps->value;

    b.host.pass(50ms);
    TcpHeader ack = FullListener::from(1000, kAck, 101, (answer[0].seq + 1).value());
    ack.window = 1000;
    ack.options.timestamps = TcpTimestamps{5050, stamp};
    b.host.receive(ack);
    auto socket = b.listener.accept();
    ASSERT_TRUE(socket);
    const TcpInfo info = socket->info();
    EXPECT_EQ(info.options, TcpInfoOptions::kTimestamps | TcpInfoOptions::kSack |
                                TcpInfoOptions::kWindowScale | TcpInfoOptions::kEcn);
    EXPECT_EQ(info.snd_wscale, 9);
    EXPECT_EQ(info.rcv_wscale, answer[0].options.window_scale);
    EXPECT_EQ(info.snd_wnd, 1000U << 9U);
    EXPECT_EQ(info.rtt, Duration{}) << "what the handshake took is not known";
    // The clock of the timestamps goes on where the cookie was.
    ASSERT_TRUE(socket->write(text("x")));
    b.host.pass(0s);
    const auto sent = b.host.take();
    ASSERT_FALSE(sent.empty());
    EXPECT_LT(sent.back().options.timestamps->value - stamp, 50U + 64U);
}

/// Without timestamps of ours there is nothing that the options could come back in, so none is agreed to:
/// a window scale that only one side remembers would end the transfer.
TEST(SynCookie, WithoutOurTimestampsNoOptionIsAgreedTo) {
    StackConfig config = TcpHost::quiet();
    config.tcp.timestamps = false;
    FullListener b(config);
    TcpHeader syn = FullListener::from(1000, kSyn, 100);
    syn.options = {.mss = 1460,
                   .window_scale = u8{9},
                   .sack_permitted = true,
                   .timestamps = TcpTimestamps{5000, 0}};
    b.host.receive(syn);
    const auto answer = b.host.take();
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_FALSE(answer[0].options.timestamps || answer[0].options.window_scale);
    EXPECT_FALSE(answer[0].options.sack_permitted);
    b.host.receive(FullListener::from(1000, kAck, 101, (answer[0].seq + 1).value()));
    auto socket = b.listener.accept();
    ASSERT_TRUE(socket);
    EXPECT_EQ(socket->info().options, 0);
}

TEST(SynCookie, AnswersToNothingAreReset) {
    FullListener b;
    // Before any cookie was sent an ACK is not even looked at.
    b.host.receive(FullListener::from(1000, kAck, 101, 5));
    EXPECT_EQ(b.host.take().at(0).flags, TcpFlags::kRst);
    EXPECT_EQ(b.counters().tcp_syn_cookies_failed, 0U);

    b.host.receive(FullListener::from(1000, kSyn, 100));
    const u32 iss = b.host.take().at(0).seq.value();
    b.host.receive(FullListener::from(1000, kAck, 101, iss + 2));
    const auto reset = b.host.take();
    ASSERT_EQ(reset.size(), 1U);
    EXPECT_EQ(reset[0].flags, TcpFlags::kRst);
    EXPECT_EQ(reset[0].seq.value(), iss + 2);
    EXPECT_EQ(b.counters().tcp_syn_cookies_failed, 1U);
    // A SYN-ACK is none, whatever it acknowledges, and a reset says nothing.
    b.host.receive(FullListener::from(1000, kSyn | kAck, 101, iss + 1));
    EXPECT_EQ(b.host.take().at(0).flags, TcpFlags::kRst);
    b.host.receive(FullListener::from(1000, TcpFlags::kRst | kAck, 101, iss + 1));
    EXPECT_TRUE(b.host.take().empty());
    EXPECT_FALSE(b.listener.acceptable());
    // Long after the last cookie nobody looks at ACKs again.
    b.host.pass(200s);
    b.host.take();
    b.host.receive(FullListener::from(1000, kAck, 101, iss + 1));
    EXPECT_EQ(b.host.take().at(0).flags, TcpFlags::kRst);
    EXPECT_EQ(b.counters().tcp_syn_cookies_failed, 1U);
}

/// The application is behind: the ACK of a cookie waits, as any other, and comes again with the data.
TEST(SynCookie, AFullAcceptQueueTakesNoCookie) {
    FullListener b;
    b.host.receive(FullListener::from(1000, kSyn, 100));
    const u32 first = b.host.take().at(0).seq.value();
    b.host.receive(FullListener::from(1001, kSyn, 100));
    const u32 second = b.host.take().at(0).seq.value();
    b.host.receive(FullListener::from(1000, kAck, 101, first + 1));
    b.host.receive(FullListener::from(1001, kAck, 101, second + 1));
    EXPECT_EQ(b.counters().of(Drop::TcpAcceptQueueFull), 1U);
    // And while it is full no cookie is given out: there would be nobody to take it.
    b.host.receive(FullListener::from(1002, kSyn, 100));
    EXPECT_EQ(b.counters().of(Drop::TcpBacklogFull), 1U);
    ASSERT_TRUE(b.listener.accept());
    b.host.receive(FullListener::from(1001, kAck, 101, second + 1), text("again"));
    auto socket = b.listener.accept();
    ASSERT_TRUE(socket);
    EXPECT_EQ(FullListener::read(*socket), "again");
}

TEST(SynCookie, CanBeSwitchedOff) {
    StackConfig config = TcpHost::quiet();
    config.tcp.syn_cookies = false;
    FullListener b(config);
    b.host.receive(FullListener::from(1000, kSyn, 100));
    EXPECT_TRUE(b.host.take().empty());
    EXPECT_EQ(b.counters().of(Drop::TcpBacklogFull), 1U);
}

}  // namespace
}  // namespace tapestry::test
