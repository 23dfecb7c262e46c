#include "stack/base/siphash.h"

#include <gtest/gtest.h>

#include <vector>

namespace tapestry {
namespace {

// The vectors that come with the reference implementation: key 00 01 ... 0f, message 00 01 ... n-1.
TEST(SipHash, GivesTheReferenceVectors) {
    const SipKey key{0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};
    const std::array<u64, 10> expected{
        0x726fdb47dd0e0e31ULL, 0x74f839c593dc67fdULL, 0x0d6c8009d9a94f5aULL, 0x85676696d7fb7e2dULL,
        0xcf2794e0277187b7ULL, 0x18765564cd99a68dULL, 0xcbc9466e58fee3ceULL, 0xab0200f58b01d137ULL,
        0x93f5f5799a932462ULL, 0x9e0082df0ba9e4b0ULL};
    std::vector<u8> message;
    for (std::size_t n = 0; n < expected.size(); ++n) {
        EXPECT_EQ(siphash(key, message), expected.at(n)) << n << " bytes";
        message.push_back(static_cast<u8>(n));
    }
    while (message.size() < 15) message.push_back(static_cast<u8>(message.size()));
    EXPECT_EQ(siphash(key, message), 0xa129ca6149be45e5ULL);
}

TEST(SipHash, DependsOnEveryWordOfTheKey) {
    const std::array<u8, 3> message{1, 2, 3};
    EXPECT_NE(siphash({0, 0}, message), siphash({1, 0}, message));
    EXPECT_NE(siphash({0, 0}, message), siphash({0, 1}, message));
}

}  // namespace
}  // namespace tapestry
