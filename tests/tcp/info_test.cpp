// TCP_INFO.

#include "stack/tcp/tcp_info.h"

#include <gtest/gtest.h>

#include "tests/tcp/connected_host.h"

namespace tapestry::test {
namespace {

constexpr u8 kAck = TcpFlags::kAck;
constexpr u8 kPush = TcpFlags::kAck | TcpFlags::kPsh;

TEST(TcpInfo, OfANewConnection) {
    ConnectedHost c;
    const TcpInfo info = c.socket.info();
    EXPECT_EQ(info.state, TcpState::Established);
    EXPECT_EQ(info.ca_state, CaState::Open);
    EXPECT_EQ(info.options, 0) << "the peer offered nothing";
    EXPECT_EQ(info.snd_mss, 536U);
    EXPECT_EQ(info.advmss, 1460U);
    EXPECT_EQ(info.pmtu, 1500U);
    EXPECT_EQ(info.snd_cwnd, 10U);
    EXPECT_EQ(info.snd_ssthresh, TcpInfo::kInfinite);
    EXPECT_EQ(info.reordering, 3U);
    EXPECT_EQ(info.ato, 40ms);
    EXPECT_EQ(info.rto, 1s);
    EXPECT_EQ(info.segs_in, 1U) << "the ACK; the SYN came to the listener";
    EXPECT_EQ(info.segs_out, 1U) << "the SYN-ACK";
    EXPECT_EQ(info.snd_wnd, 500U);
    EXPECT_EQ(info.last_data_sent, Duration{});
}

TEST(TcpInfo, CountsWhatGoesThrough) {
    ConnectedHost c;
    c.host.pass(1s);
    ASSERT_EQ(c.write(700), 700U);  // 500 fit into the window
    TcpInfo info = c.socket.info();
    EXPECT_EQ(info.bytes_sent, 500U);
    EXPECT_EQ(info.notsent_bytes, 200U);
    EXPECT_EQ(info.unacked, 1U);
    EXPECT_EQ(info.data_segs_out, 1U);
    EXPECT_EQ(info.bytes_acked, 0U);
    c.host.pass(100ms);
    c.peer(0, kPush, 500, 30);
    c.peer(30, kPush | TcpFlags::kFin, 500, 5);
    c.host.pass(10ms);
    info = c.socket.info();
    EXPECT_EQ(info.bytes_acked, 500U);
    EXPECT_EQ(info.bytes_received, 35U) << "the FIN is no text";
    EXPECT_EQ(info.bytes_sent, 700U);
    EXPECT_EQ(info.notsent_bytes, 0U);
    EXPECT_EQ(info.segs_in, 3U);
    EXPECT_EQ(info.data_segs_in, 2U);
    EXPECT_EQ(info.rcv_mss, 30U);
    EXPECT_EQ(info.last_data_sent, 10ms);
    EXPECT_EQ(info.last_data_recv, 10ms);
    EXPECT_EQ(info.last_ack_recv, 10ms);
    EXPECT_EQ(info.rtt, 100ms);
    EXPECT_EQ(info.rttvar, 37500us);
}

TEST(TcpInfo, OfWhatIsSentAgain) {
    ConnectedHost c;
    ASSERT_TRUE(c.write(400));
    c.host.pass(3s);  // 1 s, 2 s
    const TcpInfo info = c.socket.info();
    EXPECT_EQ(info.ca_state, CaState::Loss);
    EXPECT_EQ(info.retransmits, 2);
    EXPECT_EQ(info.backoff, 2);
    EXPECT_EQ(info.rto, 4s);
    EXPECT_EQ(info.total_retrans, 2U);
    EXPECT_EQ(info.bytes_retrans, 800U);
    EXPECT_EQ(info.bytes_sent, 1200U);
    EXPECT_EQ(info.snd_cwnd, 1U);
    EXPECT_EQ(info.snd_ssthresh, 2U);
}

TEST(TcpInfo, OfDuplicatesAndRecovery) {
    ConnectedHost c;
    TcpHeader wide = tcp_header(101, kAck, c.iss + 1);
    wide.window = 60000;
    c.host.receive(wide);
    ASSERT_TRUE(c.write(5360));
    for (int i = 0; i < 2; ++i) c.host.receive(wide);
    EXPECT_EQ(c.socket.info().ca_state, CaState::Disorder);
    c.host.receive(wide);
    EXPECT_EQ(c.socket.info().ca_state, CaState::Recovery);
    EXPECT_EQ(c.socket.info().unacked, 10U);
}

TEST(TcpInfo, OfNoSocketIsNothing) { EXPECT_EQ(TcpSocket().info(), TcpInfo{}); }

}  // namespace
}  // namespace tapestry::test
