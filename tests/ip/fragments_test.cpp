#include "stack/ip/fragments.h"

#include <algorithm>

#include "tests/support/ip_host.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

/// Fragments of UDP datagrams from the peer, straight into the reassembly.
class FragmentsTest : public testing::Test, private Fragments::Listener {
protected:
    explicit FragmentsTest(const StackConfig& config = IpHost::quiet())
        : link_(config), fragments_(link_.services, *this) {}

    LinkHost link_;
    Fragments fragments_;
    Ipv4Header header_ = ip_header(IpProtocol::Udp);
    std::vector<u8> data_ = pattern_bytes(65535);
    std::vector<std::vector<u8>> expired_;

    /// Bytes [from, from + size) of data_.
    std::expected<std::optional<std::vector<u8>>, Drop> piece(u32 from, u32 size, bool more) {
        return piece_of(data_, from, size, more);
    }
    std::expected<std::optional<std::vector<u8>>, Drop> piece_of(const std::vector<u8>& data,
                                                                 u32 from, u32 size, bool more) {
        Ipv4Header header = header_;
        header.fragment_offset = from;
        header.more_fragments = more;
        return add(ip_packet(header, Bytes(data).subspan(from, size)));
    }
    std::expected<std::optional<std::vector<u8>>, Drop> add(const std::vector<u8>& packet) {
        const auto view = Ipv4View::parse(packet);
        EXPECT_TRUE(view);
        const auto result = fragments_.add(*view, false, link_.now);
        if (!result) return std::unexpected(result.error());
        if (!*result) return std::nullopt;
        return copy_of(**result);
    }
    /// The datagram is whole and is the first `size` bytes of data_.
    testing::AssertionResult whole(
        const std::expected<std::optional<std::vector<u8>>, Drop>& result, u32 size) {
        if (!result) return testing::AssertionFailure() << "refused: " << name(result.error());
        if (!*result) return testing::AssertionFailure() << "not complete";
        const auto view = Ipv4View::parse(**result);
        if (!view) return testing::AssertionFailure() << "bad header: " << name(view.error());
        if (view->is_fragment()) return testing::AssertionFailure() << "still a fragment";
        if (!std::ranges::equal(view->payload(), Bytes(data_).first(size))) {
            return testing::AssertionFailure() << "other bytes";
        }
        return testing::AssertionSuccess();
    }
    static bool pending(const std::expected<std::optional<std::vector<u8>>, Drop>& result) {
        return result && !*result;
    }

private:
    void reassembly_expired(Bytes first, bool, TimePoint) override {
        expired_.push_back(copy_of(first));
    }
};

TEST_F(FragmentsTest, InOrder) {
    EXPECT_TRUE(pending(piece(0, 16, true)));
    EXPECT_TRUE(pending(piece(16, 8, true)));
    EXPECT_TRUE(whole(piece(24, 5, false), 29));
    EXPECT_EQ(fragments_.datagrams(), 0U);
    EXPECT_EQ(fragments_.memory(), 0U);
    EXPECT_EQ(link_.services.counters.ip_reassembled, 1U);
    EXPECT_FALSE(link_.services.timers.next_deadline());
}

TEST_F(FragmentsTest, EveryOrderOfFourWithDuplicates) {
    struct Cut {
        u32 from, size;
        bool more;
    };
    const std::array<Cut, 4> cuts = {{{0, 8, true}, {8, 24, true}, {32, 16, true}, {48, 3, false}}};
    std::array<int, 4> order = {0, 1, 2, 3};
    int permutations = 0;
    do {
        std::expected<std::optional<std::vector<u8>>, Drop> last;
        for (int i = 0; i < 4; ++i) {
            const Cut& cut = cuts[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])];
            last = piece(cut.from, cut.size, cut.more);
            if (i < 3) {
                EXPECT_TRUE(pending(last));
                EXPECT_TRUE(pending(piece(cut.from, cut.size, cut.more))) << "a duplicate";
            }
        }
        EXPECT_TRUE(whole(last, 51));
        EXPECT_EQ(fragments_.memory(), 0U);
        ++permutations;
    } while (std::next_permutation(order.begin(), order.end()));
    EXPECT_EQ(permutations, 24);
}

