#include "stack/wire/checksum.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "stack/base/rng.h"
#include "tests/wire/bytes.h"

namespace tapestry {
namespace {

/// RFC 1071 section 1 word by word: nothing clever, to be believed at sight.
u16 reference_sum(Bytes data) {
    u32 sum = 0;
    for (std::size_t i = 0; i < data.size(); ++i) {
        sum += i % 2 == 0 ? u32{data[i]} << 8 : u32{data[i]};
        if (sum > 0xffff) sum -= 0xffff;
    }
    return static_cast<u16>(sum);
}

std::vector<u8> random_bytes(SeededRng& rng, std::size_t n) {
    std::vector<u8> bytes(n);
    std::generate(bytes.begin(), bytes.end(), [&] { return static_cast<u8>(rng.next()); });
    return bytes;
}

TEST(Checksum, TheExampleOfRfc1071) {
    // Section 3: the words 0001 f203 f4f5 f6f7 sum up to ddf2.
    const auto bytes = from_hex("00 01 f2 03 f4 f5 f6 f7");
    ChecksumAdder adder;
    adder.add(bytes);
    EXPECT_EQ(adder.sum(), 0xddf2);
    EXPECT_EQ(internet_checksum(bytes), static_cast<u16>(~0xddf2));
}

TEST(Checksum, OfNothingAndOfZeros) {
    EXPECT_EQ(internet_checksum({}), 0xffff);
    EXPECT_EQ(internet_checksum(std::vector<u8>(31)), 0xffff);
    EXPECT_EQ(internet_checksum(from_hex("ff ff")), 0);
    EXPECT_EQ(internet_checksum(std::vector<u8>(65536, 0xff)), 0);
    EXPECT_EQ(internet_checksum(from_hex("12")), static_cast<u16>(~0x1200));
}

TEST(Checksum, EqualsTheReferenceAtEveryLengthAndAlignment) {
    SeededRng rng(1);
    const auto bytes = random_bytes(rng, 300);
    for (std::size_t start = 0; start < 9; ++start) {
        for (std::size_t n = 0; n + start <= bytes.size(); ++n) {
            const Bytes piece = Bytes(bytes).subspan(start, n);
            ASSERT_EQ(internet_checksum(piece), static_cast<u16>(~reference_sum(piece)))
                << start << ' ' << n;
        }
    }
    for (std::size_t start = 0; start < 200; ++start) {
        const auto header = Bytes(bytes).subspan(start).first<20>();
        ASSERT_EQ(header_checksum(header), internet_checksum(header)) << start;
    }
    const auto large = random_bytes(rng, 70001);
    EXPECT_EQ(internet_checksum(large), static_cast<u16>(~reference_sum(large)));
}

TEST(Checksum, PiecesOfAnyLengthsGiveTheSumOfTheWhole) {
    SeededRng rng(2);
    for (int round = 0; round < 2000; ++round) {
        const auto bytes = random_bytes(rng, rng.below(200));
        ChecksumAdder adder;
        for (Bytes rest = bytes; !rest.empty();) {
            const std::size_t n = std::min<std::size_t>(rest.size(), rng.below(12));
            // Numbers may stand on odd boundaries, too.
            if (n == 2) {
                adder.add_be16(load_be16(rest.data()));
            } else if (n == 4) {
                adder.add_be32(load_be32(rest.data()));
            } else {
                adder.add(rest.first(n));
            }
            rest = rest.subspan(n);
        }
        ASSERT_EQ(adder.sum(), reference_sum(bytes)) << round;
    }
}

TEST(Checksum, PseudoHeader) {
    const auto header = from_hex("c0a8030a c0a80301 00 06 0014");
    EXPECT_EQ(pseudo_header(Ipv4Address(192, 168, 3, 10), Ipv4Address(192, 168, 3, 1), 6, 20).sum(),
              reference_sum(header));
    // A super-frame's length does not fit in 16 bits; the sum takes all of it.
    EXPECT_EQ(pseudo_header(Ipv4Address(), Ipv4Address(), 6, 0x00012345).sum(), 6 + 1 + 0x2345);
}

TEST(UpdateChecksum, EqualsAFullComputationForEveryValueOfAWord) {
    for (const u16 rest : {u16{0x0001}, u16{0x8000}, u16{0xfffe}, u16{0xffff}, u16{0x1234}}) {
        std::array<u8, 4> data{};
        store_be16(&data[2], rest);
        for (const u16 from :
             {u16{0}, u16{1}, u16{0x7fff}, u16{0x8000}, u16{0xfffe}, u16{0xffff}}) {
            store_be16(data.data(), from);
            const u16 before = internet_checksum(data);
            for (u32 to = 0; to <= 0xffff; ++to) {
                store_be16(data.data(), static_cast<u16>(to));
                ASSERT_EQ(update_checksum(before, from, static_cast<u16>(to)),
                          internet_checksum(data))
                    << rest << ' ' << from << ' ' << to;
            }
        }
        for (u32 from = 0; from <= 0xffff; ++from) {
            store_be16(data.data(), static_cast<u16>(from));
            const u16 before = internet_checksum(data);
            for (const u16 to : {u16{0}, u16{0xffff}, u16{0x5555}}) {
                store_be16(data.data(), to);
                ASSERT_EQ(update_checksum(before, static_cast<u16>(from), to),
                          internet_checksum(data))
                    << rest << ' ' << from << ' ' << to;
            }
        }
    }
}

// RFC 1624 section 4: with the older equation the header of this example would get 0x0000.
TEST(UpdateChecksum, TheExampleOfRfc1624) {
    EXPECT_EQ(update_checksum(0xdd2f, 0x5555, 0x3285), 0x0000);
}

}  // namespace
}  // namespace tapestry
