#pragma once

#include <optional>
#include <string_view>

#include "stack/base/types.h"

namespace tapestry {

/// In what the stack may differ from the recorded host and be right all the same: the RFCs leave it to
/// the host. Each has a name, by which `replay --ignore` and `--strict` choose.
enum class Leeway : u8 {
    // The same, said in other pieces.
    Segmentation,
    AckCoalesced,
    // Fields.
    Window,
    WindowScale,
    IpId,
    Ttl,
    Tos,
    DontFragment,
    TimestampValue,
    TimestampEcho,
    SackPermitted,
    SackBlocks,
    OptionOrder,
    Ecn,
    Push,
    AckOnText,
    IcmpQuote,
    // Times.
    SentLater,
    SentEarlier,
    AckTiming,
    // Segments that only one of the two sends.
    WindowUpdate,
    RepeatedAck,
    Recovery,
    ProbeForm,
    ProbeTiming,
    ResetForm,
    ResetAtDeath,
    ArpTiming,
    kCount,
};

/// "segmentation", "ip_id", ...
std::string_view name(Leeway rule);
/// Why it is allowed, in a few words.
std::string_view text(Leeway rule);
/// Where that stands.
std::string_view rfc(Leeway rule);
/// By its name.
std::optional<Leeway> leeway(std::string_view name);

/// A set of them.
class LeewaySet {
public:
    constexpr LeewaySet() = default;
    static constexpr LeewaySet all() {
        LeewaySet set;
        set.bits_ = (1U << static_cast<unsigned>(Leeway::kCount)) - 1;
        return set;
    }
    constexpr void add(Leeway rule) { bits_ |= 1U << static_cast<unsigned>(rule); }
    constexpr bool has(Leeway rule) const {
        return (bits_ >> static_cast<unsigned>(rule) & 1U) != 0;
    }
    constexpr bool empty() const { return bits_ == 0; }
    /// Everything in it is in the other, too.
    constexpr bool within(LeewaySet other) const { return (bits_ & ~other.bits_) == 0; }
    friend constexpr bool operator==(LeewaySet, LeewaySet) = default;

private:
    u32 bits_ = 0;
};

}  // namespace tapestry
