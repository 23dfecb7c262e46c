// Fragments: what is kept for a stranger must be bounded, and what contradicts itself is believed in no
// part (RFC 791 section 3.2, RFC 815, RFC 1122 3.3.2).

#include "tests/hostile/alive.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

class HostileFragments : public HostileIpTest {
protected:
    explicit HostileFragments(const StackConfig& config = HostileHost::quiet())
        : HostileIpTest(config) {}

    const Fragments& kept() { return host_.stack.ipv4().fragments(); }
    static Ipv4Header header(u16 id, IpProtocol protocol = IpProtocol::Icmp,
                             Ipv4Address source = kPeer) {
        Ipv4Header made = ip_header(protocol);
        made.identification = id;
        made.source = source;
        return made;
    }
    /// `size` bytes at `offset`, wherever that is.
    static std::vector<u8> piece(u16 id, u32 offset, std::size_t size, bool more,
                                 IpProtocol protocol = IpProtocol::Icmp,
                                 Ipv4Address source = kPeer) {
        Ipv4Header made = header(id, protocol, source);
        made.fragment_offset = offset;
        made.more_fragments = more;
        return ethernet_frame(EtherType::Ipv4, ip_packet(made, pattern_bytes(size)));
    }
    /// A whole payload cut into pieces of `size` bytes.
    static std::vector<std::vector<u8>> cut(Bytes payload, std::size_t size,
                                            const Ipv4Header& header) {
        std::vector<std::vector<u8>> pieces;
        for (std::size_t at = 0; at < payload.size(); at += size) {
            const std::size_t n = std::min(size, payload.size() - at);
            pieces.push_back(ethernet_frame(
                EtherType::Ipv4, fragment_of(payload, at, n, at + n < payload.size(), header)));
        }
        return pieces;
    }
    /// Takes all fragments of what was sent together again.
    static std::vector<u8> joined(const std::vector<RecordingPort::Sent>& sent) {
        std::vector<u8> whole;
        for (const auto& one : sent) {
            const auto ip = ip_of(one);
            if (!ip || ip->fragment_offset() != whole.size()) continue;
            if (ip->more_fragments()) {
                EXPECT_EQ(ip->payload().size() % 8, 0U);
            }
            whole.insert(whole.end(), ip->payload().begin(), ip->payload().end());
        }
        return whole;
    }
};

TEST_F(HostileFragments, FRG_01_PingOfDeath) {
    EXPECT_TRUE(silently(piece(1, 65512, 1480, false), Drop::FragmentTooLong));
    EXPECT_TRUE(silently(piece(2, 65528, 8, true), Drop::FragmentTooLong));
    EXPECT_EQ(kept().memory(), 2 * Fragments::kDatagramCost) << "remembered, without their data";
}

TEST_F(HostileFragments, FRG_02_Teardrop) {
    EXPECT_TRUE(taken_and_sent(piece(1, 0, 40, true)).empty());
    EXPECT_TRUE(silently(piece(1, 24, 4, false), Drop::FragmentOverlap));
    EXPECT_TRUE(silently(piece(1, 40, 8, false), Drop::FragmentOverlap)) << "nothing heals it";
}

/// Bonk and newtear: the pieces do not meet, and the lengths in the headers tell of another datagram.
TEST_F(HostileFragments, FRG_03_AHoleAndALyingUdpLength) {
    auto datagram = udp_datagram(5000, 7, pattern_bytes(40));
    store_be16(&datagram[UdpView::kLength], 200);
    const auto pieces = cut(datagram, 24, header(1, IpProtocol::Udp));
    host_.feed(pieces[0]);
    EXPECT_TRUE(silently(pieces[1], Drop::UdpBadLength));
    host_.feed(piece(2, 0, 24, true, IpProtocol::Udp));
    EXPECT_TRUE(taken_and_sent(piece(2, 48, 24, false, IpProtocol::Udp)).empty());
    EXPECT_EQ(kept().datagrams(), 1U) << "it waits for what never comes";
}

TEST_F(HostileFragments, FRG_04_AnOverlapOfTheSmallestSize) {
    host_.feed(piece(1, 0, 24, true));
    EXPECT_TRUE(silently(piece(1, 16, 24, false), Drop::FragmentOverlap));
    host_.feed(piece(2, 16, 17, false));
    EXPECT_TRUE(silently(piece(2, 0, 24, true), Drop::FragmentOverlap));
}

