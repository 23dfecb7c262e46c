#pragma once

#include <array>

#include "apps/replay/datagram_actor.h"
#include "apps/replay/leeway.h"
#include "apps/replay/played.h"

namespace tapestry {

/// What the stack sent against one frame of the recorded host, or against none.
enum class Match : u8 {
    Equal,
    Recut,     ///< equal up to coalescing or segmentation
    Allowed,   ///< differs in what a rule leaves to the host
    Diverged,  ///< differs, and no rule allows it
    kCount,
};
/// "equal", "recut", "allowed", "diverged".
std::string_view name(Match match);

/// One line of a comparison: a recorded frame, a sent one, or both.
struct CompareRow {
    const RecordedFrame* recorded = nullptr;
    const SentFrame* sent = nullptr;
    LeewaySet rules;       ///< in which the two differ
    bool wrong = false;    ///< they differ in what no rule can allow
    std::string what;      ///< wrong: how
    std::string_view rfc;  ///< wrong: the section that is broken
    PlayedState state;     ///< ours at that time

    /// With these rules allowed.
    Match match(LeewaySet allowed) const;
    TimePoint time{};  ///< at the host, of the recorded one if there is one
};

/// In the order of time.
using CompareRows = std::vector<CompareRow>;

/// How many frames of each sort; a recut or allowed difference counts for the frame it is told at.
struct CompareSum {
    std::array<u64, static_cast<std::size_t>(Match::kCount)> matches{};
    u64 recorded = 0;  ///< frames of the recorded host
    u64 sent = 0;      ///< frames of the stack
    std::array<u64, static_cast<std::size_t>(Leeway::kCount)> rules{};

    u64 count(Match match) const { return matches[static_cast<std::size_t>(match)]; }
    void add(const CompareRow& row, LeewaySet allowed);
    void add(const CompareSum& other);
};

/// Adds to `row` the differences of the fields in front of the transport header.
void compare_ip(const Ipv4View& recorded, const Ipv4View& sent, CompareRow& row);

/// One TCP conversation.
CompareRows compare_tcp(const TcpScript& script, const PlayedTcp& played);

/// Everything but TCP.
CompareRows compare_datagrams(const PlayedDatagrams& played);

}  // namespace tapestry
