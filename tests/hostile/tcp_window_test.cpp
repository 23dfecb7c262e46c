// Data in the wrong place, windows that shrink, close or never open.

#include "tests/hostile/tcp_fixture.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class HostileTcpWindow : public HostileTcpTest {
protected:
    explicit HostileTcpWindow(const StackConfig& config = HostileHost::quiet())
        : HostileTcpTest(config) {}
    RawTcp at(u32 offset, std::vector<u8> text) const {
        RawTcp segment = next(kAck, std::move(text));
        segment.seq += offset;
        return segment;
    }
    void feed(const RawTcp& segment) { host_.feed(segment.frame()); }
    static std::vector<u8> letters(char letter, std::size_t n) {
        return std::vector<u8>(n, static_cast<u8>(letter));
    }
    std::string read_text() {
        const auto got = read();
        return {got.begin(), got.end()};
    }
};

/// What has been taken never changes: whoever sees other bytes on the way sees what we do not.
TEST_F(HostileTcpWindow, TST_22_OverlapsWithOtherBytes) {
    ASSERT_TRUE(establish());
    feed(at(0, letters('A', 10)));
    feed(at(5, letters('B', 10)));
    EXPECT_EQ(read_text(), "AAAAAAAAAABBBBB");
    peer_.seq += 15;
    feed(at(5, letters('C', 10)));
    feed(at(0, letters('D', 10)));
    EXPECT_EQ(read_text(), "DDDDDDDDDDCCCCC") << "what lies behind a hole may still be replaced";
}

/// SegmentSmack: one octet here, one octet there, from the end to the beginning.
TEST_F(HostileTcpWindow, TST_23_IslandsOfOneOctet) {
    ASSERT_TRUE(establish());
    for (u32 i = 0; i < 20000; ++i) feed(at(2 * (20000 - i), letters('x', 1)));
    const u32 limit = host_.stack.config().tcp.max_out_of_order_blocks;
    EXPECT_LE(snapshot().receive_out_of_order, limit);
    EXPECT_GE(host_.drops(Drop::TcpNoMemory), 20000U - limit);
    (void)host_.port.take();
    // From the end to the beginning without gaps it is one island that grows.
    peer_.port = 1001;
    ASSERT_TRUE(establish());
    for (u32 i = 0; i < 20000; ++i) feed(at(20000 - i, letters('x', 1)));
    EXPECT_EQ(snapshot().receive_out_of_order, 20000U);
    feed(at(0, letters('x', 1)));
    EXPECT_EQ(read().size(), 20001U);
}

TEST_F(HostileTcpWindow, TST_24_DataBeyondTheWindow) {
    ASSERT_TRUE(establish());
    const u32 window = snapshot().rcv_wnd;
    for (const u32 offset : {window, window + 1, window + 100000, 0x40000000U}) {
        EXPECT_TRUE(refuses(at(offset, letters('x', 10)), Drop::TcpOutOfWindow, true)) << offset;
    }
    EXPECT_EQ(snapshot().receive_out_of_order, 0U);
    EXPECT_TRUE(works());
}

class HostileSmallWindow : public HostileTcpWindow {
protected:
    HostileSmallWindow() : HostileTcpWindow(small()) {}
    static StackConfig small() {
        StackConfig config = HostileHost::quiet();
        config.tcp.receive_buffer = 4096;
        config.tcp.receive_buffer_max = 0;
        return config;
    }
};

TEST_F(HostileSmallWindow, TST_25_DataOverTheEdgeOfTheWindow) {
    ASSERT_TRUE(establish());
    const u32 window = snapshot().rcv_wnd;
    ASSERT_LE(window, 4096U);
    for (u32 offset = 0; offset + 1000 < window; offset += 1000) {
        feed(at(offset, letters('x', 1000)));
    }
    const u32 rest = window % 1000 == 0 ? 1000 : window % 1000;
    feed(at(window - rest, letters('y', 1400)));
    const auto got = read_text();
    EXPECT_EQ(got.size(), window) << "the part inside";
    EXPECT_EQ(got.back(), 'y');
}

/// RFC 9293 3.8.6: a peer should not take back what it has offered; one that does must not make us
/// underflow, nor send beyond.
TEST_F(HostileTcpWindow, TST_26_TheWindowShrinksBelowWhatIsInFlight) {
    ASSERT_TRUE(establish());
    write(pattern_bytes(100000));
    (void)host_.port.take();
    const u32 una = snapshot().snd_una.value();
    peer_.window = 2000;
    RawTcp shrunk = next();
    shrunk.ack = una;
    shrunk.window = 2000;
    feed(shrunk);
    EXPECT_EQ(snapshot().snd_wnd, 2000U);
    for (int i = 0; i < 20; ++i) {
        host_.pass(500ms);
        for (const auto& one : host_.take_segments()) {
            EXPECT_LE(one.seq + one.text.size(), una + 2000) << "beyond what is offered now";
        }
    }
    for (int i = 0; i < 200 && snapshot().send_queued > 0; ++i) {
        peer_.window = 65535;
        peer_.send(kAck);
        (void)peer_.hear();
        host_.pass(100ms);
    }
    EXPECT_EQ(snapshot().send_queued, 0U);
}

