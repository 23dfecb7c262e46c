#include "stack/wire/checksum.h"

namespace tapestry {
namespace {

/// The sum of the words of `data` as they lie in memory; a last single byte counts as the first byte
/// of a word. RFC 1071 section 2 (B): the sum is independent of byte order, up to a swap of the
/// result, so the loop loads 32-bit words natively and the compiler turns it into vectors.
u64 native_sum(Bytes data) {
    const u8* p = data.data();
    std::size_t left = data.size();
    u64 sum = 0;
    for (; left >= 4; left -= 4, p += 4) {
        u32 word;
        std::memcpy(&word, p, 4);
        sum += word;
    }
    if (left >= 2) {
        u16 word;
        std::memcpy(&word, p, 2);
        sum += word;
        p += 2;
        left -= 2;
    }
    if (left == 1) {
        u16 word = 0;
        std::memcpy(&word, p, 1);
        sum += word;
    }
    return sum;
}

}  // namespace

void ChecksumAdder::add(Bytes data) {
    u16 folded = fold(native_sum(data));
    // In memory order the sum has its bytes as the wire has them; swap them into host order unless an
    // odd start has already swapped the places of all bytes.
    const bool little = std::endian::native == std::endian::little;
    if (little != odd_) folded = std::byteswap(folded);
    sum_ += folded;
    odd_ ^= (data.size() & 1) != 0;
}

u16 internet_checksum(Bytes data) {
    ChecksumAdder adder;
    adder.add(data);
    return adder.checksum();
}

u16 header_checksum(std::span<const u8, 20> header) {
    std::array<u32, 5> words;
    std::memcpy(words.data(), header.data(), header.size());
    const u64 sum = u64{words[0]} + words[1] + words[2] + words[3] + words[4];
    const u16 folded = ChecksumAdder::fold(sum);
    return static_cast<u16>(
        ~(std::endian::native == std::endian::little ? std::byteswap(folded) : folded));
}

}  // namespace tapestry
