#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/forked.h"
#include "tests/support/sandbox_wire.h"

namespace tapestry {
namespace {

using test::KernelSocket;
using test::pattern_bytes;
using test::SandboxWire;
using Cable = SandboxOptions::Cable;

/// The same conversation with the kernel over every device that a sandbox can have.
class KernelDevice : public ::testing::TestWithParam<std::pair<Cable, bool>> {
protected:
    static SandboxOptions options(u32 mtu = 1500) {
        SandboxOptions options;
        options.cable = GetParam().first;
        options.offload = GetParam().second;
        options.mtu = mtu;
        options.peer_server = false;
        return options;
    }
    static bool offload() { return GetParam().second; }
};

/// A TCP connection made by hand, so far as a transfer without loss needs it.
struct HandTcp {
    SandboxWire& wire;
    KernelSocket peer{-1};
    u32 snd_nxt = 1000;
    u32 rcv_nxt = 0;

    TcpHeader header(u8 flags) const {
        TcpHeader tcp;
        tcp.source_port = 40000;
        tcp.destination_port = 5000;
        tcp.sequence = SeqNum(snd_nxt);
        tcp.acknowledgment = SeqNum(rcv_nxt);
        tcp.flags = TcpFlags{flags};
        tcp.window = 65535;
        return tcp;
    }
    void say(u8 flags, std::vector<u8> payload = {}, u16 gso_size = 0) {
        auto builder = wire.to_peer().tcp(header(flags)).payload(std::move(payload));
        const auto bytes = builder.build_partial();
        ASSERT_TRUE(wire.send(bytes, builder.partial_offload(gso_size), builder.header_size()));
    }
    void open() {
        KernelSocket listener = KernelSocket::bound(SOCK_STREAM, 5000);
        ASSERT_TRUE(listener.good());
        TcpHeader syn = header(TcpFlags::kSyn);
        syn.options.mss = u16{1460};
        const auto builder = wire.to_peer().tcp(syn);
        ASSERT_TRUE(wire.send(builder.build_partial(), builder.partial_offload()));
        const Packet answer = wire.wait_for([](const Packet& p) {
            const auto tcp = SandboxWire::tcp_of(p);
            return tcp && tcp->flags().syn() && tcp->flags().ack();
        });
        ASSERT_TRUE(answer) << "no SYN-ACK";
        rcv_nxt = SandboxWire::tcp_of(answer)->sequence().value() + 1;
        ++snd_nxt;
        say(TcpFlags::kAck);
        peer = listener.accept();
        ASSERT_TRUE(peer.good());
    }
};

TEST_P(KernelDevice, AnswersArpAndPing) {
    test::expect_passes_forked([] {
        SandboxWire wire(options());
        const Ipv4Address peer = wire.sandbox.peer_address();
        wire.send_arp(
            {ArpOperation::Request, wire.mac, wire.sandbox.our_address().address, {}, peer},
            MacAddress::broadcast());
        const Packet reply = wire.wait_for([&](const Packet& p) {
            const auto arp = ArpPacket::parse(p.bytes().subspan(EthernetView::kHeaderSize));
            return arp && arp->operation == ArpOperation::Reply && arp->sender_ip == peer &&
                   arp->sender_mac == wire.sandbox.peer_mac();
        });
        EXPECT_TRUE(reply);

        const auto data = pattern_bytes(600);
        EXPECT_TRUE(wire.send(wire.to_peer().icmp_echo(7, 3).payload(data).build()));
        const Packet pong = wire.wait_for([&](const Packet& p) {
            const auto ip = SandboxWire::ip_of(p);
            if (!ip || ip->protocol() != IpProtocol::Icmp) return false;
            const auto icmp = IcmpView::parse(ip->payload());
            return icmp && icmp->type() == IcmpType::EchoReply && icmp->identifier() == 7 &&
                   std::ranges::equal(icmp->payload(), data);
        });
        EXPECT_TRUE(pong);
    });
}

TEST_P(KernelDevice, PartialChecksumIsFinished) {
    test::expect_passes_forked([] {
        SandboxWire wire(options());
        KernelSocket peer = KernelSocket::bound(SOCK_DGRAM, 6000);
        ASSERT_TRUE(peer.good());
        const auto data = pattern_bytes(1000);
        const auto builder = wire.to_peer().udp(40000, 6000).payload(data);
        ASSERT_TRUE(wire.send(builder.build_partial(), builder.partial_offload()));
        EXPECT_EQ(peer.receive(1000), data);
    });
}

TEST_P(KernelDevice, WrongChecksumIsNotMendedOnTheWay) {
    test::expect_passes_forked([] {
        SandboxWire wire(options());
        KernelSocket peer = KernelSocket::bound(SOCK_DGRAM, 6000);
        auto wrong = wire.to_peer().udp(40000, 6000).payload(pattern_bytes(100, 1));
        wrong.checksum_error = 1;
        const auto right = wire.to_peer().udp(40000, 6000).payload(pattern_bytes(100, 2));
        ASSERT_TRUE(wire.send(wrong.build()));
        ASSERT_TRUE(wire.send(right.build()));
        EXPECT_EQ(peer.receive(100), pattern_bytes(100, 2)) << "the first one must be lost";
    });
}

TEST_P(KernelDevice, SuperFrameReachesTheKernelWhole) {
    test::expect_passes_forked([] {
        SandboxWire wire(options());
        HandTcp tcp{wire};
        tcp.open();
        if (::testing::Test::HasFailure()) return;
        const auto data = pattern_bytes(32000);
        tcp.say(TcpFlags::kAck | TcpFlags::kPsh, data, 1460);
        EXPECT_EQ(tcp.peer.receive(data.size()), data);
    });
}

TEST_P(KernelDevice, DataComesAsSuperFramesOrAsWireFrames) {
    test::expect_passes_forked([] {
        SandboxWire wire(options());
        HandTcp tcp{wire};
        tcp.open();
        if (::testing::Test::HasFailure()) return;
        // As much as the initial window of ten segments lets out at once.
        const auto data = pattern_bytes(14000);
        ASSERT_TRUE(tcp.peer.send(data));
        std::vector<u8> got;
        std::size_t largest = 0;
        while (got.size() < data.size()) {
            const Packet frame = wire.wait_for([&](const Packet& p) {
                const auto segment = SandboxWire::tcp_of(p);
                return segment && segment->sequence() == SeqNum(tcp.rcv_nxt) &&
                       !segment->payload().empty();
            });
            ASSERT_TRUE(frame) << got.size();
            const auto segment = *SandboxWire::tcp_of(frame);
            got.insert(got.end(), segment.payload().begin(), segment.payload().end());
            tcp.rcv_nxt += static_cast<u32>(segment.payload().size());
            largest = std::max(largest, frame.size());
            if (frame.size() > 1514) {
                EXPECT_EQ(frame.offload.gso, Offload::Gso::Tcp4);
                EXPECT_EQ(frame.offload.gso_size, 1460);
                EXPECT_EQ(frame.offload.header_length, 54);
                EXPECT_EQ(frame.offload.checksum, Offload::Checksum::Partial);
            }
            if (!offload()) {
                const auto ip = *SandboxWire::ip_of(frame);
                EXPECT_TRUE(segment.checksum_ok(ip.source(), ip.destination()));
                EXPECT_EQ(frame.offload, Offload{});
            }
            tcp.say(TcpFlags::kAck);
        }
        EXPECT_EQ(got, data);
        EXPECT_EQ(largest > 1514, offload());
    });
}

TEST_P(KernelDevice, LargeMtuIsOfBothEnds) {
    test::expect_passes_forked([] {
        SandboxWire wire(options(9000));
        EXPECT_EQ(wire.sandbox.device().capabilities().mtu, 9000U);
        EXPECT_TRUE(wire.send(wire.to_peer().icmp_echo(7, 3).payload(pattern_bytes(8972)).build()));
        const Packet pong = wire.wait_for([](const Packet& p) {
            const auto ip = SandboxWire::ip_of(p);
            return ip && ip->protocol() == IpProtocol::Icmp;
        });
        ASSERT_TRUE(pong);
        EXPECT_EQ(pong.size(), 9014U);
    });
}

TEST_P(KernelDevice, BatchMayBeHandedInAgain) {
    test::expect_passes_forked([] {
        SandboxWire wire(options());
        Device& device = wire.sandbox.device();
        // The kernel must know us, or it asks first.
        ASSERT_TRUE(wire.send(wire.to_peer().icmp_echo(7, 0).build()));
        ASSERT_TRUE(
            wire.wait_for([](const Packet& p) { return SandboxWire::ip_of(p).has_value(); }));
        std::vector<Packet> batch(3);
        for (u16 round = 1; round <= 5; ++round) {
            // Whatever the caller did to the packets, the next frames begin where they should.
            if (round == 3) batch[0].pull(20);
            if (round == 4) batch[0] = Packet();
            if (round == 5) batch[0].push(8);
            ASSERT_TRUE(wire.send(
                wire.to_peer().icmp_echo(7, round).payload(pattern_bytes(100U * round)).build()));
            pollfd poller{device.fd(), POLLIN, 0};
            ASSERT_EQ(poll(&poller, 1, 5000), 1);
            ASSERT_EQ(device.receive(batch), 1U) << round;
            EXPECT_EQ(batch[0].size(), 42U + 100U * round);
            EXPECT_EQ(batch[0].headroom(), PacketPool::kHeadroom);
        }
        EXPECT_EQ(device.receive(batch), 0U);
        EXPECT_EQ(device.receive({}), 0U);
    });
}

INSTANTIATE_TEST_SUITE_P(
    All, KernelDevice,
    ::testing::Values(std::pair{Cable::Tap, true}, std::pair{Cable::Tap, false},
                      std::pair{Cable::Veth, true}, std::pair{Cable::Veth, false}),
    [](const auto& parameter) {
        return std::string(parameter.param.first == Cable::Tap ? "Tap" : "Veth") +
               (parameter.param.second ? "Offload" : "Plain");
    });

}  // namespace
}  // namespace tapestry