/// Rose: the first and the last fragment of 5,000 datagrams that would be 65,000 bytes long.
TEST_F(HostileFragments, FRG_05_FirstAndLastFragmentsOnly) {
    const auto& config = host_.stack.config().ip;
    for (u32 id = 0; id < 5000; ++id) {
        host_.feed(piece(static_cast<u16>(id), 0, 1480, true));
        host_.feed(piece(static_cast<u16>(id), 64000, 1000, false));
        ASSERT_LE(kept().memory(), config.reassembly_memory_per_source);
    }
    EXPECT_GT(host_.drops(Drop::FragmentNoMemory), 4000U);
    const auto whole = echo_request(pattern_bytes(3000));
    for (const auto& one : cut(whole, 1480, header(9999))) host_.feed(one);
    EXPECT_EQ(host_.stack.counters().ip_reassembled, 1U) << "a new one still comes together";
    host_.pass(config.reassembly_timeout);
    EXPECT_EQ(kept().memory(), 0U);
    EXPECT_EQ(kept().datagrams(), 0U);
}

/// FragmentSmack: the smallest pieces, from the end to the beginning and in a row of 64 datagrams.
TEST_F(HostileFragments, FRG_06_TheSmallestPiecesInTheWorstOrder) {
    const u32 limit = host_.stack.config().ip.max_fragments_per_datagram;
    for (u32 i = 0; i < 40000; ++i) {
        const u32 place = 7999 - i / 64 * 3 % 7999;
        host_.feed(piece(static_cast<u16>(i % 64), 8 * place, 8, true));
        ASSERT_LE(kept().memory(), host_.stack.config().ip.reassembly_memory_per_source);
    }
    for (u32 i = 0; i < 8000; ++i) host_.feed(piece(64, 8 * (7999 - i), 8, true));
    EXPECT_GE(host_.drops(Drop::FragmentNoMemory), 1U) << "more than " << limit << " pieces";
    EXPECT_LE(kept().datagrams(), 65U);
}

/// RFC 1858 is for filters; a host puts the halves of a header together and looks at the whole.
TEST_F(HostileFragments, FRG_07_AHeaderInTwoHalves) {
    const auto syn = RawTcp{}.bytes();
    host_.feed_ip(fragment_of(syn, 0, 8, true, header(1, IpProtocol::Tcp)));
    host_.feed_ip(fragment_of(syn, 8, syn.size() - 8, false, header(1, IpProtocol::Tcp)));
    const auto sent = host_.take_segments();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(sent[0].flags, TcpFlags::kSyn | TcpFlags::kAck);
}

/// RFC 3128: the second fragment writes other flags over the first one's.
TEST_F(HostileFragments, FRG_08_AFragmentOverTheFlags) {
    const auto harmless = RawTcp{.flags = TcpFlags::kAck, .text = pattern_bytes(20)}.bytes();
    const auto syn = RawTcp{}.bytes();
    const auto tcp = header(1, IpProtocol::Tcp);
    host_.feed_ip(fragment_of(harmless, 0, 24, true, tcp));
    EXPECT_TRUE(silently_ip(fragment_of(syn, 8, 12, false, tcp), Drop::FragmentOverlap));
    EXPECT_TRUE(taken_and_sent(piece(2, 8, 8, false, IpProtocol::Tcp)).empty()) << "it may wait";
    EXPECT_EQ(host_.stack.counters().tcp_in_segs, 0U);
}

TEST_F(HostileFragments, FRG_09_PiecesThatDoNotEndAtEightBytes) {
    EXPECT_TRUE(silently(piece(1, 0, 1481, true), Drop::FragmentBadLength));
    EXPECT_TRUE(silently(piece(1, 0, 1, true), Drop::FragmentBadLength));
    EXPECT_EQ(kept().datagrams(), 0U);
    // What we send ourselves is cut as it must be.
    const auto whole = echo_request(pattern_bytes(4001));
    for (const auto& one : cut(whole, 1480, header(2))) host_.feed(one);
    EXPECT_EQ(joined(host_.port.take()).size(), whole.size());
}

TEST_F(HostileFragments, FRG_10_EmptyPieces) {
    for (u32 i = 0; i < 20000; ++i) host_.feed(piece(1, 8 * (i % 8192), 0, true));
    EXPECT_EQ(host_.drops(Drop::FragmentBadLength), 20000U);
    EXPECT_EQ(kept().datagrams(), 0U);
}

