#pragma once

#include <span>

#include "apps/inspect/explain.h"

namespace tapestry {

/// The rows of the table of explanations, as they stand in several files by what they are about. Each key
/// is in exactly one of the parts of a language.
struct VerdictText {
    Verdict key;
    Explanation text;
};
struct DropText {
    Drop key;
    Explanation text;
};

std::span<const VerdictText> english_calls();     ///< user calls, LISTEN, SYN-SENT, flushes
std::span<const VerdictText> english_segments();  ///< the checks of a segment, its text, its FIN
std::span<const VerdictText> english_acks();    ///< acknowledgments, losses and how they are mended
std::span<const VerdictText> english_timers();  ///< timers, and what the network reports
std::span<const DropText> english_lower_drops();   ///< Ethernet, ARP, IPv4, the device
std::span<const DropText> english_middle_drops();  ///< routers, fragments, ICMP, UDP
std::span<const DropText> english_tcp_drops();
/// In the place of SequenceUnacceptable where it is our SYN-ACK that has not arrived.
const Explanation& english_syn_again();
/// In the place of FlushSent, of which windows and data say nothing yet.
const Explanation& english_syn_sent();

std::span<const VerdictText> chinese_calls();
std::span<const VerdictText> chinese_segments();
std::span<const VerdictText> chinese_acks();
std::span<const VerdictText> chinese_timers();
std::span<const DropText> chinese_lower_drops();
std::span<const DropText> chinese_middle_drops();
std::span<const DropText> chinese_tcp_drops();
const Explanation& chinese_syn_again();
const Explanation& chinese_syn_sent();

}  // namespace tapestry
