#include "apps/options.h"

#include <spdlog/spdlog.h>

namespace tapestry {
namespace {

template <typename T>
std::function<void(const std::string&)> parser(const std::string& option, const std::string& wanted,
                                               std::optional<T>& into) {
    return [=, &into](const std::string& text) {
        into = T::parse(text);
        if (!into) refuse(option, text, wanted);
    };
}

void parse_net(const std::string& text, NetOptions& options) {
    if (text == "sandbox" || text == "sandbox:veth") {
        options.kind = NetOptions::Kind::Sandbox;
        options.force_veth = text != "sandbox";
    } else if (text == "memory") {
        options.kind = NetOptions::Kind::Memory;
    } else if (text.starts_with("tap:") && text.size() > 4) {
        options.kind = NetOptions::Kind::Tap;
        options.tap = text.substr(4);
    } else {
        refuse("--net", text, "sandbox, tap:NAME or memory");
    }
}

void parse_show(const std::string& text, NetOptions& options) {
    if (text == "ladder") {
        options.show = Show::Ladder;
    } else if (text == "frames") {
        options.show = Show::Frames;
    } else if (text == "none") {
        options.show = Show::None;
    } else {
        refuse("--show", text, "ladder, frames or none");
    }
}

void add_fault_options(CommandLine& command, NetOptions& options) {
    constexpr auto kGroup = "A bad cable (the same in both directions)";
    const auto percent = [&](const char* name, double& value, const char* text) {
        command.option(name, value, text).value("PERCENT").between(0.0, 100.0).group(kGroup);
    };
    percent("--drop", options.fault.drop, "lose so many of a hundred frames");
    percent("--duplicate", options.fault.duplicate, "send so many of a hundred twice");
    percent("--reorder", options.fault.reorder, "hold so many of a hundred back for 10 ms");
    percent("--corrupt", options.fault.corrupt, "turn over a bit in so many of a hundred");
    command
        .option(
            "--delay",
            [&options](double ms) { options.fault.delay = Duration(static_cast<i64>(ms * 1e6)); },
            "delay every frame by so many milliseconds")
        .value("MS")
        .between(0.0, 60000.0)
        .group(kGroup);
    command.option("--seed", options.seed, "chance: the same seed, the same faults")
        .value("N")
        .group(kGroup)
        .show_default();
}

}  // namespace

void add_log_option(CommandLine& command) {
    command
        .option(
            "--log-level",
            [](const std::string& text) {
                const auto level = spdlog::level::from_str(text);
                if (level == spdlog::level::off && text != "off") {
                    refuse("--log-level", text,
                           "trace, debug, info, warning, error, critical or off");
                }
                spdlog::set_level(level);
            },
            "what to log on stderr [warning]")
        .value("LEVEL");
}

namespace {

constexpr auto kAttached = "Where the stack is attached";

/// Who we are on that network.
void add_address_options(CommandLine& command, NetOptions& options) {
    command
        .option("--address",
                parser<Ipv4Prefix>("--address", "an address like 192.168.3.10/24", options.address),
                "ours [192.168.3.10/24]")
        .value("A.B.C.D/N")
        .group(kAttached);
    command
        .option("--gateway",
                parser<Ipv4Address>("--gateway", "an address like 192.168.3.1", options.gateway),
                "where everything else goes [192.168.3.1]")
        .value("A.B.C.D")
        .group(kAttached);
    command
        .option("--mac",
                parser<MacAddress>("--mac", "an address like 02:00:00:00:03:0a", options.mac),
                "our Ethernet address")
        .value("MAC")
        .group(kAttached);
    command.option("--mtu", options.mtu, "the largest IP packet, 68 to 65535 bytes")
        .value("BYTES")
        .between(68, 65535)
        .group(kAttached);
}

void add_watch_options(CommandLine& command, NetOptions& options) {
    constexpr auto kWatch = "What is shown and recorded";
    command
        .option(
            "--show", [&options](const std::string& text) { parse_show(text, options); },
            "ladder: each segment, our state, the rule that decided\n"
            "frames: a line for each frame\n"
            "none [default]")
        .value("WHAT")
        .group(kWatch);
    command
        .option("--pcap", options.pcap,
                "record every frame in a pcapng file, with what the stack made of it\n"
                "as the comment that Wireshark shows")
        .value("FILE")
        .group(kWatch);
    command.flag("--pcap-bare", options.pcap_bare, "--pcap: no comments, for long and fast runs")
        .group(kWatch);
}

void add_stack_options(CommandLine& command, NetOptions& options) {
    constexpr auto kStack = "The stack's constants";
    command.option("--profile", options.profile, "linux: Linux's constants, where ours differ")
        .value("NAME")
        .one_of({"default", "linux"})
        .group(kStack);
    command
        .option("--set", options.settings,
                "one of them, like tcp.min_rto=200ms or\ntcp.congestion=reno; again for more")
        .value("NAME=VALUE")
        .repeated()
        .group(kStack);
}

}  // namespace

void add_language_option(CommandLine& command, std::string& language) {
    command.option("--language", language, "en or zh (中文) [that of LC_ALL, LC_MESSAGES, LANG]")
        .value("LANG")
        .one_of({"en", "zh"});
}

void add_net_options(CommandLine& command, NetOptions& options) {
    command
        .option(
            "--net", [&options](const std::string& text) { parse_net(text, options); },
            "sandbox: a private network with Linux at its far end [default]\n"
            "tap:NAME: the TAP of that name\n"
            "memory: a second stack in this process, in virtual time")
        .value("WHERE")
        .group(kAttached);
    add_address_options(command, options);
    command
        .flag(
            "--offload", [&options] { options.offload = true; },
            "leave checksums and segmentation to the device [default]")
        .group(kAttached);
    command
        .flag(
            "--no-offload", [&options] { options.offload = false; },
            "frames as a plain old network card has them")
        .group(kAttached);
    add_fault_options(command, options);
    add_watch_options(command, options);
    add_stack_options(command, options);
    add_log_option(command);
}

}  // namespace tapestry
