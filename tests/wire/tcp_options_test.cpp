#include "stack/wire/tcp_options.h"

#include <gtest/gtest.h>

#include "stack/base/rng.h"
#include "tests/wire/bytes.h"

namespace tapestry {
namespace {

TcpOptions parsed(std::string_view hex) {
    const auto options = TcpOptions::parse(from_hex(hex));
    EXPECT_TRUE(options) << hex;
    return options.value_or(TcpOptions{});
}

std::vector<u8> written(const TcpOptions& options) {
    std::array<u8, TcpOptions::kMaxSize> out{};
    const std::size_t n = options.write(out.data());
    EXPECT_EQ(n, options.size());
    return {out.begin(), out.begin() + static_cast<std::ptrdiff_t>(n)};
}

TEST(TcpOptions, ReadsALinuxSyn) {
    const TcpOptions options = parsed("020405b4 0402 080a 00000001 00000002 01 030307");
    EXPECT_EQ(options.mss, 1460);
    EXPECT_TRUE(options.sack_permitted);
    EXPECT_EQ(options.timestamps, (TcpTimestamps{1, 2}));
    EXPECT_EQ(options.window_scale, 7);
    EXPECT_EQ(options.sack_count, 0);
}

TEST(TcpOptions, WritesThemAsLinuxDoes) {
    TcpOptions syn;
    syn.mss = 1460;
    syn.sack_permitted = true;
    syn.timestamps = TcpTimestamps{1, 2};
    syn.window_scale = 7;
    EXPECT_EQ(written(syn), from_hex("020405b4 0402 080a 00000001 00000002 01 030307"));
    syn.timestamps.reset();
    EXPECT_EQ(written(syn), from_hex("020405b4 01 01 0402 01 030307"));
    syn.sack_permitted = false;
    EXPECT_EQ(written(syn), from_hex("020405b4 01 030307"));

    TcpOptions data;
    EXPECT_TRUE(written(data).empty());
    data.timestamps = TcpTimestamps{0x01020304, 0x05060708};
    EXPECT_EQ(written(data), from_hex("0101 080a 01020304 05060708"));
    data.sack_blocks[0] = {SeqNum(0x10), SeqNum(0x20)};
    data.sack_count = 1;
    EXPECT_EQ(written(data), from_hex("0101 080a 01020304 05060708 0101 050a 00000010 00000020"));
}

// RFC 2018 section 3: 4 blocks fill the 40 bytes, and with timestamps there is room for 3.
TEST(TcpOptions, LeavesOutSackBlocksThatDoNotFit) {
    TcpOptions options;
    for (u32 i = 0; i < 4; ++i) options.sack_blocks.at(i) = {SeqNum(i * 10), SeqNum(i * 10 + 5)};
    options.sack_count = 4;
    EXPECT_EQ(written(options).size(), 36U);
    options.timestamps = TcpTimestamps{1, 2};
    EXPECT_EQ(written(options).size(), 40U);
    EXPECT_EQ(options.sack_blocks_that_fit(), 3U);
    options.mss = 1460;
    options.sack_permitted = true;
    EXPECT_EQ(written(options).size(), 36U);
    options.window_scale = 7;
    EXPECT_EQ(written(options).size(), 40U);
    EXPECT_EQ(options.sack_blocks_that_fit(), 2U);
    options.sack_count = 255;
    EXPECT_EQ(written(options).size(), 40U);
}

TEST(TcpOptions, ReadsUpToFourSackBlocks) {
    const TcpOptions options =
        parsed("0101 0522 00000001 00000002 00000003 00000004 00000005 00000006 fffffff0 00000010");
    EXPECT_EQ(options.sack_count, 4);
    EXPECT_EQ(options.sack_blocks[0], (SackBlock{SeqNum(1), SeqNum(2)}));
    EXPECT_EQ(options.sack_blocks[3], (SackBlock{SeqNum(0xfffffff0), SeqNum(0x10)}));
}

TEST(TcpOptions, StepsOverWhatItDoesNotKnow) {
    const TcpOptions options = parsed("fd04f989 1312 000102030405060708090a0b0c0d0e0f 020405b4");
    EXPECT_EQ(options.mss, 1460);
}

TEST(TcpOptions, NothingCountsBehindTheEndOfTheList) {
    EXPECT_EQ(parsed("00 020405b4"), TcpOptions{});
    EXPECT_EQ(parsed("00 02ff"), TcpOptions{}) << "not even what would be refused";
    EXPECT_EQ(TcpOptions::parse(std::vector<u8>(40, 1)), TcpOptions{});
    EXPECT_EQ(TcpOptions::parse(std::vector<u8>(40, 0)), TcpOptions{});
    EXPECT_EQ(TcpOptions::parse({}), TcpOptions{});
}

TEST(TcpOptions, IgnoresOneOfOursWithAWrongLength) {
    for (const char* hex : {"0203 05", "0205 05b400", "0302", "0304 0700", "0403 00",
                            "0809 00000000000000", "080b 000000000000000000", "0502",
                            "0506 00000001", "0512 00000001000000020000000300000004"}) {
        const auto options = TcpOptions::parse(from_hex(hex));
        if (std::string_view(hex).starts_with("0512")) {
            EXPECT_EQ(options->sack_count, 2) << "and takes the right one";
        } else {
            EXPECT_EQ(options, TcpOptions{}) << hex;
        }
    }
}

TEST(TcpOptions, RefusesALengthBelowTwoOrPastTheEnd) {
    for (const char* hex : {"02", "0200", "0201", "020405", "ff00", "fe01", "01 01 01 08",
                            "080a 00000001 000000", "05ff 00000001", "fd03", "020405b4 03"}) {
        EXPECT_EQ(TcpOptions::parse(from_hex(hex)), std::unexpected(Drop::TcpBadOption)) << hex;
    }
}

TEST(TcpOptions, TheLastOfTwoCounts) { EXPECT_EQ(parsed("020405b4 02040200").mss, 512); }

// RFC 7323 2.3 has the user take 14 for anything above it; what was sent can still be seen here.
TEST(TcpOptions, KeepsTheWindowScaleAsSent) { EXPECT_EQ(parsed("0303ff").window_scale, 255); }

TEST(TcpOptions, WhatIsWrittenIsReadBack) {
    SeededRng rng(3);
    for (int round = 0; round < 5000; ++round) {
        TcpOptions options;
        if (rng.below(2) != 0) options.mss = static_cast<u16>(rng.next());
        if (rng.below(2) != 0) options.window_scale = static_cast<u8>(rng.next());
        options.sack_permitted = rng.below(2) != 0;
        if (rng.below(2) != 0) {
            options.timestamps =
                TcpTimestamps{static_cast<u32>(rng.next()), static_cast<u32>(rng.next())};
        }
        options.sack_count = static_cast<u8>(rng.below(5));
        options.sack_count = static_cast<u8>(options.sack_blocks_that_fit());
        for (std::size_t i = 0; i < options.sack_count; ++i) {
            options.sack_blocks.at(i) = {SeqNum(static_cast<u32>(rng.next())),
                                         SeqNum(static_cast<u32>(rng.next()))};
        }
        const auto bytes = written(options);
        ASSERT_EQ(bytes.size() % 4, 0U);
        ASSERT_LE(bytes.size(), TcpOptions::kMaxSize);
        ASSERT_EQ(TcpOptions::parse(bytes), options) << round;
    }
}

TEST(TcpOptions, RandomBytesAreReadOrRefusedAndNothingElse) {
    SeededRng rng(4);
    int refused = 0;
    for (int round = 0; round < 50000; ++round) {
        std::vector<u8> bytes(rng.below(41));
        // Small numbers make kinds and lengths that mean something.
        for (u8& byte : bytes) byte = static_cast<u8>(rng.below(rng.below(2) == 0 ? 12 : 256));
        const auto options = TcpOptions::parse(bytes);
        if (!options) {
            ASSERT_EQ(options.error(), Drop::TcpBadOption);
            ++refused;
        } else {
            ASSERT_LE(options->sack_count, TcpOptions::kMaxSackBlocks);
        }
    }
    EXPECT_GT(refused, 1000);
    EXPECT_LT(refused, 49000);
}

}  // namespace
}  // namespace tapestry