TEST_F(HostileFragments, FRG_11_EveryPieceFiveTimes) {
    const auto datagram = udp_datagram(5000, 7, pattern_bytes(4000));
    const auto pieces = cut(datagram, 1480, header(1, IpProtocol::Udp));
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        // Once the datagram is whole, one more would begin another.
        const bool last = i + 1 == pieces.size();
        for (int times = 0; times < (last ? 1 : 5); ++times) host_.feed(pieces[i]);
    }
    EXPECT_EQ(joined(host_.port.take()).size(), datagram.size());
    EXPECT_EQ(host_.stack.counters().udp_in_datagrams, 1U);
    EXPECT_EQ(host_.all_drops(), 0U);
}

TEST_F(HostileFragments, FRG_12_TheSameNumberFromOthers) {
    const Ipv4Address other(10, 0, 0, 3);
    host_.interface->arp().add_static(other, kPeerMac, host_.now);
    const auto ours = udp_datagram(5000, 7, pattern_bytes(100, 1));
    const auto theirs = udp_datagram(5000, 7, pattern_bytes(100, 2), other);
    const auto echo = echo_request(pattern_bytes(100, 3));
    const auto a = cut(ours, 56, header(7, IpProtocol::Udp));
    const auto b = cut(theirs, 56, header(7, IpProtocol::Udp, other));
    const auto c = cut(echo, 56, header(7));
    for (const std::size_t i : {0U, 1U}) {
        for (const auto* pieces : {&a, &b, &c}) host_.feed((*pieces)[i]);
    }
    const auto sent = host_.port.take();
    ASSERT_EQ(sent.size(), 3U);
    EXPECT_EQ(copy_of(ip_of(sent[0])->payload().subspan(8)), pattern_bytes(100, 1));
    EXPECT_EQ(copy_of(ip_of(sent[1])->payload().subspan(8)), pattern_bytes(100, 2));
    EXPECT_EQ(ip_of(sent[1])->destination(), other);
    EXPECT_EQ(copy_of(icmp_of(sent[2])->payload()), pattern_bytes(100, 3));
}

TEST_F(HostileFragments, FRG_13_TwoEnds) {
    host_.feed(piece(1, 80, 8, false));
    EXPECT_TRUE(silently(piece(1, 160, 8, false), Drop::FragmentOverlap));
    host_.feed(piece(2, 160, 8, false));
    EXPECT_TRUE(silently(piece(2, 80, 8, false), Drop::FragmentOverlap));
}

TEST_F(HostileFragments, FRG_14_DataBehindTheEnd) {
    host_.feed(piece(1, 1000, 1000, false));
    EXPECT_TRUE(silently(piece(1, 3000, 8, true), Drop::FragmentOverlap));
    EXPECT_TRUE(silently(piece(1, 0, 1000, true), Drop::FragmentOverlap));
}

/// Every fragment has a header of its own length; the first one's is the datagram's.
TEST_F(HostileFragments, FRG_15_HeadersOfDifferentLengths) {
    const auto whole = echo_request(pattern_bytes(72));
    Ipv4Header first = header(1);
    first.more_fragments = true;
    host_.feed_ip(ip_packet_with_options(first, std::vector<u8>(40, 1), Bytes(whole).first(40)));
    const auto sent = taken_and_sent(
        ethernet_frame(EtherType::Ipv4, fragment_of(whole, 40, 40, false, header(1))));
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(copy_of(icmp_of(sent[0])->payload()), pattern_bytes(72));
    // The packet ends within the header that it says it has.
    auto bad = ip_packet_with_options(first, std::vector<u8>(40, 1), Bytes(whole).first(40));
    EXPECT_TRUE(silently_ip(patched(bad, {{2, 0}, {3, 40}}), Drop::Ipv4BadTotalLength));
}

class HostileSmallFragments : public HostileFragments {
protected:
    HostileSmallFragments() : HostileFragments(small()) {}
    static StackConfig small() {
        StackConfig config = HostileHost::quiet();
        config.ip.reassembly_memory = 3000;
        config.ip.reassembly_memory_per_source = 3000;
        return config;
    }
};

TEST_F(HostileSmallFragments, FRG_16_MoreThanThereIsRoomFor) {
    EXPECT_TRUE(silently(piece(1, 0, 4000, true), Drop::FragmentNoMemory));
    for (u16 id = 2; id < 200; ++id) {
        host_.feed(piece(id, 0, 1480, true));
        host_.feed(piece(id, 1480, 1480, true));  // takes the place of its own beginning, or none
        host_.feed(piece(static_cast<u16>(id - 1), 1480, 8, false));
        ASSERT_LE(kept().memory(), 3000U);
    }
    host_.pass(61s);
    EXPECT_EQ(kept().memory(), 0U);
}