TEST_F(FragmentsTest, LargestDatagram) {
    constexpr u32 kSize = 65515;
    for (u32 from = 0; from + 1480 < kSize; from += 1480) {
        EXPECT_TRUE(pending(piece(from, 1480, true)));
    }
    const u32 last = kSize / 1480 * 1480;
    EXPECT_TRUE(whole(piece(last, kSize - last, false), kSize));
}

TEST_F(FragmentsTest, OneBytePast65535RefusesTheWhole) {
    EXPECT_TRUE(pending(piece(0, 1480, true)));
    const u32 last = 65515 / 8 * 8;
    EXPECT_TRUE(refused_as(piece(last, 65516 - last, false), Drop::FragmentTooLong));
    EXPECT_TRUE(refused_as(piece(1480, 1480, true), Drop::FragmentOverlap)) << "still ignored";
}

TEST_F(FragmentsTest, PingOfDeath) {
    Ipv4Header header = header_;
    header.fragment_offset = 8189 * 8;
    EXPECT_TRUE(
        refused_as(add(ip_packet(header, Bytes(data_).first(1480))), Drop::FragmentTooLong));
    EXPECT_EQ(fragments_.memory(), Fragments::kDatagramCost);
}

TEST_F(FragmentsTest, OptionsOfTheFirstFragmentCountForTheSize) {
    // 65515 bytes of data fit behind a header of 20 bytes, not behind one of 60.
    header_.more_fragments = true;
    EXPECT_TRUE(pending(
        add(ip_packet_with_options(header_, std::vector<u8>(40, 1), Bytes(data_).first(1480)))));
    constexpr u32 kSize = 65515;
    std::expected<std::optional<std::vector<u8>>, Drop> last;
    for (u32 from = 1480; from < kSize; from += 1480) {
        last = piece(from, std::min(1480U, kSize - from), from + 1480 < kSize);
    }
    EXPECT_TRUE(refused_as(last, Drop::FragmentTooLong));
}

TEST_F(FragmentsTest, HeaderIsTheFirstFragments) {
    Ipv4Header header = header_;
    header.fragment_offset = 16;
    header.ttl = 9;
    EXPECT_TRUE(
        pending(add(ip_packet_with_options(header, {7, 3, 4}, Bytes(data_).subspan(16, 4)))));
    header.fragment_offset = 0;
    header.ttl = 33;
    header.more_fragments = true;
    const auto result =
        add(ip_packet_with_options(header, std::vector<u8>(8, 1), Bytes(data_).first(16)));
    EXPECT_TRUE(whole(result, 20));
    const auto view = Ipv4View::parse(**result);
    EXPECT_EQ(view->header_size(), 28U);
    EXPECT_EQ(view->ttl(), 33);
}

TEST_F(FragmentsTest, MiddleFragmentOfOddLengthIsRefusedAlone) {
    EXPECT_TRUE(pending(piece(0, 16, true)));
    EXPECT_TRUE(refused_as(piece(16, 9, true), Drop::FragmentBadLength));
    EXPECT_TRUE(pending(piece(16, 8, true)));
    EXPECT_TRUE(whole(piece(24, 1, false), 25));
}

TEST_F(FragmentsTest, EmptyFragmentsCostNothing) {
    for (u32 from = 0; from < 65528; from += 8) {
        EXPECT_TRUE(refused_as(piece(from, 0, true), Drop::FragmentBadLength));
    }
    EXPECT_TRUE(refused_as(piece(8, 0, false), Drop::FragmentBadLength));
    EXPECT_EQ(fragments_.datagrams(), 0U);
}

TEST_F(FragmentsTest, DuplicateWithOtherBytesRefusesTheWhole) {
    EXPECT_TRUE(pending(piece(0, 16, true)));
    auto other = data_;
    other[3] ^= 1;
    EXPECT_TRUE(refused_as(piece_of(other, 0, 16, true), Drop::FragmentOverlap));
    EXPECT_TRUE(refused_as(piece(16, 8, false), Drop::FragmentOverlap));
    EXPECT_EQ(fragments_.memory(), Fragments::kDatagramCost);
}

struct Overlap {
    const char* what;
    u32 from, size;
    bool more;
};
class FragmentOverlapTest : public FragmentsTest, public testing::WithParamInterface<Overlap> {};

