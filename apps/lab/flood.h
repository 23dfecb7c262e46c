#pragma once

#include "apps/lab/program.h"
#include "stack/base/rng.h"

namespace tapestry {

/// `flood ADDRESS:PORT N`: SYNs with sources that are made up, one after the other; nobody waits for
/// the answers.
class FloodProgram final : public Program {
public:
    /// The made-up sources (RFC 5737: for documentation; nobody has them).
    static constexpr Ipv4Prefix kSources{Ipv4Address(198, 51, 100, 0), 24};

    FloodProgram(const Seat& seat, const Command& command, u64 seed);
    void poll() override;
    bool done() const override { return count_ == command_.count; }

private:
    void send();

    const Command& command_;
    SeededRng rng_;
    u32 count_ = 0;
    TimePoint next_{};
};

}  // namespace tapestry
