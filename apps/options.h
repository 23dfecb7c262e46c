#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

#include "apps/net_options.h"

namespace tapestry {

/// Adds --net and its companions, --pcap, --show, the faults and --log-level to a command.
void add_net_options(CLI::App& command, NetOptions& options);
/// Adds --log-level, which takes effect while the command line is read.
void add_log_option(CLI::App& command);
/// A number from `low` to `high`; the help does not say so by itself.
template <typename T>
CLI::Validator between(T low, T high) {
    CLI::Validator range = CLI::Range(low, high);
    range.description("");
    return range;
}
/// Makes `--help` begin with these lines.
void add_examples(CLI::App& command, const std::string& lines);

/// What is to run once the whole command line has been read; returns the exit status.
using Action = std::function<int()>;

}  // namespace tapestry
