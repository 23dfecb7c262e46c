#include "stack/wire/checksum.h"

namespace tapestry {
namespace {

u16 fold(u64 sum) {
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return static_cast<u16>(sum);
}

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

void ChecksumAdder::add_be16(u16 value) { sum_ += odd_ ? std::byteswap(value) : value; }

void ChecksumAdder::add_be32(u32 value) {
    add_be16(static_cast<u16>(value >> 16));
    add_be16(static_cast<u16>(value));
}

u16 ChecksumAdder::sum() const { return fold(sum_); }

u16 internet_checksum(Bytes data) {
    ChecksumAdder adder;
    adder.add(data);
    return adder.checksum();
}

ChecksumAdder pseudo_header(Ipv4Address source, Ipv4Address destination, u8 protocol, u32 length) {
    ChecksumAdder adder;
    adder.add_be32(source.value());
    adder.add_be32(destination.value());
    adder.add_be16(protocol);
    adder.add_be32(length);
    return adder;
}

}  // namespace tapestry
