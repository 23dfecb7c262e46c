#include <gtest/gtest.h>

#include <vector>

#include "stack/base/rng.h"
#include "stack/trace/notation.h"
#include "stack/wire/arp.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/icmp.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/udp.h"

namespace tapestry {
namespace {

using Buffer = std::vector<u8>;

Buffer ethernet(EtherType type, const Buffer& payload) {
    Buffer frame(EthernetView::kHeaderSize);
    EthernetHeader{.destination = MacAddress({2, 0, 0, 0, 0, 1}),
                   .source = MacAddress({2, 0, 0, 0, 0, 2}),
                   .type = type}
        .write(frame.data());
    frame.insert(frame.end(), payload.begin(), payload.end());
    return frame;
}

Buffer ipv4(IpProtocol protocol, const Buffer& payload, u32 offset = 0, bool more = false) {
    Buffer packet(Ipv4View::kMinHeaderSize);
    Ipv4Header{.total_length = static_cast<u16>(20 + payload.size()),
               .identification = 7,
               .more_fragments = more,
               .fragment_offset = offset,
               .protocol = protocol,
               .source = Ipv4Address(192, 168, 3, 10),
               .destination = Ipv4Address(192, 168, 3, 1)}
        .write(packet.data());
    packet.insert(packet.end(), payload.begin(), payload.end());
    return packet;
}

Buffer in_frame(IpProtocol protocol, const Buffer& payload, u32 offset = 0, bool more = false) {
    return ethernet(EtherType::Ipv4, ipv4(protocol, payload, offset, more));
}

Buffer tcp(std::size_t payload) {
    TcpHeader header{.source_port = 40000,
                     .destination_port = 80,
                     .sequence = SeqNum(1000),
                     .acknowledgment = SeqNum(2000),
                     .flags = {TcpFlags::kAck | TcpFlags::kPsh},
                     .window = 502,
                     .urgent_pointer = 0,
                     .options = {}};
    header.options.timestamps = TcpTimestamps{1, 2};
    Buffer bytes(header.size() + payload);
    header.write(bytes.data());
    return bytes;
}

Buffer udp(u16 length, std::size_t payload) {
    Buffer bytes(UdpView::kHeaderSize + payload);
    UdpHeader{.source_port = 5353, .destination_port = 53, .length = length}.write(bytes.data());
    return bytes;
}

Buffer icmp(IcmpType type, u8 code, u32 second, const Buffer& payload) {
    Buffer bytes(IcmpView::kHeaderSize);
    IcmpHeader{.type = type, .code = code, .second = second}.write(bytes.data(), payload);
    bytes.insert(bytes.end(), payload.begin(), payload.end());
    return bytes;
}

std::string describe(const Buffer& frame) { return describe_frame(frame, frame.size()); }

TEST(DescribeFrame, Arp) {
    ArpPacket arp{.operation = ArpOperation::Request,
                  .sender_mac = MacAddress({2, 0, 0, 0, 0, 2}),
                  .sender_ip = Ipv4Address(192, 168, 3, 10),
                  .target_mac = {},
                  .target_ip = Ipv4Address(192, 168, 3, 1)};
    auto bytes = arp.to_bytes();
    EXPECT_EQ(describe(ethernet(EtherType::Arp, {bytes.begin(), bytes.end()})),
              "ARP, Request who-has 192.168.3.1 tell 192.168.3.10, length 28");
    arp.operation = ArpOperation::Reply;
    bytes = arp.to_bytes();
    EXPECT_EQ(describe(ethernet(EtherType::Arp, {bytes.begin(), bytes.end()})),
              "ARP, Reply 192.168.3.10 is-at 02:00:00:00:00:02, length 28");
    bytes[7] = 9;
    EXPECT_EQ(describe(ethernet(EtherType::Arp, {bytes.begin(), bytes.end()})),
              "ARP, ArpBadOperation (neither a request nor a reply), length 28");
}

TEST(DescribeFrame, Tcp) {
    EXPECT_EQ(describe(in_frame(IpProtocol::Tcp, tcp(100))),
              "IP 192.168.3.10.40000 > 192.168.3.1.80: P. 1000:1100(100) ack 2000 win 502 "
              "<nop,nop,TS val 1 ecr 2>");
}

TEST(DescribeFrame, ThePayloadMayBeSomewhereElse) {
    const Buffer frame = in_frame(IpProtocol::Tcp, tcp(1000));
    EXPECT_EQ(describe_frame(Bytes(frame).first(14 + 20 + 32), frame.size()), describe(frame));
    const Buffer datagram = in_frame(IpProtocol::Udp, udp(508, 500));
    EXPECT_EQ(describe_frame(Bytes(datagram).first(14 + 20 + 8), datagram.size()),
              describe(datagram));
}

TEST(DescribeFrame, PaddingDoesNotCount) {
    Buffer frame = in_frame(IpProtocol::Udp, udp(9, 1));
    const std::string line = describe(frame);
    frame.resize(60, 0xaa);
    EXPECT_EQ(describe(frame), line);
    EXPECT_EQ(line, "IP 192.168.3.10.5353 > 192.168.3.1.53: UDP, length 1");
}

TEST(DescribeFrame, Icmp) {
    EXPECT_EQ(describe(in_frame(IpProtocol::Icmp,
                                icmp(IcmpType::EchoRequest, 0, 0x12340007, Buffer(56)))),
              "IP 192.168.3.10 > 192.168.3.1: ICMP echo request, id 4660, seq 7, length 64");
    const Buffer quote = ipv4(IpProtocol::Udp, udp(8, 0));
    const auto unreachable = [&](UnreachableCode code, u32 second = 0) {
        return describe(in_frame(IpProtocol::Icmp, icmp(IcmpType::DestinationUnreachable,
                                                        static_cast<u8>(code), second, quote)));
    };
    EXPECT_EQ(unreachable(UnreachableCode::Port),
              "IP 192.168.3.10 > 192.168.3.1: ICMP 192.168.3.1 udp port 53 unreachable, length 36");
    EXPECT_EQ(unreachable(UnreachableCode::FragmentationNeeded, 1400),
              "IP 192.168.3.10 > 192.168.3.1: ICMP 192.168.3.1 unreachable - need to frag "
              "(mtu 1400), length 36");
    EXPECT_EQ(describe(in_frame(IpProtocol::Icmp, icmp(IcmpType::TimeExceeded, 0, 0, quote))),
              "IP 192.168.3.10 > 192.168.3.1: ICMP time exceeded in-transit, length 36");
}

TEST(DescribeFrame, FragmentsAndOtherProtocols) {
    EXPECT_EQ(describe(in_frame(IpProtocol::Udp, Buffer(1480), 1480, true)),
              "IP 192.168.3.10 > 192.168.3.1: UDP fragment id 7, offset 1480+, length 1480");
    EXPECT_EQ(describe(in_frame(static_cast<IpProtocol>(47), Buffer(9))),
              "IP 192.168.3.10 > 192.168.3.1: ip-proto-47, length 9");
    EXPECT_EQ(describe(ethernet(EtherType::Ipv6, Buffer(40))), "IP6, length 40");
    EXPECT_EQ(describe(ethernet(static_cast<EtherType>(0x88cc), Buffer(46))),
              "ethertype 0x88cc, length 46");
    EXPECT_EQ(describe(ethernet(static_cast<EtherType>(0x26), Buffer(46))), "802.3, length 38");
}

TEST(DescribeFrame, BrokenOnesCarryTheNameOfTheRefusal) {
    EXPECT_EQ(describe(Buffer(13)),
              "EthernetShort (the frame is shorter than an Ethernet header), length 13");
    EXPECT_EQ(describe({}),
              "EthernetShort (the frame is shorter than an Ethernet header), length 0");
    Buffer frame = in_frame(IpProtocol::Tcp, tcp(0));
    frame[14 + Ipv4View::kTtl] = 1;
    EXPECT_EQ(describe(frame), "IP Ipv4BadChecksum (the IPv4 header checksum is wrong), length 52");
    // The same when the payload is somewhere else.
    EXPECT_EQ(describe_frame(Bytes(frame).first(14 + 20), 66),
              "IP Ipv4BadChecksum (the IPv4 header checksum is wrong), length 52");
    frame = in_frame(IpProtocol::Tcp, tcp(0));
    EXPECT_TRUE(describe_frame(frame, 1000).starts_with("IP 192.168.3.10.40000")) << "padding";
    EXPECT_TRUE(describe_frame(Bytes(frame).first(50), 50).starts_with("IP Ipv4BadTotalLength"));
    frame[14 + 20 + TcpView::kDataOffset] = 0x40;
    EXPECT_TRUE(describe(frame).starts_with("IP TCP, TcpBadDataOffset")) << describe(frame);
    frame = in_frame(IpProtocol::Tcp, tcp(0));
    frame[14 + 20 + 23] = 0;
    EXPECT_TRUE(
        describe(frame).ends_with("TcpBadOption (an option's length is below 2 or past "
                                  "the header)"))
        << describe(frame);
    EXPECT_TRUE(describe(in_frame(IpProtocol::Udp, Buffer(7))).starts_with("IP UDP, UdpShort"));
    EXPECT_TRUE(describe(in_frame(IpProtocol::Udp, udp(20, 0))).find("UdpBadLength") !=
                std::string::npos);
}

TEST(DescribeFrame, NeverFailsWhateverTheBytes) {
    SeededRng rng(8);
    const std::vector<Buffer> seeds{
        in_frame(IpProtocol::Tcp, tcp(10)),
        in_frame(IpProtocol::Udp, udp(18, 10)),
        in_frame(IpProtocol::Icmp, icmp(IcmpType::EchoRequest, 0, 1, Buffer(8))),
        in_frame(IpProtocol::Icmp,
                 icmp(IcmpType::DestinationUnreachable, 3, 0, ipv4(IpProtocol::Udp, udp(8, 0)))),
        ethernet(EtherType::Arp, Buffer(28, 1)),
        Buffer(100, 0xff)};
    for (int round = 0; round < 30000; ++round) {
        Buffer frame = seeds.at(rng.below(static_cast<u32>(seeds.size())));
        for (u32 flips = rng.below(4); flips > 0; --flips) {
            frame.at(rng.below(static_cast<u32>(frame.size()))) = static_cast<u8>(rng.next());
        }
        frame.resize(rng.below(static_cast<u32>(frame.size()) + 1));
        const std::string line = describe_frame(frame, rng.below(2) == 0 ? frame.size() : 1514);
        ASSERT_FALSE(line.empty());
        ASSERT_LT(line.size(), 300U) << line;
        ASSERT_EQ(line.find('\n'), std::string::npos) << line;
    }
}

}  // namespace
}  // namespace tapestry