/// MUST-35 to MUST-37: asked again and again, more and more seldom, and for ever as long as it answers.
TEST_F(HostileTcpWindow, TST_27_TheWindowStaysClosed) {
    ASSERT_TRUE(establish());
    peer_.window = 0;
    peer_.send(kAck);
    write(pattern_bytes(50000));
    std::size_t probes = 0;
    for (int second = 0; second < 3600; ++second) {
        host_.pass(1s);
        for (const auto& one : host_.take_segments()) {
            ++probes;
            ASSERT_LE(one.text.size(), 1U);
            peer_.send(kAck);
        }
    }
    EXPECT_GE(probes, 3600U / 60);
    EXPECT_LE(probes, 3600U / 60 + 15);
    EXPECT_EQ(socket_.state(), TcpState::Established);
    EXPECT_EQ(snapshot().send_queued, 50000U);
    peer_.window = 65535;
    for (int i = 0; i < 100 && snapshot().send_queued > 0; ++i) {
        peer_.send(kAck);
        (void)peer_.hear();
        host_.pass(10ms);
    }
    EXPECT_EQ(snapshot().send_queued, 0U);
}

/// RFC 9293 3.8.6.2.1: a window that opens octet by octet must not be filled octet by octet.
TEST_F(HostileTcpWindow, TST_28_TheWindowOpensOctetByOctet) {
    ASSERT_TRUE(establish());
    peer_.window = 0;
    peer_.send(kAck);
    write(pattern_bytes(20000));
    (void)host_.port.take();
    std::size_t small = 0;
    for (u16 window = 1; window <= 500; ++window) {
        peer_.window = window;
        peer_.send(kAck);
        host_.pass(1ms);
        small += host_.take_segments().size();
    }
    EXPECT_LE(small, 4U) << "what the override timer lets go";
    peer_.window = 65535;
    for (int i = 0; i < 100 && snapshot().send_queued > 0; ++i) {
        (void)peer_.hear();
        peer_.send(kAck);
        host_.pass(300ms);
    }
    EXPECT_EQ(snapshot().send_queued, 0U);
}

/// Two of our own stacks whose numbers have been set apart by a stranger's octet: each takes the other's
/// answer for something to be answered.
TEST_F(HostileTcpWindow, TST_36_TwoHostsThatChallengeEachOther) {
    SeededRng rng(2);
    RecordingPort port;
    Stack other(HostileHost::quiet(), rng);
    Interface& link = other.add_interface(port, {"eth0", kPeerMac, {kPeer, 24}}, host_.now);
    link.arp().add_static(kUs, kOurMac, host_.now);
    PacketPool pool(PacketPool::kSuperFrameSlot, 2);
    std::size_t frames = 0;
    const auto carry = [&](const RecordingPort::Sent& one, Stack& to, Interface& interface) {
        Packet packet = pool.copy(one.bytes);
        packet.offload =
            one.offload;  // the sum over the text is left to a device, which is not there
        to.receive(interface, std::span(&packet, 1), host_.now);
        ++frames;
    };
    // Every frame arrives at once: 10,000 turns in one moment would be a storm without end.
    const auto exchange = [&] {
        for (std::size_t turn = 0; turn < 10000; ++turn) {
            const auto to_other = host_.port.take();
            const auto to_us = port.take();
            if (to_other.empty() && to_us.empty()) return;
            for (const auto& one : to_us) carry(one, host_.stack, *host_.interface);
            for (const auto& one : to_other) carry(one, other, link);
        }
        ADD_FAILURE() << "it does not end";
    };
    TcpSocket there = other.tcp_socket();
    ASSERT_TRUE(there.connect({kUs, 81}));
    other.advance(host_.now);
    exchange();
    auto accepted = listener_.accept();
    ASSERT_TRUE(accepted);
    TcpSocket here = std::move(*accepted);
    const auto snapshot = here.snapshot();
    const auto forge = [&](u32 seq, u32 ack, u16 from, u16 to) {
        return RawTcp{.source_port = from,
                      .destination_port = to,
                      .seq = seq,
                      .ack = ack,
                      .flags = kAck,
                      .text = pattern_bytes(1)};
    };
    const u16 port_there = there.local().port;
    host_.feed(forge(snapshot.rcv_nxt.value(), snapshot.snd_nxt.value(), port_there, 81).frame());
    const auto at_other = forge(snapshot.snd_nxt.value(), snapshot.rcv_nxt.value(), 81, port_there)
                              .packet(kUs, kPeer);
    Packet packet = pool.copy(ethernet_frame(EtherType::Ipv4, at_other, kPeerMac, kOurMac));
    other.receive(link, std::span(&packet, 1), host_.now);
    frames = 0;
    for (int i = 0; i < 100; ++i) {
        exchange();
        host_.pass(100ms);
        other.advance(host_.now);
    }
    EXPECT_GE(frames, 20U) << "they do disagree";
    EXPECT_LE(frames, 100U) << "in ten seconds";
}

}  // namespace
}  // namespace tapestry
