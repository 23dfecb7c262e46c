#include <algorithm>
#include <charconv>
#include <set>

#include "apps/failure.h"
#include "apps/lab/scenario.h"
#include "apps/nearest.h"
#include "apps/router/nat_options.h"

/// Reads a scenario file table by table. Whatever is wrong is refused here, with its place; what is
/// left is a Scenario that can be built.

namespace tapestry {
namespace {

/// Lifelines have to fit beside each other.
constexpr std::size_t kMostMachines = 8;

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t at = 0;
    while (at < text.size()) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        lines.push_back(text.substr(at, end - at));
        at = end + 1;
    }
    return lines;
}

/// Machines, links and interfaces have names that fit into a line of the timeline.
bool is_name(std::string_view name) {
    const auto fits = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    return !name.empty() && name.size() <= 12 && name[0] >= 'a' && name[0] <= 'z' &&
           std::ranges::all_of(name, fits);
}

std::string read_name(const TomlTable& table, const std::string& example) {
    std::string name = table.need("name", table.string("name"), "name = \"" + example + "\"");
    if (!is_name(name)) {
        table.refuse(
            "name",
            "expected a name of at most 12 small letters, digits and '-', found \"" + name + '"');
    }
    return name;
}

/// What is simplified so that a ladder reads easily; a file can ask for the rest.
StackConfig plain_config() {
    StackConfig config;
    config.arp.announce = false;
    config.tcp.window_scaling = false;
    config.tcp.timestamps = false;
    config.tcp.receive_buffer = 65535;
    config.tcp.receive_buffer_max = config.tcp.send_buffer_max = 0;
    return config;
}

void read_tcp(const TomlTable& table, StackConfig& config) {
    const auto number = [&](const char* key, i64 low, i64 high, auto& value) {
        if (const auto given = table.integer(key, low, high)) {
            value = static_cast<std::remove_reference_t<decltype(value)>>(*given);
        }
    };
    number("receive_buffer", 256, 1 << 24, config.tcp.receive_buffer);
    number("send_buffer", 256, 1 << 24, config.tcp.send_buffer);
    number("backlog", 1, 65536, config.tcp.default_backlog);
    number("syn_ack_retries", 0, 16, config.tcp.syn_ack_retries);
    number("ttl", 1, 255, config.ip.default_ttl);
    config.tcp.window_scaling = table.boolean("window_scaling").value_or(config.tcp.window_scaling);
    config.tcp.timestamps = table.boolean("timestamps").value_or(config.tcp.timestamps);
    config.tcp.syn_cookies = table.boolean("syn_cookies").value_or(config.tcp.syn_cookies);
}

/// "inside 192.168.3.1/24"
ScenarioInterface read_interface(const TomlString& text, bool named) {
    const std::string& words = text.text();
    const std::size_t blank = words.find(' ');
    const std::string name = named ? words.substr(0, blank) : "eth0";
    const std::size_t at = named ? words.find_first_not_of(' ', blank) : 0;
    const bool whole = at != std::string::npos && (!named || blank != std::string::npos);
    const std::string rest = whole ? words.substr(at) : "";
    const auto address = Ipv4Prefix::parse(rest);
    if (!is_name(name) || !address || rest.find('/') == std::string::npos) {
        throw Failure(kUsage, text.place() + ": expected " +
                                  (named ? "a name and an address with its prefix length, as "
                                           "\"inside 192.168.3.1/24\""
                                         : "an address with its prefix length, as "
                                           "\"192.168.3.10/24\"") +
                                  ", found \"" + words + '"');
    }
    return {name, *address};
}

void read_gateway(const TomlTable& table, ScenarioMachine& machine) {
    const auto text = table.string("gateway");
    if (!text) return;
    if (*text == "direct") {
        machine.on_link = machine.interfaces.size() - 1;
        return;
    }
    machine.gateway = Ipv4Address::parse(*text);
    if (!machine.gateway) {
        table.refuse("gateway", "expected an IPv4 address or \"direct\", found \"" + *text + '"');
    }
    const bool reachable = std::ranges::any_of(machine.interfaces, [&](const auto& interface) {
        return interface.address.contains(*machine.gateway);
    });
    if (!reachable) {
        table.refuse("gateway", *text + " is on none of the networks of " + machine.name);
    }
}

