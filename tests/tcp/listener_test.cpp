#include "stack/tcp/listener.h"

#include <gtest/gtest.h>

#include <map>

#include "tests/support/tcp_host.h"

// A listening port under many peers: backlog, floods, closing.

namespace tapestry::test {
namespace {

constexpr u16 kPort = 80;

TcpHeader from(u16 port, u8 flags, u32 seq, u32 ack = 0) {
    TcpHeader header = tcp_header(seq, flags, ack);
    header.source_port = port;
    return header;
}

struct Bench {
    explicit Bench(u32 backlog, StackConfig config = TcpHost::quiet()) : host(config) {
        listener = host.stack.tcp_listener();
        EXPECT_TRUE(listener.listen({Ipv4Address(), kPort}, backlog));
    }
    /// Sends a SYN; whether a SYN-ACK came back at once.
    bool syn(u16 port, u32 seq = 100) {
        host.receive(from(port, TcpFlags::kSyn, seq));
        for (const auto& sent : host.take()) {
            if ((sent.flags & TcpFlags::kSyn) == 0 || sent.destination_port != port) continue;
            iss[port] = sent.seq.value();
            return true;
        }
        return false;
    }
    /// Finishes the handshake of a port.
    void ack(u16 port) { host.receive(from(port, TcpFlags::kAck, 101, iss.at(port) + 1)); }
    u64 drops(Drop drop) const { return host.stack.counters().of(drop); }
    std::size_t connections() { return host.stack.tcp().connection_count(); }

