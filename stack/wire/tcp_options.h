#pragma once

#include <array>
#include <expected>
#include <optional>

#include "stack/base/drop.h"
#include "stack/wire/seq_num.h"

namespace tapestry {

/// TCP options (RFC 9293 section 3.2): a kind alone (0 and 1), or kind, length, data.
enum class TcpOptionKind : u8 {
    EndOfList = 0,
    NoOperation = 1,
    MaximumSegmentSize = 2,  ///< RFC 9293 3.7.1
    WindowScale = 3,         ///< RFC 7323 2.2
    SackPermitted = 4,       ///< RFC 2018 2
    Sack = 5,                ///< RFC 2018 3
    Timestamps = 8,          ///< RFC 7323 3.2
};

/// Bytes [left, right) that the receiver holds (RFC 2018 section 3).
struct SackBlock {
    SeqNum left;
    SeqNum right;
    friend bool operator==(const SackBlock&, const SackBlock&) = default;
};

struct TcpTimestamps {
    u32 value = 0;       ///< TSval
    u32 echo_reply = 0;  ///< TSecr
    friend bool operator==(const TcpTimestamps&, const TcpTimestamps&) = default;
};

/// The options of one segment that we understand, as values, for reading and for writing.
struct TcpOptions {
    static constexpr std::size_t kMaxSize = 40;
    static constexpr std::size_t kMaxSackBlocks = 4;

    std::optional<u16> mss{};
    std::optional<u8> window_scale{};  ///< as on the wire; above 14 means 14 (RFC 7323 2.3)
    bool sack_permitted = false;
    std::optional<TcpTimestamps> timestamps{};
    std::array<SackBlock, kMaxSackBlocks> sack_blocks{};
    u8 sack_count = 0;

    /// Options that we do not know are stepped over by their length; one of ours with a wrong length
    /// is ignored. Refuses: TcpBadOption (a length below 2 or past the end: what follows cannot be
    /// found any more).
    static std::expected<TcpOptions, Drop> parse(Bytes options);

    /// Writes the options in the order and with the padding that Linux uses, a multiple of 4 bytes,
    /// and returns how many bytes that were. `out` has room for kMaxSize; SACK blocks that do not fit
    /// beside the other options are left out, the last ones first.
    std::size_t write(u8* out) const;
    /// What write() would return: 0 to kMaxSize.
    std::size_t size() const;
    /// How many SACK blocks write() puts out: at most 3 beside timestamps (RFC 2018 section 3).
    std::size_t sack_blocks_that_fit() const;

    friend bool operator==(const TcpOptions&, const TcpOptions&) = default;
};

}  // namespace tapestry
