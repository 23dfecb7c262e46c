#pragma once

#include <span>

#include "apps/toml_file.h"
#include "stack/ip/forwarder.h"

namespace tapestry {

/// Reads a router's [nat] table: `mapping`, `filtering`, `translate_ports`, `max_flows`,
/// `max_flows_per_host`, `tcp_loose`, and how long a silent conversation is remembered:
/// `tcp_established`, `tcp_transitory`, `udp`, `icmp`, `other`. What is not said stays as it is.
/// Throws Failure, also for a key that is none of these.
void read_nat(const TomlTable& nat, StackConfig& config);

/// Carries out lines of iptables, in their order. Throws Failure, "home.toml:12:15: ...", at the word
/// at fault. With `interfaces` a name behind -i or -o has to be one of them.
void apply_rules(const std::vector<TomlString>& lines, Forwarder& forwarder,
                 std::span<const std::string_view> interfaces = {});

}  // namespace tapestry