// Bytes 16 to 48 and 64 to 80 are there.
TEST_P(FragmentOverlapTest, RefusesTheWhole) {
    EXPECT_TRUE(pending(piece(16, 32, true)));
    EXPECT_TRUE(pending(piece(64, 16, true)));
    const Overlap& bad = GetParam();
    EXPECT_TRUE(refused_as(piece(bad.from, bad.size, bad.more), Drop::FragmentOverlap));
    EXPECT_TRUE(refused_as(piece(0, 16, true), Drop::FragmentOverlap)) << "ignored for a while";
    EXPECT_EQ(fragments_.memory(), Fragments::kDatagramCost) << "the pieces are freed";
    link_.pass(60s);
    EXPECT_EQ(fragments_.datagrams(), 0U);
    EXPECT_TRUE(expired_.empty()) << "nothing is said about it";
    EXPECT_TRUE(pending(piece(0, 16, true))) << "the identification can be used again";
}

INSTANTIATE_TEST_SUITE_P(Fragments, FragmentOverlapTest,
                         testing::Values(Overlap{"over_the_left_edge", 8, 16, true},
                                         Overlap{"over_the_right_edge", 40, 16, true},
                                         Overlap{"by_one_byte", 8, 9, false},
                                         Overlap{"inside", 24, 8, true},
                                         Overlap{"around", 8, 48, true},
                                         Overlap{"same_start_shorter", 16, 16, true},
                                         Overlap{"same_start_longer", 16, 40, true},
                                         Overlap{"over_the_gap", 40, 32, true},
                                         Overlap{"around_everything", 0, 128, true},
                                         Overlap{"last_that_ends_before_known_data", 56, 4, false},
                                         Overlap{"last_that_is_a_known_middle", 64, 16, false}),
                         [](const auto& one) { return std::string(one.param.what); });

TEST_F(FragmentsTest, TwoDifferentEndsRefuseTheWhole) {
    EXPECT_TRUE(pending(piece(16, 8, false)));
    EXPECT_TRUE(refused_as(piece(24, 4, false), Drop::FragmentOverlap));
    EXPECT_TRUE(refused_as(piece(0, 16, true), Drop::FragmentOverlap));
}

TEST_F(FragmentsTest, DataPastTheEndRefuseTheWhole) {
    EXPECT_TRUE(pending(piece(16, 8, false)));
    EXPECT_TRUE(refused_as(piece(24, 8, true), Drop::FragmentOverlap));
}

TEST_F(FragmentsTest, LastFragmentAgainAsAMiddleOneRefusesTheWhole) {
    EXPECT_TRUE(pending(piece(16, 8, false)));
    EXPECT_TRUE(refused_as(piece(16, 8, true), Drop::FragmentOverlap));
}

TEST_F(FragmentsTest, DatagramsAreToldApartByAllFourFields) {
    struct Kind {
        Ipv4Address source;
        Ipv4Address destination;
        u8 protocol;
        u16 id;
    };
    const std::array<Kind, 5> kinds = {{{kPeer, kUs, 17, 7},
                                        {Ipv4Address(10, 0, 0, 5), kUs, 17, 7},
                                        {kPeer, Ipv4Address(10, 0, 0, 255), 17, 7},
                                        {kPeer, kUs, 1, 7},
                                        {kPeer, kUs, 17, 8}}};
    const auto use = [&](const Kind& kind) {
        header_.source = kind.source;
        header_.destination = kind.destination;
        header_.protocol = static_cast<IpProtocol>(kind.protocol);
        header_.identification = kind.id;
    };
    for (const Kind& kind : kinds) {
        use(kind);
        EXPECT_TRUE(pending(piece(0, 16, true)));
    }
    EXPECT_EQ(fragments_.datagrams(), 5U);
    for (const Kind& kind : kinds) {
        use(kind);
        EXPECT_TRUE(whole(piece(16, 3, false), 19));
    }
}

TEST_F(FragmentsTest, TimeOutOnceAfterSixtySeconds) {
    piece(0, 1480, true);
    link_.pass(30s);
    piece(2960, 100, false);  // does not start the time anew
    link_.pass(29999ms);
    EXPECT_TRUE(expired_.empty());
    link_.pass(1ms);
    ASSERT_EQ(expired_.size(), 1U);
    EXPECT_TRUE(std::ranges::equal(Bytes(expired_[0]).subspan(20), Bytes(data_).first(1480)));
    EXPECT_EQ(fragments_.datagrams(), 0U);
    EXPECT_EQ(fragments_.memory(), 0U);
    EXPECT_EQ(link_.drops(Drop::FragmentTimeout), 1U);
    link_.pass(600s);
    EXPECT_EQ(expired_.size(), 1U);
}