ScenarioMachine read_machine(const TomlTable& table) {
    ScenarioMachine machine;
    machine.config = plain_config();
    machine.name = read_name(table, "laptop");
    machine.router = table.has("interfaces");
    if (machine.router) {
        for (const TomlString& text : table.strings("interfaces")) {
            machine.interfaces.push_back(read_interface(text, true));
        }
        if (machine.interfaces.size() < 2) {
            table.refuse("interfaces", "a router has at least two");
        }
        machine.two_lines = table.integer("lifelines", 1, 2).value_or(2) == 2;
        machine.iptables = table.strings("iptables");
        if (const auto nat = table.table("nat")) read_nat(*nat, machine.config);
    } else {
        const auto address = table.located("address");
        machine.interfaces.push_back(read_interface(
            table.need("address", address,
                       "a host has address = \"192.168.3.10/24\", a router interfaces = [...]"),
            false));
    }
    machine.config.forwarding = machine.router;
    read_gateway(table, machine);
    read_tcp(table, machine.config);
    table.finish();
    return machine;
}

u64 read_rate(const TomlTable& table) {
    const auto text = table.string("rate");
    if (!text) return 0;
    struct Unit {
        std::string_view name;
        u64 bits;
    };
    static constexpr std::array<Unit, 3> kUnits{
        {{"kbit", 1'000}, {"mbit", 1'000'000}, {"gbit", 1'000'000'000}}};
    u64 value = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
    const std::string_view unit(end, text->data() + text->size());
    for (const Unit& u : kUnits) {
        if (error == std::errc() && unit == u.name && value > 0 && value <= 100'000) {
            return value * u.bits / 8;
        }
    }
    table.refuse("rate", "expected a rate as \"10mbit\" or \"64kbit\", found \"" + *text + '"');
}

class Reader {
public:
    Reader(const TomlTable& root, std::string name) : root_(root) {
        scenario_.name = std::move(name);
    }

    Scenario read() {
        scenario_.title = root_.need("title", root_.string("title"), "title = \"...\"");
        scenario_.order = static_cast<int>(root_.integer("order", 0, 1000).value_or(1000));
        scenario_.watch = lines_of(root_.string("watch").value_or(""));
        scenario_.summary = lines_of(root_.string("summary").value_or(""));
        read_machines();
        for (const TomlTable& table : root_.tables("link")) read_link(table);
        for (std::size_t m = 0; m < scenario_.machines.size(); ++m) check_plugged(m);
        read_timeline();
        if (const auto chinese = root_.table("zh")) read_chinese(*chinese);
        root_.finish();
        return std::move(scenario_);
    }

private:
    void read_machines() {
        for (const TomlTable& table : root_.tables("machine")) {
            ScenarioMachine machine = read_machine(table);
            CommandNames::Machine names{machine.name, machine.router, {}, {}};
            for (const auto& other : names_.machines) {
                if (other.name == machine.name) {
                    table.refuse("name", "there is a " + machine.name + " already");
                }
            }
            for (const ScenarioInterface& interface : machine.interfaces) {
                names.interfaces.push_back(interface.name);
                names.addresses.push_back(interface.address.address);
                lifelines_ += machine.two_lines || &interface == &machine.interfaces[0] ? 1 : 0;
            }
            names_.machines.push_back(std::move(names));
            scenario_.machines.push_back(std::move(machine));
            if (lifelines_ > kMostMachines) {
                table.refuse("there are more lifelines than fit beside each other (8)");
            }
        }
        if (scenario_.machines.size() < 2) root_.refuse("a network has at least two [[machine]]s");
    }

