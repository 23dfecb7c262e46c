#include "stack/base/siphash.h"

#include <bit>

namespace tapestry {
namespace {

struct SipState {
    u64 v0, v1, v2, v3;

    void round() {
        v0 += v1;
        v2 += v3;
        v1 = std::rotl(v1, 13) ^ v0;
        v3 = std::rotl(v3, 16) ^ v2;
        v0 = std::rotl(v0, 32);
        v2 += v1;
        v0 += v3;
        v1 = std::rotl(v1, 17) ^ v2;
        v3 = std::rotl(v3, 21) ^ v0;
        v2 = std::rotl(v2, 32);
    }
    void absorb(u64 word) {
        v3 ^= word;
        round();
        round();
        v0 ^= word;
    }
};

u64 load_le(Bytes bytes) {
    u64 word = 0;
    for (std::size_t i = 0; i < bytes.size(); ++i) word |= static_cast<u64>(bytes[i]) << (8 * i);
    return word;
}

}  // namespace

u64 siphash(const SipKey& key, Bytes data) {
    SipState s{key[0] ^ 0x736f6d6570736575ULL, key[1] ^ 0x646f72616e646f6dULL,
               key[0] ^ 0x6c7967656e657261ULL, key[1] ^ 0x7465646279746573ULL};
    const u64 length = data.size();
    for (; data.size() >= 8; data = data.subspan(8)) s.absorb(load_le(data.first(8)));
    s.absorb(load_le(data) | length << 56);
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; ++i) s.round();
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace tapestry