TEST_F(FragmentsTest, TimeOutWithoutTheFirstFragmentSaysNothing) {
    piece(1480, 100, false);
    link_.pass(60s);
    EXPECT_TRUE(expired_.empty());
    EXPECT_EQ(link_.drops(Drop::FragmentTimeout), 1U);
    EXPECT_EQ(fragments_.datagrams(), 0U);
}

class SmallFragments : public FragmentsTest {
protected:
    SmallFragments() : FragmentsTest(config()) {}
    static StackConfig config() {
        StackConfig config = IpHost::quiet();
        config.ip.reassembly_memory = 10000;
        config.ip.reassembly_memory_per_source = 5000;
        config.ip.max_fragments_per_datagram = 6;
        return config;
    }
};

TEST_F(SmallFragments, OldestOfTheSameSourceGoesAtItsLimit) {
    for (u16 id = 1; id <= 4; ++id) {
        header_.identification = id;
        EXPECT_TRUE(pending(piece(0, 800, true)));
    }
    EXPECT_EQ(fragments_.datagrams(), 4U);
    header_.identification = 5;
    EXPECT_TRUE(pending(piece(0, 800, true)));
    EXPECT_EQ(fragments_.datagrams(), 4U);
    EXPECT_EQ(link_.drops(Drop::FragmentNoMemory), 1U);
    EXPECT_LE(fragments_.memory(), 5000U);
    header_.identification = 2;
    EXPECT_TRUE(whole(piece(800, 10, false), 810)) << "younger ones are kept";
}

TEST_F(SmallFragments, FloodOfOneSourceLeavesAnotherAlone) {
    header_.source = Ipv4Address(10, 0, 0, 99);
    EXPECT_TRUE(pending(piece(0, 800, true)));
    header_.source = kPeer;
    for (u16 id = 0; id < 10000; ++id) {
        header_.identification = id;
        piece(0, 800, true);
        ASSERT_LE(fragments_.memory(), 10000U);
    }
    header_.identification = 0;
    header_.source = Ipv4Address(10, 0, 0, 99);
    EXPECT_TRUE(whole(piece(800, 10, false), 810));
}

TEST_F(SmallFragments, OldestOfAllGoesAtTheTotalLimit) {
    for (u8 i = 1; i <= 30; ++i) {
        header_.source = Ipv4Address(10, 0, 0, i);
        EXPECT_TRUE(pending(piece(0, 800, true)));
        EXPECT_LE(fragments_.memory(), 10000U);
    }
    header_.source = Ipv4Address(10, 0, 0, 30);
    EXPECT_TRUE(whole(piece(800, 10, false), 810));
    header_.source = Ipv4Address(10, 0, 0, 1);
    EXPECT_TRUE(pending(piece(800, 10, false))) << "it had to go";
}

TEST_F(SmallFragments, DatagramThatDoesNotFitAloneIsRefused) {
    EXPECT_TRUE(pending(piece(0, 1480, true)));
    EXPECT_TRUE(pending(piece(1480, 1480, true)));
    EXPECT_TRUE(refused_as(piece(2960, 1480, true), Drop::FragmentNoMemory));
    EXPECT_EQ(fragments_.memory(), Fragments::kDatagramCost);
}

TEST_F(SmallFragments, NumberOfFragmentsIsBounded) {
    for (u32 i = 0; i < 6; ++i) EXPECT_TRUE(pending(piece(i * 16, 8, true)));
    EXPECT_TRUE(refused_as(piece(6 * 16, 8, true), Drop::FragmentNoMemory));
    EXPECT_TRUE(refused_as(piece(8, 8, true), Drop::FragmentOverlap));
}

TEST_F(FragmentsTest, RoseAttackStaysBoundedAndAGoodDatagramGetsThrough) {
    for (u16 id = 0; id < 20000; ++id) {
        header_.identification = id;
        header_.source = Ipv4Address(0x0a000100U + id % 64);
        piece(0, 8, true);
        piece(65000, 8, false);
        ASSERT_LE(fragments_.memory(), link_.services.config.ip.reassembly_memory);
    }
    header_.source = kPeer;
    EXPECT_TRUE(pending(piece(0, 1480, true)));
    EXPECT_TRUE(whole(piece(1480, 20, false), 1500));
    link_.pass(61s);
    EXPECT_EQ(fragments_.memory(), 0U);
    EXPECT_FALSE(link_.services.timers.next_deadline());
}