    ScenarioLink::End read_end(const TomlString& text) {
        const std::string& word = text.text();
        const std::size_t dot = word.find('.');
        std::vector<std::string_view> known;
        std::vector<std::string> spelt;
        for (std::size_t m = 0; m < names_.machines.size(); ++m) {
            const auto& machine = names_.machines[m];
            for (std::size_t i = 0; i < machine.interfaces.size(); ++i) {
                const std::string full = machine.name + '.' + machine.interfaces[i];
                const bool short_form = dot == std::string::npos && !machine.router;
                if (word == full || (short_form && word == machine.name)) {
                    if (!plugged_.insert({m, i}).second) {
                        throw Failure(kUsage, text.place() + ": " + word +
                                                  " is at the end of another link already");
                    }
                    return {m, i};
                }
                spelt.push_back(machine.router ? full : machine.name);
            }
        }
        known.assign(spelt.begin(), spelt.end());
        std::string all;
        for (const std::string& name : spelt) all += (all.empty() ? "" : ", ") + name;
        throw Failure(kUsage, text.place() + ": expected an interface (" + all + "), found \"" +
                                  word + '"' + did_you_mean(word, known));
    }

    void read_link(const TomlTable& table) {
        ScenarioLink link;
        link.name = read_name(table, "lan");
        if (std::ranges::find(names_.links, link.name) != names_.links.end()) {
            table.refuse("name", "there is a link " + link.name + " already");
        }
        for (const TomlString& end : table.strings("ends")) link.ends.push_back(read_end(end));
        if (link.ends.size() < 2) {
            table.refuse("ends: expected at least two, as ends = [\"laptop\", \"router.inside\"]");
        }
        link.config.delay = table.duration("delay").value_or(1ms);
        link.config.bytes_per_second = read_rate(table);
        link.config.mtu = static_cast<u32>(table.integer("mtu", 68, 9000).value_or(1500));
        link.config.queue_bytes =
            static_cast<u32>(table.integer("queue", 1, 1 << 30).value_or(256 << 10));
        link.loss = table.percentage("loss").value_or(0);
        if (link.ends.size() > 2 && link.config.bytes_per_second != 0) {
            table.refuse("rate", "a link with more than two ends has none");
        }
        table.finish();
        names_.links.push_back(link.name);
        scenario_.links.push_back(std::move(link));
    }

    void check_plugged(std::size_t m) const {
        const auto& machine = names_.machines[m];
        for (std::size_t i = 0; i < machine.interfaces.size(); ++i) {
            if (plugged_.contains({m, i})) continue;
            root_.refuse(machine.name + (machine.router ? '.' + machine.interfaces[i] : "") +
                         " is at the end of no [[link]]");
        }
    }

    void read_timeline() {
        const auto timeline =
            root_.need("timeline", root_.table("timeline"), "[timeline] with steps = [...]");
        for (const TomlString& text : timeline.strings("steps")) {
            auto command = parse_command(text.text(), names_);
            if (!command) {
                throw Failure(kUsage, text.place(command.error().column) +
                                          ": timeline.steps: " + command.error().message);
            }
            scenario_.timeline.push_back({std::move(*command), text});
        }
        timeline.finish();
        if (scenario_.timeline.empty()) timeline.refuse("steps is missing, or empty");
    }

    /// [zh]: the author's words in Chinese. `says` has a text for each line that says something.
    void read_chinese(const TomlTable& table) {
        Timeline::Translation& chinese = scenario_.chinese;
        chinese.title = table.string("title").value_or("");
        chinese.watch = lines_of(table.string("watch").value_or(""));
        chinese.summary = lines_of(table.string("summary").value_or(""));
        const auto texts = table.strings("says");
        std::size_t next = 0;
        for (ScenarioLine& line : scenario_.timeline) {
            if (line.command.verb != Verb::Say) continue;
            if (next < texts.size()) line.chinese = texts[next].text();
            ++next;
        }
        if (table.has("says") && next != texts.size()) {
            table.refuse("says", "expected " + std::to_string(next) +
                                     ", one for each 'say' of timeline.steps, found " +
                                     std::to_string(texts.size()));
        }
        table.finish();
    }

    const TomlTable& root_;
    Scenario scenario_;
    CommandNames names_;
    std::set<std::pair<std::size_t, std::size_t>> plugged_;
    std::size_t lifelines_ = 0;
};

}  // namespace

Scenario read_scenario(const TomlTable& root, const std::string& name) {
    return Reader(root, name).read();
}

}  // namespace tapestry
