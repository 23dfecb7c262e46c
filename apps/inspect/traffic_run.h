#pragma once

#include <array>
#include <string>

#include "stack/trace/trace.h"

namespace tapestry {

/// Counts the segments of a bulk transfer that are not shown one by one.
class TrafficRun {
public:
    /// What is remarkable about a segment, if anything.
    enum class Kind : u8 { Plain, OutOfOrder, Again };

    void add(Direction direction, u32 segments, u32 bytes, Kind kind = Kind::Plain);
    bool empty() const { return way_[0].nothing() && way_[1].nothing(); }
    /// "312 more segments in (3 out of order), 451 kB; 40 ACKs out"
    std::string text() const;

private:
    struct Way {
        u64 segments = 0;  ///< with data
        u64 bytes = 0;
        u64 out_of_order = 0;
        u64 again = 0;
        u64 acks = 0;  ///< without
        bool nothing() const { return segments == 0 && acks == 0; }
    };
    std::array<Way, 2> way_{};
};

/// "451 kB", decimal units, three digits: for people.
std::string human_size(u64 bytes);

}  // namespace tapestry
