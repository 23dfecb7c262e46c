#include "apps/options.h"

#include <spdlog/spdlog.h>

namespace tapestry {
namespace {

/// Ends the reading of the command line: "--mtu: 12 is not ...".
[[noreturn]] void refuse(const std::string& option, const std::string& value,
                         const std::string& wanted) {
    throw CLI::ValidationError(option, "\"" + value + "\" is not " + wanted);
}

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

void add_fault_options(CLI::App& command, NetOptions& options) {
    constexpr auto kGroup = "A bad cable (the same in both directions)";
    const auto percent = [&](const char* name, double& value, const char* text) {
        command.add_option(name, value, text)
            ->type_name("PERCENT")
            ->check(between(0.0, 100.0))
            ->group(kGroup);
    };
    percent("--drop", options.fault.drop, "lose so many of a hundred frames");
    percent("--duplicate", options.fault.duplicate, "send so many of a hundred twice");
    percent("--reorder", options.fault.reorder, "hold so many of a hundred back for 10 ms");
    percent("--corrupt", options.fault.corrupt, "turn over a bit in so many of a hundred");
    command
        .add_option_function<double>(
            "--delay",
            [&options](const double& ms) {
                options.fault.delay = Duration(static_cast<i64>(ms * 1e6));
            },
            "delay every frame by so many milliseconds")
        ->type_name("MS")
        ->check(between(0.0, 60000.0))
        ->group(kGroup);
    command.add_option("--seed", options.seed, "chance: the same seed, the same faults")
        ->type_name("N")
        ->group(kGroup)
        ->capture_default_str();
}

/// Examples first: they answer most questions.
class ExamplesFirst : public CLI::Formatter {
public:
    std::string make_help(const CLI::App* app, std::string name,
                          CLI::AppFormatMode mode) const override {
        const std::string help = CLI::Formatter::make_help(app, std::move(name), mode);
        const std::string examples = app->get_footer();
        return examples.empty() ? help : examples + "\n\n" + help;
    }
    std::string make_footer(const CLI::App* /*app*/) const override { return ""; }
};

}  // namespace

void add_examples(CLI::App& command, const std::string& lines) {
    command.footer("Examples:\n" + lines);
    command.formatter(std::make_shared<ExamplesFirst>());
    command.get_formatter()->column_width(32);
}

void add_log_option(CLI::App& command) {
    command
        .add_option_function<std::string>(
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
        ->type_name("LEVEL");
}

namespace {

constexpr auto kAttached = "Where the stack is attached";

/// Who we are on that network.
void add_address_options(CLI::App& command, NetOptions& options) {
    command
        .add_option_function<std::string>(
            "--address",
            parser<Ipv4Prefix>("--address", "an address like 192.168.3.10/24", options.address),
            "ours [192.168.3.10/24]")
        ->type_name("A.B.C.D/N")
        ->group(kAttached);
    command
        .add_option_function<std::string>(
            "--gateway",
            parser<Ipv4Address>("--gateway", "an address like 192.168.3.1", options.gateway),
            "where everything else goes [192.168.3.1]")
        ->type_name("A.B.C.D")
        ->group(kAttached);
    command
        .add_option_function<std::string>(
            "--mac", parser<MacAddress>("--mac", "an address like 02:00:00:00:03:0a", options.mac),
            "our Ethernet address")
        ->type_name("MAC")
        ->group(kAttached);
    command.add_option("--mtu", options.mtu, "the largest IP packet, 68 to 65535 bytes")
        ->type_name("BYTES")
        ->check(between(68, 65535))
        ->group(kAttached);
}

void add_watch_options(CLI::App& command, NetOptions& options) {
    constexpr auto kWatch = "What is shown and recorded";
    command
        .add_option_function<std::string>(
            "--show", [&options](const std::string& text) { parse_show(text, options); },
            "ladder: each segment, our state, the rule that decided\n"
            "frames: a line for each frame\n"
            "none [default]")
        ->type_name("WHAT")
        ->group(kWatch);
    command.add_option("--pcap", options.pcap, "record every frame in a pcapng file")
        ->type_name("FILE")
        ->group(kWatch);
}

void add_stack_options(CLI::App& command, NetOptions& options) {
    constexpr auto kStack = "The stack's constants";
    command.add_option("--profile", options.profile, "linux: Linux's constants, where ours differ")
        ->type_name("NAME")
        ->check(CLI::IsMember({"default", "linux"}).description(""))
        ->group(kStack);
    command
        .add_option("--set", options.settings,
                    "one of them, like tcp.min_rto=200ms or\ntcp.congestion=reno; again for more")
        ->type_name("NAME=VALUE")
        ->allow_extra_args(false)
        ->group(kStack);
}

}  // namespace

void add_net_options(CLI::App& command, NetOptions& options) {
    command
        .add_option_function<std::string>(
            "--net", [&options](const std::string& text) { parse_net(text, options); },
            "sandbox: a private network with Linux at its far end [default]\n"
            "tap:NAME: the TAP of that name\n"
            "memory: a second stack in this process, in virtual time")
        ->type_name("WHERE")
        ->group(kAttached);
    add_address_options(command, options);
    command
        .add_flag_callback(
            "--offload", [&options] { options.offload = true; },
            "leave checksums and segmentation to the device [default]")
        ->group(kAttached);
    command
        .add_flag_callback(
            "--no-offload", [&options] { options.offload = false; },
            "frames as a plain old network card has them")
        ->group(kAttached);
    add_fault_options(command, options);
    add_watch_options(command, options);
    add_stack_options(command, options);
    add_log_option(command);
}

}  // namespace tapestry
