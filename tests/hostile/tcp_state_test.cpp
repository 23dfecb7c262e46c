// Segments that are right in themselves and wrong in this state of a connection: handshakes that cross,
// endings that cross, peers that never end.

#include "stack/link/choices.h"
#include "tests/hostile/tcp_fixture.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class HostileTcpState : public HostileTcpTest {
protected:
    std::array<u8, 100> buffer_{};
    /// Our FIN has gone out; the peer has heard of it.
    void we_close() {
        EXPECT_TRUE(socket_.shutdown(Shutdown::Send));
        host_.settle();
        (void)peer_.hear();
    }
};

// ---- the beginning ----------------------------------------------------------------------------

TEST_F(HostileTcpState, TST_13_HandshakesWithTheWrongAck) {
    peer_.send(kSyn);
    ASSERT_EQ(peer_.hear().size(), 1U);
    for (const u32 off : {1U, ~u32{0}, 0x80000000U}) {
        RawTcp wrong = next();
        wrong.ack += off;
        EXPECT_TRUE(refused_once(wrong.frame(), Drop::TcpBadAck));
        const auto reset = host_.take_segments();
        ASSERT_EQ(reset.size(), 1U);
        EXPECT_EQ(reset[0].flags, kRst);
        EXPECT_EQ(reset[0].seq, wrong.ack);
        EXPECT_EQ(state_of(1000), TcpState::SynReceived);
    }
    peer_.send(kAck);
    EXPECT_EQ(state_of(1000), TcpState::Established);

    socket_ = connecting();
    RawTcp wrong = next(kSyn | kAck);
    wrong.ack += 1;
    EXPECT_TRUE(refused_once(wrong.frame(), Drop::TcpBadAck));
    const auto reset = host_.take_segments();
    ASSERT_EQ(reset.size(), 1U);
    EXPECT_EQ(reset[0].flags, kRst);
    EXPECT_EQ(socket_.state(), TcpState::SynSent);
    peer_.send(kSyn | kAck);
    EXPECT_EQ(socket_.state(), TcpState::Established);
    EXPECT_TRUE(works());
}

TEST_F(HostileTcpState, TST_14_AFinBeforeTheHandshake) {
    socket_ = connecting();
    for (const u8 flags : {kFin, static_cast<u8>(kFin | kAck)}) {
        EXPECT_TRUE(silently(next(flags, pattern_bytes(5)).frame(), Drop::TcpUnexpectedInSynSent));
        EXPECT_EQ(socket_.state(), TcpState::SynSent);
    }
    peer_.send(kSyn | kAck);
    EXPECT_TRUE(works());
}

TEST_F(HostileTcpState, TST_15_SimultaneousOpen) {
    socket_ = connecting();
    peer_.send(kSyn);
    EXPECT_EQ(socket_.state(), TcpState::SynReceived);
    const auto answer = peer_.hear();
    ASSERT_EQ(answer.size(), 1U);
    EXPECT_EQ(answer[0].flags, kSyn | kAck);
    RawTcp again = next(kSyn | kAck);
    again.seq = peer_.seq - 1;
    host_.feed(again.frame());
    EXPECT_EQ(socket_.state(), TcpState::Established);
    EXPECT_TRUE(works());
}

/// The server answers with a SYN of its own instead of a SYN,ACK: to us that is a simultaneous open,
/// whatever a box on the way makes of it.
TEST_F(HostileTcpState, TST_16_SplitHandshake) {
    for (const bool ack_first : {false, true}) {
        socket_ = connecting();
        host_.settle();  // the one before says goodbye
        if (ack_first) {
            EXPECT_TRUE(silently(next(kAck).frame(), Drop::TcpUnexpectedInSynSent));
        }
        peer_.send(kSyn);
        const auto answer = peer_.hear();
        ASSERT_EQ(answer.size(), 1U);
        EXPECT_EQ(answer[0].flags, kSyn | kAck);
        EXPECT_EQ(answer[0].ack, peer_.seq);
        peer_.send(kAck);
        EXPECT_EQ(socket_.state(), TcpState::Established);
        EXPECT_TRUE(works());
    }
}

class IssChosen final : public Choices {
public:
    std::optional<SeqNum> iss(const Endpoint&, const Endpoint&) override {
        return SeqNum(0xffffff00);
    }
};

