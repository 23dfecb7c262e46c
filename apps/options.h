#pragma once

#include "apps/command_line.h"
#include "apps/net_options.h"

namespace tapestry {

/// Adds --net and its companions, --pcap, --show, the faults and --log-level to a command.
void add_net_options(CommandLine& command, NetOptions& options);
/// Adds --language, for language_of().
void add_language_option(CommandLine& command, std::string& language);
/// Adds --log-level, which takes effect while the command line is read.
void add_log_option(CommandLine& command);

}  // namespace tapestry
