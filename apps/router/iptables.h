#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "stack/ip/forwarder.h"

namespace tapestry {

/// What is wrong with a line, and with which of its words.
struct IptablesError {
    std::size_t column = 0;  ///< of the word, from 0; behind the end when one is missing
    std::string word;        ///< empty: one is missing
    std::string message;     ///< "--dport needs -p tcp or -p udp"
};

/// Carries out one line as people type it behind `iptables`, which may stand there, too:
///
///     -t nat -A POSTROUTING -s 192.168.3.0/24 -o wan -j MASQUERADE
///
/// docs/router.md says what of the language is taken. Nothing is changed by a line that is refused.
std::expected<void, IptablesError> apply_iptables(std::string_view line, Forwarder& forwarder);

/// One rule in the words of `iptables-save`: "-A FORWARD -p tcp -j ACCEPT".
std::string to_string(Chain chain, const Rule& rule);
/// All rules and policies as `iptables-save -c` (or without counters) prints them. Each line that
/// begins with -A, its counters in front of it or not, is one for apply_iptables behind "-t TABLE".
std::string iptables_save(const Forwarder& forwarder, bool counters);
/// One table, "nat" or "filter", as `iptables -L -n -v` prints it.
std::string iptables_list(const Forwarder& forwarder, std::string_view table);

}  // namespace tapestry