TEST_F(HostileFragments, FRG_17_TheLargestDatagramAndOneByteMore) {
    const auto largest = udp_datagram(5000, 7, pattern_bytes(65507));
    for (const auto& one : cut(largest, 1480, header(1, IpProtocol::Udp))) host_.feed(one);
    const auto back = joined(host_.port.take());
    ASSERT_EQ(back.size(), largest.size());
    EXPECT_TRUE(std::equal(back.begin() + 8, back.end(), largest.begin() + 8));
    // 20 bytes of header and 65,516 of data.
    EXPECT_TRUE(taken_and_sent(piece(2, 0, 1480, true)).empty());
    EXPECT_TRUE(silently(piece(2, 65512, 4, false), Drop::FragmentTooLong));
}

/// RFC 1122 3.3.2: the sender is told, once, and only if the beginning was there.
TEST_F(HostileFragments, FRG_18_TheRestNeverComes) {
    const auto beginning = piece(1, 0, 1480, true);
    host_.feed(beginning);
    host_.feed(piece(2, 1480, 8, false));
    host_.pass(host_.stack.config().ip.reassembly_timeout - 1ms);
    EXPECT_TRUE(host_.port.take().empty());
    host_.pass(1ms);
    const auto sent = host_.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(icmp_of(sent[0])->type(), IcmpType::TimeExceeded);
    EXPECT_EQ(icmp_of(sent[0])->code(), 1);
    EXPECT_EQ(host_.drops(Drop::FragmentTimeout), 2U);
    EXPECT_EQ(kept().memory(), 0U);
    host_.pass(120s);
    EXPECT_TRUE(host_.port.take().empty());
}

TEST_F(HostileFragments, FRG_19_FragmentsToEverybody) {
    for (const u32 offset : {0U, 8U}) {
        Ipv4Header made = header(static_cast<u16>(1 + offset));
        made.destination = Ipv4Address(10, 0, 0, 255);
        made.fragment_offset = offset;
        made.more_fragments = true;
        host_.feed_ip(ip_packet(made, pattern_bytes(80)), MacAddress::broadcast());
    }
    host_.pass(61s);
    EXPECT_EQ(host_.drops(Drop::FragmentTimeout), 2U);
    EXPECT_TRUE(host_.port.take().empty()) << "no error about what was for everybody";
}

TEST_F(HostileFragments, FRG_20_BytesBehindTheFragment) {
    const auto datagram = udp_datagram(5000, 7, pattern_bytes(100));
    for (auto frame : cut(datagram, 56, header(1, IpProtocol::Udp))) {
        frame.resize(frame.size() + 40, 0xaa);
        host_.feed(frame);
    }
    const auto back = joined(host_.port.take());
    ASSERT_EQ(back.size(), datagram.size());
    EXPECT_TRUE(std::equal(back.begin() + 8, back.end(), datagram.begin() + 8));
}

/// 200 strangers begin datagrams that they never end; in between a good neighbour's four fragments, each
/// a hundredth of a second after the one before.
TEST_F(HostileFragments, FRG_21_AGoodNeighbourInAFlood) {
    u32 good = 0;
    u32 flood = 0;
    for (u16 turn = 0; turn < 50; ++turn) {
        const auto datagram = udp_datagram(5000, 7, pattern_bytes(4800, turn));
        for (const auto& one : cut(datagram, 1480, header(turn, IpProtocol::Udp))) {
            for (int i = 0; i < 100; ++i, ++flood) {
                host_.feed(piece(static_cast<u16>(flood), 0, 1480, true, IpProtocol::Udp,
                                 Ipv4Address(10, 0, 0, static_cast<u8>(20 + flood % 200))));
            }
            host_.pass(10ms);
            host_.feed(one);
        }
        if (joined(host_.port.take()).size() == datagram.size()) ++good;
    }
    EXPECT_GE(good, 45U);
    EXPECT_LE(kept().memory(), host_.stack.config().ip.reassembly_memory);
    EXPECT_GT(host_.drops(Drop::FragmentNoMemory), 10000U);
}

TEST_F(HostileFragments, FRG_22_ABitChangedInTheLastFragment) {
    const auto datagram = udp_datagram(5000, 7, pattern_bytes(100));
    auto pieces = cut(datagram, 56, header(1, IpProtocol::Udp));
    pieces[1].back() ^= 1;
    host_.feed(pieces[0]);
    EXPECT_TRUE(silently(pieces[1], Drop::UdpBadChecksum));
}

}  // namespace
}  // namespace tapestry