    TcpHost host;
    Listener listener;
    std::map<u16, u32> iss;
};

TEST(Listener, HandsOutConnectionsInTheOrderOfTheirHandshakes) {
    Bench b(4);
    ASSERT_TRUE(b.syn(1001) && b.syn(1002) && b.syn(1003));
    EXPECT_FALSE(b.listener.acceptable());
    EXPECT_EQ(b.listener.accept().error(), Errno::Again);
    b.ack(1002);
    b.ack(1001);
    EXPECT_TRUE(b.listener.acceptable());
    EXPECT_EQ(b.listener.accept()->remote().port, 1002);
    EXPECT_EQ(b.listener.accept()->remote().port, 1001);
    EXPECT_EQ(b.listener.accept().error(), Errno::Again);
}

StackConfig without_cookies() {
    StackConfig config = TcpHost::quiet();
    config.tcp.syn_cookies = false;
    return config;
}

TEST(Listener, RefusesHandshakesBeyondTheBacklog) {
    Bench b(2, without_cookies());
    EXPECT_TRUE(b.syn(1001));
    EXPECT_TRUE(b.syn(1002));
    EXPECT_FALSE(b.syn(1003));
    EXPECT_EQ(b.drops(Drop::TcpBacklogFull), 1U);
    EXPECT_EQ(b.connections(), 2U);
    // One that is given up makes room.
    b.host.receive(from(1001, TcpFlags::kRst, 101));
    EXPECT_TRUE(b.syn(1003));
}

/// A full queue of connections that nobody accepts: the ACK is not taken, our SYN-ACK comes again, and
/// the peer's next ACK finishes the handshake once there is room.
TEST(Listener, FinishesAHandshakeWhenThereIsRoom) {
    Bench b(2);
    ASSERT_TRUE(b.syn(1001) && b.syn(1002));
    b.ack(1001);
    ASSERT_TRUE(b.syn(1003));
    b.ack(1002);
    b.ack(1003);
    EXPECT_EQ(b.drops(Drop::TcpAcceptQueueFull), 1U);
    auto first = b.listener.accept();
    ASSERT_TRUE(first);
    b.ack(1003);
    ASSERT_TRUE(b.listener.accept());
    const auto third = b.listener.accept();
    ASSERT_TRUE(third);
    EXPECT_EQ(third->remote().port, 1003);
}

TEST(Listener, AFloodCostsABoundedAmountAndPasses) {
    Bench b(64, without_cookies());
    for (u32 i = 0; i < 50000; ++i) {
        b.host.receive(from(static_cast<u16>(1 + i % 65000), TcpFlags::kSyn, i), {},
                       Ipv4Address(10, 0, static_cast<u8>(1 + i / 65000), 1));
        ASSERT_LE(b.connections(), 64U);
    }
    EXPECT_EQ(b.drops(Drop::TcpBacklogFull), 50000U - 64U);
    b.host.take();
    // Five SYN-ACKs more, and the half-open ones are given up.
    b.host.pass(std::chrono::minutes(5));
    EXPECT_EQ(b.connections(), 0U);
    EXPECT_EQ(b.host.take().size(), 64U * 5U);
    EXPECT_TRUE(b.syn(1001));
}

TEST(Listener, KeepsToTheLimitOfAllConnections) {
    StackConfig config = TcpHost::quiet();
    config.tcp.max_connections = 3;
    Bench b(100, config);
    EXPECT_TRUE(b.syn(1001) && b.syn(1002) && b.syn(1003));
    EXPECT_FALSE(b.syn(1004));
    EXPECT_EQ(b.drops(Drop::TcpNoMemory), 1U);
}

/// MUST-11: a reset in SYN-RECEIVED takes a passive connection back to LISTEN, and nobody hears of it.
TEST(Listener, ForgetsAHandshakeThatIsReset) {
    Bench b(4);
    ASSERT_TRUE(b.syn(1001));
    b.host.receive(from(1001, TcpFlags::kRst, 101));
    b.host.settle();
    EXPECT_EQ(b.connections(), 0U);
    EXPECT_FALSE(b.listener.acceptable());
    EXPECT_TRUE(b.syn(1001, 5000));
}

TEST(Listener, AConnectionThatIsResetWhileItWaitsIsNotHandedOut) {
    Bench b(4);
    ASSERT_TRUE(b.syn(1001) && b.syn(1002));
    b.ack(1001);
    b.ack(1002);
    b.host.receive(from(1001, TcpFlags::kRst, 101));
    const auto accepted = b.listener.accept();
    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->remote().port, 1002);
    EXPECT_FALSE(b.listener.acceptable());
}

TEST(Listener, ClosingItResetsWhatNobodyHasAccepted) {
    Bench b(4);
    ASSERT_TRUE(b.syn(1001) && b.syn(1002) && b.syn(1003));
    b.ack(1002);
    b.ack(1003);
    auto kept = b.listener.accept();
    ASSERT_TRUE(kept);
    EXPECT_EQ(kept->remote().port, 1002);
    b.host.take();
    b.listener.close();
    b.host.settle();
    std::map<u16, u8> resets;
    for (const auto& sent : b.host.take()) resets[sent.destination_port] = sent.flags;
    EXPECT_EQ(resets.size(), 2U);
    EXPECT_NE(resets[1001] & TcpFlags::kRst, 0);
    EXPECT_NE(resets[1003] & TcpFlags::kRst, 0);
    EXPECT_EQ(b.connections(), 1U);
    EXPECT_EQ(kept->state(), TcpState::Established) << "what was accepted lives on";
    // A late ACK finds nobody.
    b.ack(1001);
    EXPECT_EQ(b.host.take().at(0).flags, TcpFlags::kRst);
    EXPECT_FALSE(b.syn(1009));
}

TEST(Listener, GivesItsOptionsToWhatItAccepts) {
    Bench b(4);
    TcpSocketOptions options;
    options.no_delay = true;
    options.ttl = 7;
    b.listener.set_options(options);
    ASSERT_TRUE(b.syn(1001));
    b.ack(1001);
    const auto accepted = b.listener.accept();
    ASSERT_TRUE(accepted);
    EXPECT_EQ(accepted->options(), options);
}

TEST(Listener, TellsItsWatcher) {
    Bench b(4);
    ReadySet set;
    b.listener.watch(&set, 42);
    std::vector<u64> tokens;
    set.take(tokens);
    EXPECT_TRUE(tokens.empty());
    ASSERT_TRUE(b.syn(1001));
    set.take(tokens);
    EXPECT_TRUE(tokens.empty()) << "half open is nothing to accept";
    b.ack(1001);
    set.take(tokens);
    EXPECT_EQ(tokens, std::vector<u64>{42});
}

TEST(Listener, MayBeMovedAndDestroyedWhileHandshakesAreUnderWay) {
    TcpHost host;
    {
        Listener first = host.stack.tcp_listener();
        ASSERT_TRUE(first.listen({Ipv4Address(), kPort}));
        host.receive(from(1001, TcpFlags::kSyn, 100));
        Listener second = std::move(first);
        EXPECT_FALSE(first);  // NOLINT: a moved-from handle is empty
        EXPECT_TRUE(second);
    }
    host.pass(std::chrono::minutes(5));
    EXPECT_EQ(host.stack.tcp().connection_count(), 0U);
}

}  // namespace
}  // namespace tapestry::test
