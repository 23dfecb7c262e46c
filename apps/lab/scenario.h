#pragma once

#include <optional>
#include <string>
#include <vector>

#include "apps/inspect/timeline.h"
#include "apps/lab/command.h"
#include "apps/toml_file.h"
#include "drivers/memory_link.h"
#include "stack/base/config.h"

namespace tapestry {

/// A line of the timeline, and where it stands.
struct ScenarioLine {
    Command command;
    TomlString source;
    std::string chinese = {};  ///< what `say` says, in Chinese; "": the same
};

struct ScenarioInterface {
    std::string name = "eth0";
    Ipv4Prefix address;
};

/// A host or a router.
struct ScenarioMachine {
    std::string name;
    bool router = false;
    bool two_lines = false;  ///< a router that is drawn with a line for each interface
    std::vector<ScenarioInterface> interfaces;
    std::optional<Ipv4Address> gateway;
    /// Everybody is a neighbour at this interface: its cable stands for the whole Internet.
    std::optional<std::size_t> on_link;
    StackConfig config;
    std::vector<TomlString> iptables;
};

/// A cable, or a switch when it has more than two ends.
struct ScenarioLink {
    struct End {
        std::size_t machine = 0;
        std::size_t interface = 0;
    };
    std::string name;
    std::vector<End> ends;
    LinkConfig config;
    double loss = 0;  ///< percent
};

/// A lab as its file describes it. Nothing in it has to be checked again but the iptables lines, of
/// which only a router can tell.
struct Scenario {
    std::string name;
    int order = 0;  ///< among the built-in ones
    std::string title;
    std::vector<std::string> watch;
    std::vector<std::string> summary;
    Timeline::Translation chinese;
    std::vector<ScenarioMachine> machines;
    std::vector<ScenarioLink> links;
    std::vector<ScenarioLine> timeline;
};

/// Reads a scenario out of its file, of which this is the root. Throws Failure (kUsage) with one line
/// that says file, line, column, key and what was expected.
Scenario read_scenario(const TomlTable& root, const std::string& name);

}  // namespace tapestry
