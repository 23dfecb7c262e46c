#pragma once

#include <map>

#include "apps/router/iptables_values.h"

namespace tapestry {

/// One of the chains that there are, and where it is.
struct IptablesChain {
    std::string_view name;
    std::string_view table;
    Chain chain;
};
/// In the order in which they are printed.
std::span<const IptablesChain> iptables_chains();

/// What a line says is to be done.
struct IptablesLine {
    enum class Command : u8 { Append, Insert, Policy, Flush };
    Command command = Command::Append;
    std::string_view table;      ///< "filter" or "nat"
    std::optional<Chain> chain;  ///< nothing: all of the table, of Flush
    u32 place = 1;               ///< of Insert, from 1
    IptablesWord place_word;
    Target policy = Target::Accept;
    Rule rule;
};

/// Reads one line. Throws IptablesRefusal.
IptablesLine read_iptables_line(std::string_view line);

/// Everything that one line says, each with its word, before it is known whether it makes sense.
struct IptablesDraft {
    /// By the long name of the option: the word that it was given with.
    std::map<std::string_view, IptablesWord> options;
    std::map<std::string, IptablesWord> modules;  ///< -m
    std::optional<IptablesWord> table;
    std::optional<IptablesWord> chain;
    std::optional<IptablesWord> target;
    std::optional<IptablesWord> policy;
    std::optional<IptablesWord> ports_of_target;  ///< the word with ports in it, if it has any
    std::optional<u32> burst;
    IptablesLine line;
};

/// Holds a draft against the rules of the language: what needs what, and what may stand where. Fills
/// in table, chain, target and policy. Throws IptablesRefusal.
void check_iptables_draft(IptablesDraft& draft);

}  // namespace tapestry
