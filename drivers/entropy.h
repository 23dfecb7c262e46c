#pragma once

#include <array>

#include "stack/base/rng.h"

namespace tapestry {

/// 64 bits from the system's entropy, to seed a SeededRng.
u64 entropy_seed();

/// The system's entropy itself: every number is secret and cannot be foreseen. For stacks that meet
/// real networks. A few nanoseconds a number: it is fetched in blocks.
class SystemRng final : public Rng {
public:
    u64 next() override;

private:
    std::array<u64, 64> block_{};
    std::size_t used_ = 64;
};

}  // namespace tapestry