TEST_F(HostileTcpState, TST_20_NumbersThatWrap) {
    IssChosen choices;
    host_.stack.set_choices(&choices);
    for (const u32 seq : {0xffffff00U, 0xffffffffU, 0x7fffffffU}) {
        TcpPeer peer{.host = host_, .seq = seq};
        peer.port = static_cast<u16>(2000 + seq % 3);
        ASSERT_TRUE(peer.open());
        EXPECT_TRUE(peer.get(1 << 20));
    }
    host_.stack.set_choices(nullptr);
}

/// RFC 9293 3.4 lets it be kept or dropped, but nobody reads it before the handshake is done.
TEST_F(HostileTcpState, TST_21_DataInASyn) {
    RawTcp syn = next(kSyn, pattern_bytes(1000));
    const auto sent = taken_and_sent(syn.frame());
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(segment_of(sent[0])->ack, syn.seq + 1);
    EXPECT_FALSE(listener_.accept());
    ++peer_.seq;
    peer_.ack = segment_of(sent[0])->seq + 1;
    peer_.send(kAck);
    auto accepted = listener_.accept();
    ASSERT_TRUE(accepted);
    socket_ = std::move(*accepted);
    EXPECT_TRUE(read().empty());
    peer_.send(kAck, pattern_bytes(1000));
    EXPECT_EQ(read(), pattern_bytes(1000));
}

TEST_F(HostileTcpState, TST_31_ResetsWhileWeConnect) {
    socket_ = connecting();
    EXPECT_TRUE(silently(next(kRst).frame(), Drop::TcpUnacceptableReset));
    for (const u32 off : {1U, ~u32{0}}) {
        RawTcp wrong = next(kRst | kAck);
        wrong.ack += off;
        EXPECT_TRUE(silently(wrong.frame(), Drop::TcpUnacceptableReset));
    }
    EXPECT_EQ(socket_.state(), TcpState::SynSent);
    host_.feed(next(kRst | kAck).frame());
    EXPECT_EQ(socket_.state(), TcpState::Closed);
    EXPECT_EQ(socket_.take_error(), Errno::ConnectionRefused);
}

// ---- the end ----------------------------------------------------------------------------------

TEST_F(HostileTcpState, TST_17_SimultaneousClose) {
    ASSERT_TRUE(establish());
    EXPECT_TRUE(socket_.shutdown(Shutdown::Send));
    host_.settle();
    peer_.send(kAck | kFin);  // knows nothing of ours
    EXPECT_EQ(socket_.state(), TcpState::Closing);
    const auto sent = peer_.hear();
    ASSERT_EQ(sent.size(), 2U);
    EXPECT_EQ(sent[0].flags, kFin | kAck);
    EXPECT_EQ(sent[1].ack, peer_.seq) << "its FIN is acknowledged";
    host_.pass(1500ms);
    const auto again = peer_.hear();
    ASSERT_FALSE(again.empty()) << "ours is sent again in CLOSING, too";
    EXPECT_EQ(again[0].flags, kFin | kAck);
    peer_.send(kAck);
    EXPECT_EQ(socket_.state(), TcpState::TimeWait);
}

/// RFC 9293 3.10.7.4 has a RST end TIME-WAIT, as Linux has it by default; RFC 1337 advises against it,
/// for those who believe any RST. Only the exact one is believed here, which takes a guess in 2^32.
TEST_F(HostileTcpState, TST_18_ResetsInTimeWait) {
    ASSERT_TRUE(establish());
    we_close();
    peer_.send(kAck | kFin);
    (void)host_.port.take();
    ASSERT_EQ(socket_.state(), TcpState::TimeWait);
    for (const u32 off : {1U, 1000U, ~u32{0}, 0x80000000U}) {
        RawTcp reset = next(kRst);
        reset.seq += off;
        host_.feed(reset.frame());
        EXPECT_EQ(socket_.state(), TcpState::TimeWait) << off;
    }
    host_.feed(next(kRst).frame());
    EXPECT_EQ(socket_.state(), TcpState::Closed);
}

/// RFC 1122 4.2.2.13, RFC 6191: a SYN that is surely new opens the connection anew; an old duplicate is
/// only answered.
TEST_F(HostileTcpState, TST_19_SynsInTimeWait) {
    ASSERT_TRUE(establish());
    we_close();
    peer_.send(kAck | kFin);
    (void)host_.port.take();
    RawTcp old = next(kSyn);
    old.seq -= 10000;
    EXPECT_TRUE(refuses(old, Drop::TcpOutOfWindow, true));
    EXPECT_EQ(socket_.state(), TcpState::TimeWait);
    const u32 iss_before = peer_.ack;
    peer_.seq += 1000000;
    EXPECT_TRUE(peer_.open());
    EXPECT_TRUE(SeqNum(peer_.ack).after(SeqNum(iss_before))) << "and our ISS, too";
    EXPECT_EQ(state_of(peer_.port), TcpState::Established);
}

