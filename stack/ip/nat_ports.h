#pragma once

#include <array>
#include <optional>

#include "stack/base/rng.h"
#include "stack/ip/rule.h"

namespace tapestry {

/// The ports (or ICMP identifiers) of one external address and one protocol that mappings have.
/// Taking and giving back are bit operations; the search for a free one reads 1024 words at worst.
class NatPorts {
public:
    /// `wanted` itself if it is free (RFC 4787 section 4.2.1: "port preservation"), else one by
    /// chance (RFC 7857 section 9) of the same parity (RFC 4787 REQ-4), else any. Nothing when
    /// `range` is used up, which does not take long to find out.
    std::optional<u16> take(u16 wanted, PortRange range, Rng& rng);
    void give_back(u16 port);
    bool taken(u16 port) const { return (words_[port / 64] >> (port % 64) & 1) != 0; }
    u32 in_use() const { return in_use_; }

private:
    std::optional<u16> search(PortRange range, u64 allowed, u16 start) const;

    std::array<u64, 1024> words_{};
    u32 in_use_ = 0;
};

}  // namespace tapestry
