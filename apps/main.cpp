#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "apps/commands.h"
#include "apps/failure.h"

namespace tapestry {
namespace {

void start_log() {
    auto log = spdlog::stderr_color_st("tapestry");
    log->set_pattern("tapestry: %l: %v");
    log->set_level(spdlog::level::warn);
    spdlog::set_default_logger(std::move(log));
}

void add_commands(CommandLine& program, Action& chosen) {
    program.examples(
        "  tapestry get --show ladder http://192.168.3.1/   fetch a page, show every segment\n"
        "  tapestry get --help                              all about a subcommand");
    for (const auto& add : {add_get, add_bench, add_serve, add_ping, add_nc, add_router, add_nat,
                            add_lab, add_doctor, add_inspect, add_replay}) {
        add(program, chosen);
    }
}

int run(int argc, char** argv) {
    start_log();
    // A reader that goes away is an error of a write, not the end of the program. Not SIG_IGN: that
    // would be inherited by the commands that we start.
    std::signal(SIGPIPE, [](int) {});

    Action chosen;
    const auto ended =
        read_command_line(argc, argv, "tapestry", "A userspace TCP/IP stack to be watched at work.",
                          [&](CommandLine& program) { add_commands(program, chosen); });
    if (ended) return *ended;
    if (!chosen) {
        std::fprintf(stderr, "tapestry: which subcommand? (tapestry --help lists them)\n");
        return kUsage;
    }
    return chosen();
}

}  // namespace
}  // namespace tapestry

int main(int argc, char** argv) {
    try {
        return tapestry::run(argc, argv);
    } catch (const tapestry::Failure& failure) {
        std::fprintf(stderr, "tapestry: %s\n", failure.what());
        return failure.status();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "tapestry: %s\n", error.what());
        return tapestry::kNo;
    }
}
