#include "stack/ip/fragments.h"

#include <algorithm>

#include "tests/ip/fragments_fixture.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

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
    EXPECT_EQ(fragments_.memory(), 0U);
    EXPECT_TRUE(expired_.empty()) << "nothing is said about it";
    EXPECT_EQ(link_.drops(Drop::FragmentTimeout), 0U);
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

}  // namespace
}  // namespace tapestry
