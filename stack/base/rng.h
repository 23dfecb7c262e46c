#pragma once

#include <array>

#include "stack/base/types.h"

namespace tapestry {

/// Where chance comes from. The stack never reaches for entropy itself: a program passes a source
/// filled from the system, a test a seeded one, a replay one that says what was recorded.
class Rng {
public:
    virtual ~Rng() = default;
    /// 64 uniformly distributed bits.
    virtual u64 next() = 0;

    /// Uniform in [0, bound); 0 when bound is 0. The bias is below 2^-32 for 32-bit bounds.
    u32 below(u32 bound) { return static_cast<u32>(((next() >> 32) * bound) >> 32); }
    /// Uniform in [0, 1).
    double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

/// xoshiro256** seeded through splitmix64. Equal seeds give equal sequences on every machine. It is
/// fast and statistically good, not secret: a program that meets real networks seeds it, or replaces
/// it, from the system's entropy.
class SeededRng final : public Rng {
public:
    explicit SeededRng(u64 seed);
    u64 next() override;

private:
    std::array<u64, 4> state_{};
};

}  // namespace tapestry
