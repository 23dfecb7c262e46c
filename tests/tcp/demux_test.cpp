#include <gtest/gtest.h>

#include "tests/support/tcp_host.h"

// Whose is a segment, and what is answered when it is nobody's (RFC 9293 3.10.7.1 and 3.10.7.2).

namespace tapestry::test {
namespace {

constexpr u16 kPort = 80;

TcpHeader segment(u8 flags, u32 seq = 100, u32 ack = 200, u16 from_port = 1000) {
    TcpHeader header = tcp_header(seq, flags, ack);
    header.source_port = from_port;
    return header;
}

std::string flags_text(u32 flags) { return "flags " + std::to_string(flags); }

/// All 256 flag bytes to a closed port: a RST is silence, an ACK gives <SEQ=SEG.ACK><CTL=RST>, all else
/// <SEQ=0><ACK=SEG.SEQ+SEG.LEN><CTL=RST,ACK>.
TEST(Demultiplexer, AnswersForClosedPorts) {
    for (u32 flags = 0; flags < 256; ++flags) {
        TcpHost host;
        const TcpFlags bits{static_cast<u8>(flags)};
        host.receive(segment(bits.bits), {1, 2, 3});
        const auto sent = host.take();
        EXPECT_EQ(host.stack.tcp().connection_count(), 0U);
        EXPECT_EQ(host.stack.counters().of(Drop::TcpNoConnection), 1U);
        if (bits.rst()) {
            EXPECT_TRUE(sent.empty()) << flags_text(flags);
            continue;
        }
        ASSERT_EQ(sent.size(), 1U) << flags_text(flags);
        EXPECT_EQ(sent[0].to, TcpHost::kPeer);
        EXPECT_EQ(sent[0].source_port, kPort);
        EXPECT_EQ(sent[0].destination_port, 1000);
        EXPECT_EQ(sent[0].window, 0);
        EXPECT_TRUE(sent[0].text.empty());
        if (bits.ack()) {
            EXPECT_EQ(sent[0].flags, TcpFlags::kRst) << flags_text(flags);
            EXPECT_EQ(sent[0].seq, SeqNum(200));
        } else {
            const u32 length = 3 + (bits.syn() ? 1 : 0) + (bits.fin() ? 1 : 0);
            EXPECT_EQ(sent[0].flags, TcpFlags::kRst | TcpFlags::kAck) << flags_text(flags);
            EXPECT_EQ(sent[0].seq, SeqNum(0));
            EXPECT_EQ(sent[0].ack, SeqNum(100 + length)) << flags_text(flags);
        }
    }
}

/// All 256 to a listener, as Linux answers them: RST silence, ACK a reset, SYN without FIN a SYN-ACK,
/// all else silence.
TEST(Demultiplexer, AnswersForListeners) {
    for (u32 flags = 0; flags < 256; ++flags) {
        TcpHost host;
        Listener listener = host.stack.tcp_listener();
        ASSERT_TRUE(listener.listen({Ipv4Address(), kPort}));
        const TcpFlags bits{static_cast<u8>(flags)};
        host.receive(segment(bits.bits));
        const auto sent = host.take();
        const bool opens = bits.syn() && !bits.fin() && !bits.rst() && !bits.ack();
        EXPECT_EQ(host.stack.tcp().connection_count(), opens ? 1U : 0U) << flags_text(flags);
        if (opens) {
            ASSERT_EQ(sent.size(), 1U) << flags_text(flags);
            EXPECT_EQ(sent[0].flags & ~(TcpFlags::kEce | TcpFlags::kCwr),
                      TcpFlags::kSyn | TcpFlags::kAck);
            EXPECT_EQ(sent[0].ack, SeqNum(101)) << "the text of a SYN is not taken";
        } else if (bits.ack() && !bits.rst()) {
            ASSERT_EQ(sent.size(), 1U) << flags_text(flags);
            EXPECT_EQ(sent[0].flags, TcpFlags::kRst);
            EXPECT_EQ(sent[0].seq, SeqNum(200));
        } else {
            EXPECT_TRUE(sent.empty()) << flags_text(flags);
        }
    }
}

TEST(Demultiplexer, TellsConnectionsOfOnePortApart) {
    TcpHost host;
    Listener listener = host.stack.tcp_listener();
    ASSERT_TRUE(listener.listen({Ipv4Address(), kPort}, 4));
    std::vector<SeqNum> iss;
    for (const u16 port : {u16{1000}, u16{1001}}) {
        host.receive(segment(TcpFlags::kSyn, 100, 0, port));
        iss.push_back(host.take().at(0).seq);
        host.receive(segment(TcpFlags::kAck, 101, iss.back().value() + 1, port));
    }
    auto first = listener.accept();
    auto second = listener.accept();
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->remote().port, 1000);
    EXPECT_EQ(second->remote().port, 1001);
    host.receive(segment(TcpFlags::kAck, 101, iss[1].value() + 1, 1001), {7, 8});
    EXPECT_EQ(first->readable_bytes(), 0U);
    EXPECT_EQ(second->readable_bytes(), 2U);
    // A third port has no connection.
    host.take();
    host.receive(segment(TcpFlags::kAck, 101, 5, 1002), {9});
    EXPECT_EQ(host.take().at(0).flags, TcpFlags::kRst);
}

TEST(Demultiplexer, PrefersTheListenerOnTheVeryAddress) {
    TcpHost host;
    Listener any = host.stack.tcp_listener();
    ASSERT_TRUE(any.listen({TcpHost::kUs, kPort}));
    Listener other = host.stack.tcp_listener();
    ASSERT_TRUE(other.listen({Ipv4Address(), 81}));
    host.receive(segment(TcpFlags::kSyn));
    host.receive(segment(TcpFlags::kAck, 101, host.take().at(0).seq.value() + 1));
    EXPECT_TRUE(any.acceptable());
    EXPECT_FALSE(other.acceptable());
}

/// MUST-3: one wrong bit anywhere, and nothing happens but a count.
TEST(Demultiplexer, IgnoresSegmentsWithAWrongSum) {
    TcpHost host;
    PacketBuilder builder;
    const auto good = builder.tcp(segment(TcpFlags::kSyn)).payload({1, 2, 3}).build();
    const std::size_t begin = EthernetView::kHeaderSize + Ipv4View::kMinHeaderSize;
    u64 refused = 0;
    for (std::size_t bit = begin * 8; bit < good.size() * 8; ++bit) {
        auto bad = good;
        bad[bit / 8] = static_cast<u8>(bad[bit / 8] ^ (1U << (bit % 8)));
        host.receive_frame(bad);
        EXPECT_TRUE(host.take().empty()) << "bit " << bit;
        ++refused;
    }
    const Counters& counters = host.stack.counters();
    EXPECT_EQ(counters.of(Drop::TcpBadChecksum) + counters.of(Drop::TcpBadDataOffset) +
                  counters.of(Drop::TcpShort) + counters.of(Drop::TcpBadOption),
              refused);
    EXPECT_GT(counters.of(Drop::TcpBadChecksum), refused * 9 / 10);
    EXPECT_EQ(host.stack.tcp().connection_count(), 0U);
}

/// MUST-57: silence for what was sent to a broadcast address, of IP or of the link.
TEST(Demultiplexer, IsSilentAboutBroadcasts) {
    TcpHost host;
    Listener listener = host.stack.tcp_listener();
    ASSERT_TRUE(listener.listen({Ipv4Address(), kPort}));
    for (const u16 port : {kPort, u16{81}}) {
        TcpHeader header = segment(TcpFlags::kSyn);
        header.destination_port = port;
        PacketBuilder subnet;
        subnet.destination_mac = MacAddress::broadcast();
        subnet.ip.destination = Ipv4Address(10, 0, 255, 255);
        host.receive_frame(subnet.tcp(header).build());
        PacketBuilder link;
        link.destination_mac = MacAddress::broadcast();
        host.receive_frame(link.tcp(header).build());
    }
    EXPECT_TRUE(host.take().empty());
    EXPECT_EQ(host.stack.tcp().connection_count(), 0U);
}

/// MUST-63: a SYN from an address that can be nobody's.
TEST(Demultiplexer, IsSilentAboutImpossibleSources) {
    TcpHost host;
    Listener listener = host.stack.tcp_listener();
    ASSERT_TRUE(listener.listen({Ipv4Address(), kPort}));
    for (const Ipv4Address source :
         {Ipv4Address(255, 255, 255, 255), Ipv4Address(224, 0, 0, 1), Ipv4Address(0, 0, 0, 0),
          Ipv4Address(127, 0, 0, 1), Ipv4Address(10, 0, 255, 255), TcpHost::kUs}) {
        PacketBuilder builder;
        builder.ip.source = source;
        host.receive_frame(builder.tcp(segment(TcpFlags::kSyn)).build());
        EXPECT_TRUE(host.take().empty()) << source.to_string();
    }
    EXPECT_EQ(host.stack.tcp().connection_count(), 0U);
}

/// The connection of the segment before is tried first: only as long as there is one.
TEST(Demultiplexer, ForgetsTheConnectionOfTheSegmentBefore) {
    TcpHost host;
    Listener listener = host.stack.tcp_listener();
    ASSERT_TRUE(listener.listen({Ipv4Address(), kPort}));
    host.receive(segment(TcpFlags::kSyn, 100, 0));
    const u32 ack = host.take().at(0).seq.value() + 1;
    host.receive(segment(TcpFlags::kAck, 101, ack));
    host.receive(segment(TcpFlags::kAck, 101, ack, 1001));
    ASSERT_EQ(host.take().size(), 1U) << "another's, and nobody's: a reset";
    host.receive(segment(TcpFlags::kRst, 101, ack));
    EXPECT_EQ(host.stack.tcp().connection_count(), 0U);
    host.receive(segment(TcpFlags::kAck, 101, ack));
    const auto sent = host.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].flags, TcpFlags::kRst);
    EXPECT_EQ(sent[0].seq, SeqNum(ack));
    host.receive(segment(TcpFlags::kSyn, 100, 0));
    EXPECT_EQ(host.stack.tcp().connection_count(), 1U);
}

TEST(Demultiplexer, SpreadsItsKeysByASecret) {
    const FourTuple tuple{{TcpHost::kUs, 80}, {TcpHost::kPeer, 1000}};
    const FourTupleHash one{{1, 2}};
    const FourTupleHash two{{1, 3}};
    EXPECT_NE(one(tuple), two(tuple));
    EXPECT_EQ(one(tuple), one(tuple));
    EXPECT_NE(one(tuple), one({tuple.local, {TcpHost::kPeer, 1001}}));
    EXPECT_NE(one(tuple), one({tuple.remote, tuple.local}));
}

}  // namespace
}  // namespace tapestry::test