// ---- through IPv4 -----------------------------------------------------------------------------

TEST(FragmentsThroughIpv4, EchoOfTheLargestSizeComesBackWhole) {
    IpHost host;
    const auto data = pattern_bytes(65507);
    const auto request = echo_request(data);
    Ipv4Header header = ip_header(IpProtocol::Icmp);
    header.identification = 99;
    for (u32 from = 0; from < request.size(); from += 1480) {
        header.fragment_offset = from;
        const auto size = std::min<std::size_t>(1480, request.size() - from);
        header.more_fragments = from + size < request.size();
        EXPECT_TRUE(taken(host.receive_ip(header, Bytes(request).subspan(from, size))));
    }
    std::vector<u8> reply;
    for (const auto& sent : host.port.sent) {
        const auto packet = ip_of(sent);
        ASSERT_TRUE(packet);
        reply.insert(reply.end(), packet->payload().begin(), packet->payload().end());
    }
    const auto message = IcmpView::parse(reply);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->type(), IcmpType::EchoReply);
    EXPECT_EQ(copy_of(message->payload()), data);
}

TEST(FragmentsThroughIpv4, PaddingOfTheFrameIsNotData) {
    IpHost host;
    const auto request = echo_request(pattern_bytes(24));
    Ipv4Header header = ip_header(IpProtocol::Icmp);
    header.more_fragments = true;
    auto first = ip_packet(header, Bytes(request).first(16));
    first.resize(46, 0xaa);
    EXPECT_TRUE(taken(host.receive_packet(first)));
    header.more_fragments = false;
    header.fragment_offset = 16;
    auto last = ip_packet(header, Bytes(request).subspan(16));
    last.resize(46, 0xaa);
    EXPECT_TRUE(taken(host.receive_packet(last)));
    ASSERT_EQ(host.port.sent.size(), 1U);
    EXPECT_EQ(copy_of(icmp_of(host.port.sent[0])->payload()), pattern_bytes(24));
}

TEST(FragmentsThroughIpv4, DamagedDatagramFailsItsChecksum) {
    IpHost host;
    auto request = echo_request(pattern_bytes(24));
    request.back() ^= 1;
    Ipv4Header header = ip_header(IpProtocol::Icmp);
    header.more_fragments = true;
    Offload verified;
    verified.checksum = Offload::Checksum::Verified;
    host.receive_packet(ip_packet(header, Bytes(request).first(16)), kOurMac, verified);
    header.more_fragments = false;
    header.fragment_offset = 16;
    EXPECT_TRUE(refused_as(
        host.receive_packet(ip_packet(header, Bytes(request).subspan(16)), kOurMac, verified),
        Drop::IcmpBadChecksum));
}

TEST(FragmentsThroughIpv4, TimeoutIsReportedWithCodeOneAboutTheFirstFragment) {
    IpHost host;
    Ipv4Header header = ip_header(IpProtocol::Udp);
    header.more_fragments = true;
    const auto data = pattern_bytes(1480);
    host.receive_ip(header, data);
    host.pass(60s);
    const auto sent = host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    const auto message = icmp_of(sent[0]);
    ASSERT_TRUE(message);
    EXPECT_EQ(message->type(), IcmpType::TimeExceeded);
    EXPECT_EQ(message->code(), 1);
    const auto first = ip_packet(header, data);
    EXPECT_EQ(copy_of(message->payload()), copy_of(Bytes(first).first(548)));
    host.pass(600s);
    EXPECT_TRUE(host.port.take().empty());
}

TEST(FragmentsThroughIpv4, TimeoutOfABroadcastIsNotReported) {
    IpHost host;
    Ipv4Header header = ip_header(IpProtocol::Udp);
    header.destination = Ipv4Address(10, 0, 0, 255);
    header.more_fragments = true;
    EXPECT_TRUE(taken(host.receive_ip(header, pattern_bytes(1480), MacAddress::broadcast())));
    host.pass(60s);
    EXPECT_TRUE(host.port.take().empty());
    EXPECT_EQ(host.drops(Drop::FragmentTimeout), 1U);
}

}  // namespace
}  // namespace tapestry
