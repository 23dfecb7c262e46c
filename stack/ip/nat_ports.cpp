#include "stack/ip/nat_ports.h"

#include <bit>

namespace tapestry {
namespace {

constexpr u64 kAll = ~u64{0};
constexpr u64 kEven = 0x5555555555555555;

/// The bits of word `index` that lie in the range.
u64 mask_of(std::size_t index, PortRange range) {
    const std::size_t first_word = range.first / 64;
    const std::size_t last_word = range.last / 64;
    if (index < first_word || index > last_word) return 0;
    u64 mask = kAll;
    if (index == first_word) mask &= kAll << (range.first % 64);
    if (index == last_word) mask &= kAll >> (63 - range.last % 64);
    return mask;
}

}  // namespace

std::optional<u16> NatPorts::take(u16 wanted, PortRange range, Rng& rng) {
    std::optional<u16> port;
    if (range.contains(wanted) && !taken(wanted)) port = wanted;
    const auto start = static_cast<u16>(range.first + rng.below(u32{range.last} - range.first + 1));
    if (!port) port = search(range, wanted % 2 == 0 ? kEven : ~kEven, start);
    if (!port) port = search(range, kAll, start);
    if (port) {
        words_[*port / 64] |= u64{1} << (*port % 64);
        ++in_use_;
    }
    return port;
}

void NatPorts::give_back(u16 port) {
    words_[port / 64] &= ~(u64{1} << (port % 64));
    --in_use_;
}

/// The first free port at or behind `start`, round the end of the range and on to `start`.
std::optional<u16> NatPorts::search(PortRange range, u64 allowed, u16 start) const {
    const std::size_t words = words_.size();
    for (std::size_t i = 0; i <= words; ++i) {
        const std::size_t index = (start / 64 + i) % words;
        u64 free = ~words_[index] & allowed & mask_of(index, range);
        if (i == 0) free &= kAll << (start % 64);
        if (free != 0) {
            return static_cast<u16>(index * 64 + static_cast<unsigned>(std::countr_zero(free)));
        }
    }
    return std::nullopt;
}

}  // namespace tapestry
