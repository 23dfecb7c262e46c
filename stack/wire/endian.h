#pragma once

#include <bit>
#include <cstring>

#include "stack/base/types.h"

namespace tapestry {

/// Loads and stores in network byte order (RFC 791, appendix B), free of alignment rules. The caller
/// has proved that the bytes are there.
template <typename Integer>
inline Integer load_be(const u8* p) {
    Integer value;
    std::memcpy(&value, p, sizeof value);
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    return value;
}

template <typename Integer>
inline void store_be(u8* p, Integer value) {
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    std::memcpy(p, &value, sizeof value);
}

inline u16 load_be16(const u8* p) { return load_be<u16>(p); }
inline u32 load_be32(const u8* p) { return load_be<u32>(p); }
inline void store_be16(u8* p, u16 value) { store_be(p, value); }
inline void store_be32(u8* p, u32 value) { store_be(p, value); }

}  // namespace tapestry
