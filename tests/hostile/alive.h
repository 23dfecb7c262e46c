#pragma once

#include "tests/hostile/host.h"
#include "tests/hostile/tcp_peer.h"

namespace tapestry::test {

/// What every test of this folder ends with: whatever was done to the host, a good neighbour at
/// 10.0.0.99, who was not there before, gets its hardware address, an answer to a ping, and a page. That
/// neighbour answers ARP requests, as any would.
inline void expect_alive(HostileHost& host) {
    static constexpr Ipv4Address kGood{10, 0, 0, 99};
    static const MacAddress good_mac({2, 0, 0, 0, 0, 99});
    host.serving = true;
    (void)host.port.take();

    host.feed(arp_frame({ArpOperation::Request, good_mac, kGood, MacAddress(), kUs},
                        MacAddress::broadcast()));
    const auto for_good = [&](const RecordingPort::Sent& sent) {
        return is_arp(sent) && arp_of(sent).operation == ArpOperation::Reply &&
               arp_of(sent).target_ip == kGood && arp_of(sent).sender_mac == kOurMac;
    };
    const auto answers = host.port.take();
    EXPECT_EQ(std::ranges::count_if(answers, for_good), 1) << "the ARP request is not answered";
    if (!host.interface->arp().lookup(kGood, host.now)) {
        host.interface->arp().add_static(kGood, good_mac, host.now);  // it would answer ours
    }

    Ipv4Header header = ip_header(IpProtocol::Icmp);
    header.source = kGood;
    const auto data = pattern_bytes(56, 99);
    host.feed_ip(ip_packet(header, echo_request(data, 99, 1)));
    bool answered = false;
    for (const auto& sent : host.port.take()) {
        const auto reply = icmp_of(sent);
        answered = answered || (reply && reply->type() == IcmpType::EchoReply &&
                                reply->identifier() == 99 && copy_of(reply->payload()) == data);
    }
    EXPECT_TRUE(answered) << "the ping is not answered";

    TcpPeer client{.host = host, .address = kGood, .port = 9999};
    ASSERT_TRUE(client.open());
    EXPECT_TRUE(client.get(3000));
}

/// One hostile deed, and then the host is alive.
class HostileTest : public testing::Test {
protected:
    explicit HostileTest(const StackConfig& config = HostileHost::quiet()) : host_(config) {}
    void TearDown() override { expect_alive(host_); }

    /// "the frame was refused, for this reason and no other, and nothing was sent"
    testing::AssertionResult silently(Bytes frame, Drop drop) {
        const auto refused = refused_once(frame, drop);
        if (!refused) return refused;
        const auto sent = host_.port.take();
        if (sent.empty()) return testing::AssertionSuccess();
        return testing::AssertionFailure() << "was answered by " << sent.size() << " frames";
    }
    testing::AssertionResult silently_ip(Bytes packet, Drop drop, MacAddress to = kOurMac) {
        return silently(ethernet_frame(EtherType::Ipv4, packet, to), drop);
    }
    /// The same, whatever was sent.
    testing::AssertionResult refused_once(Bytes frame, Drop drop) {
        (void)host_.port.take();
        const u64 all = host_.all_drops();
        const u64 these = host_.drops(drop);
        host_.feed(frame);
        if (host_.drops(drop) == these + 1 && host_.all_drops() == all + 1) {
            return testing::AssertionSuccess();
        }
        auto failure = testing::AssertionFailure();
        failure << "not refused as " << name(drop) << "; refused so far:";
        for (std::size_t i = 0; i < kDropCount; ++i) {
            const u64 count = host_.stack.counters().drops.at(i);
            if (count > 0) failure << " " << name(static_cast<Drop>(i)) << " " << count;
        }
        return failure;
    }
    /// "the frame was taken, and this is what was sent"
    std::vector<RecordingPort::Sent> taken_and_sent(Bytes frame) {
        (void)host_.port.take();
        const u64 all = host_.all_drops();
        host_.feed(frame);
        EXPECT_EQ(host_.all_drops(), all) << "something was refused";
        return host_.port.take();
    }
    /// The one ICMP message that a frame is answered by.
    std::optional<std::vector<u8>> icmp_answer(Bytes frame) {
        (void)host_.port.take();
        host_.feed(frame);
        const auto sent = host_.port.take();
        if (sent.size() != 1 || !icmp_of(sent[0])) return std::nullopt;
        return copy_of(ip_of(sent[0])->payload());
    }

    HostileHost host_;
};

/// With a peer that need not be asked for its hardware address.
class HostileIpTest : public HostileTest {
protected:
    explicit HostileIpTest(const StackConfig& config = HostileHost::quiet()) : HostileTest(config) {
        host_.know_peer();
    }
    std::vector<u8> echo_ = ip_packet(ip_header(IpProtocol::Icmp), echo_request(pattern_bytes(32)));
};

}  // namespace tapestry::test
