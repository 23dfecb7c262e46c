#include "apps/router/nat_options.h"

#include <algorithm>
#include <array>

#include "apps/failure.h"
#include "apps/nearest.h"
#include "apps/router/iptables_words.h"

namespace tapestry {
namespace {

void read_behaviour(const TomlTable& nat, std::string_view key, NatConfig::Behaviour& into) {
    const auto index = nat.choice(
        key, {"endpoint-independent", "address-dependent", "address-and-port-dependent"});
    if (index) into = static_cast<NatConfig::Behaviour>(*index);
}

void read_count(const TomlTable& nat, std::string_view key, u32& into) {
    constexpr i64 kMost = 16 << 20;
    if (const auto count = nat.integer(key, 1, kMost)) into = static_cast<u32>(*count);
}

void read_timeout(const TomlTable& nat, std::string_view key, Duration& into) {
    if (const auto duration = nat.duration(key, 1s)) into = *duration;
}

bool is_one(std::string_view name, std::span<const std::string_view> interfaces) {
    return std::ranges::any_of(interfaces, [&](std::string_view known) {
        if (!name.ends_with('+')) return name == known;
        return known.starts_with(name.substr(0, name.size() - 1));
    });
}

/// A rule about an interface that is not there would never match, and nobody would know why.
void check_interfaces(const TomlString& line, std::span<const std::string_view> interfaces) {
    constexpr std::array<std::string_view, 4> kOptions{"-i", "-o", "--in-interface",
                                                       "--out-interface"};
    IptablesWords words(line.text());
    while (!words.empty()) {
        const std::string option = words.take().text;
        if (std::ranges::find(kOptions, option) == kOptions.end() || words.empty()) continue;
        const IptablesWord& name = words.take();
        if (is_one(name.text, interfaces)) continue;
        std::string known;
        for (const std::string_view one : interfaces) {
            known += (known.empty() ? "" : ", ") + std::string(one);
        }
        throw Failure(kUsage, line.place(name.column) + ": rules: expected an interface (" + known +
                                  "), found \"" + name.text + '"' +
                                  did_you_mean(name.text, interfaces));
    }
}

}  // namespace

void read_nat(const TomlTable& nat, StackConfig& config) {
    read_behaviour(nat, "mapping", config.nat.mapping);
    read_behaviour(nat, "filtering", config.nat.filtering);
    config.nat.translate_ports =
        nat.boolean("translate_ports").value_or(config.nat.translate_ports);
    read_count(nat, "max_flows", config.flow.max_flows);
    read_count(nat, "max_flows_per_host", config.flow.max_flows_per_host);
    read_timeout(nat, "tcp_established", config.flow.tcp_established);
    read_timeout(nat, "tcp_transitory", config.flow.tcp_transitory);
    read_timeout(nat, "udp", config.flow.udp);
    read_timeout(nat, "icmp", config.flow.icmp);
    read_timeout(nat, "other", config.flow.other);
    config.flow.tcp_loose = nat.boolean("tcp_loose").value_or(config.flow.tcp_loose);
    nat.finish();
}

void apply_rules(const std::vector<TomlString>& lines, Forwarder& forwarder,
                 std::span<const std::string_view> interfaces) {
    for (const TomlString& line : lines) {
        const auto done = apply_iptables(line.text(), forwarder);
        if (!done) {
            const IptablesError& error = done.error();
            const std::string word = error.word.empty() ? "" : error.word + ": ";
            // The message may begin with the word by itself.
            const bool named = error.message.starts_with(error.word);
            throw Failure(kUsage, line.place(error.column) + ": rules: " + (named ? "" : word) +
                                      error.message);
        }
        if (!interfaces.empty()) check_interfaces(line, interfaces);
    }
}

}  // namespace tapestry
