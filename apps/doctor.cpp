#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "apps/commands.h"
#include "apps/failure.h"
#include "apps/inspect/paint.h"
#include "drivers/host_check.h"

namespace tapestry {
namespace {

/// Whether a run with the default options is possible.
bool can_run(const std::vector<HostCheck>& checks) {
    return std::ranges::any_of(
        checks, [](const HostCheck& check) { return check.name == "sandbox" && check.ok; });
}

void print_lines(const std::vector<HostCheck>& checks) {
    const Paint paint = Paint::for_descriptor(STDOUT_FILENO);
    for (const HostCheck& check : checks) {
        const std::string mark = check.ok ? paint.green("ok     ") : paint.red("missing");
        std::printf("%s  %-16s %s\n", mark.c_str(), check.name.c_str(), check.detail.c_str());
        if (!check.remedy.empty()) std::printf("%26s %s\n", "", paint.bold(check.remedy).c_str());
    }
    std::printf("\n%s\n", can_run(checks)
                              ? "The default, --net sandbox, works here."
                              : "--net sandbox does not work here yet; --net memory always does.");
}

void print_json(const std::vector<HostCheck>& checks) {
    nlohmann::json list = nlohmann::json::array();
    for (const HostCheck& check : checks) {
        list.push_back({{"name", check.name},
                        {"ok", check.ok},
                        {"detail", check.detail},
                        {"remedy", check.remedy}});
    }
    const nlohmann::json document{{"checks", list}, {"can_run", can_run(checks)}};
    std::puts(document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
}

int doctor(bool json) {
    const auto checks = check_host();
    if (json) {
        print_json(checks);
    } else {
        print_lines(checks);
    }
    return can_run(checks) ? kDone : kNo;
}

}  // namespace

void add_doctor(CommandLine& program, Action& chosen) {
    const auto json = std::make_shared<bool>(false);
    CommandLine command =
        program.add("doctor", "what this machine allows, and how to mend the rest");
    command.examples(
        "  tapestry doctor\n"
        "  tapestry doctor --json | jq .can_run\n"
        "\n"
        "Nothing is changed. Exit status: 0 when a run with the default options is possible,\n"
        "else 1.");
    command.flag("--json", *json, "print the list as JSON");
    add_log_option(command);
    command.when_chosen([json, &chosen] { chosen = [json] { return doctor(*json); }; });
}

}  // namespace tapestry