TEST_F(HostileTcpState, TST_29_FinsThatGetLost) {
    ASSERT_TRUE(establish());
    EXPECT_TRUE(socket_.shutdown(Shutdown::Send));
    std::vector<TimePoint> times;
    for (int i = 0; i < 100 && times.size() < 4; ++i) {
        for (const auto& one : host_.take_segments()) {
            if (one.flags & kFin) times.push_back(host_.now);
        }
        host_.pass(100ms);
    }
    ASSERT_EQ(times.size(), 4U);
    EXPECT_GE(times[2] - times[1], 2 * (times[1] - times[0]) - 200ms) << "backs off";
    EXPECT_GE(times[3] - times[2], 2 * (times[2] - times[1]) - 200ms);
    RawTcp ack = next();
    ack.ack += 1;
    host_.feed(ack.frame());
    EXPECT_EQ(socket_.state(), TcpState::FinWait2);
}

TEST_F(HostileTcpState, TST_30_DataBehindTheFin) {
    ASSERT_TRUE(establish());
    peer_.send(kAck | kFin);
    EXPECT_EQ(socket_.state(), TcpState::CloseWait);
    (void)host_.port.take();
    host_.feed(next(kAck, pattern_bytes(100)).frame());
    EXPECT_TRUE(read().empty());
    EXPECT_EQ(snapshot().rcv_nxt.value(), peer_.seq);
    RawTcp late = next(kAck, pattern_bytes(100));
    late.seq += 500000000;
    EXPECT_TRUE(refuses(late, Drop::TcpOutOfWindow, true));
}

TEST_F(HostileTcpState, TST_32_HalfClosed) {
    TcpPeer peer{.host = host_};
    ASSERT_TRUE(peer.open());
    peer.send(kAck | kFin, text_bytes("GET /1000000 HTTP/1.1\r\n\r\n"));
    EXPECT_TRUE(peer.take_page(1000000));
}

/// RFC 2525 2.17: who closes with unread data says by a reset that they are lost.
TEST_F(HostileTcpState, TST_33_ClosedWithUnreadData) {
    ASSERT_TRUE(establish());
    peer_.send(kAck, pattern_bytes(100));
    (void)host_.port.take();
    socket_.close();
    host_.settle();
    const auto sent = host_.take_segments();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_TRUE(sent[0].flags & kRst);
    EXPECT_EQ(sent[0].seq, peer_.ack);
    EXPECT_EQ(host_.stack.tcp().connection_count(), 0U);
}

TEST_F(HostileTcpState, TST_34_ThePeerThatNeverCloses) {
    ASSERT_TRUE(establish());
    socket_.close();
    host_.settle();
    (void)peer_.hear();
    peer_.send(kAck);
    ASSERT_EQ(state_of(1000), TcpState::FinWait2);
    host_.pass(host_.stack.config().tcp.fin_wait_2_timeout - 1s);
    EXPECT_EQ(host_.stack.tcp().connection_count(), 1U);
    host_.pass(2s);
    EXPECT_EQ(host_.stack.tcp().connection_count(), 0U);
    EXPECT_TRUE(host_.port.take().empty());
}

/// RFC 9293 3.8.3: R2 is at least 100 seconds; then the user is told.
TEST_F(HostileTcpState, TST_35_ThePeerThatVanishes) {
    ASSERT_TRUE(establish());
    const TimePoint start = host_.now;
    write(pattern_bytes(1000));
    std::size_t sent = 0;
    while (socket_.state() == TcpState::Established && host_.now < start + 2h) {
        host_.pass(1s);
        sent += host_.port.take().size();
    }
    EXPECT_EQ(socket_.state(), TcpState::Closed);
    EXPECT_GE(host_.now - start, 100s);
    EXPECT_LE(sent, 1U + host_.stack.config().tcp.r2_retries + 1U);
    EXPECT_TRUE(fails_as(socket_.read(buffer_), Errno::TimedOut));
}

}  // namespace
}  // namespace tapestry
