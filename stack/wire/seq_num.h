#pragma once

#include <compare>

#include "stack/base/types.h"

namespace tapestry {

/// A TCP sequence number: a place on a circle of 2^32 (RFC 9293 section 3.4).
///
/// It has no `<`: on a circle that question has no answer. Ask before()/after(), which hold for
/// numbers less than 2^31 apart, or in_window(). Nothing here can fail or overflow.
class SeqNum {
public:
    constexpr SeqNum() = default;
    constexpr explicit SeqNum(u32 value) : value_(value) {}

    constexpr u32 value() const { return value_; }

    constexpr bool before(SeqNum other) const { return (*this - other) < 0; }
    constexpr bool before_or_at(SeqNum other) const { return (*this - other) <= 0; }
    constexpr bool after(SeqNum other) const { return (*this - other) > 0; }
    constexpr bool after_or_at(SeqNum other) const { return (*this - other) >= 0; }
    /// left <= this < left + size
    constexpr bool in_window(SeqNum left, u32 size) const { return value_ - left.value_ < size; }

    constexpr SeqNum operator+(u32 n) const { return SeqNum(value_ + n); }
    constexpr SeqNum operator-(u32 n) const { return SeqNum(value_ - n); }
    /// The way from `other` to this, from -2^31 to 2^31 - 1.
    constexpr i32 operator-(SeqNum other) const { return static_cast<i32>(value_ - other.value_); }
    constexpr SeqNum& operator+=(u32 n) {
        value_ += n;
        return *this;
    }

    friend constexpr bool operator==(SeqNum, SeqNum) = default;
    std::strong_ordering operator<=>(const SeqNum&) const = delete;

private:
    u32 value_ = 0;
};

/// The later of two numbers less than 2^31 apart.
constexpr SeqNum later(SeqNum a, SeqNum b) { return a.after(b) ? a : b; }
constexpr SeqNum earlier(SeqNum a, SeqNum b) { return a.before(b) ? a : b; }

}  // namespace tapestry
