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

/// One line that says where on the command line, and what is wrong there.
int refuse(const CLI::App& program, const CLI::ParseError& error) {
    std::string where = "tapestry";
    for (const CLI::App* command : program.get_subcommands()) where += ' ' + command->get_name();
    std::string what = error.what();
    what = what.substr(0, what.find('\n'));
    std::fprintf(stderr, "%s: %s (%s --help shows how)\n", where.c_str(), what.c_str(),
                 where.c_str());
    return kUsage;
}

int run(int argc, char** argv) {
    start_log();
    // A reader that goes away is an error of a write, not the end of the program. Not SIG_IGN: that
    // would be inherited by the commands that we start.
    std::signal(SIGPIPE, [](int) {});

    CLI::App program("A userspace TCP/IP stack to be watched at work.", "tapestry");
    add_examples(
        program,
        "  tapestry get --show ladder http://192.168.3.1/   fetch a page, show every segment\n"
        "  tapestry get --help                              all about a subcommand");
    program.require_subcommand(0, 1);
    Action chosen;
    add_get(program, chosen);
    add_bench(program, chosen);
    add_serve(program, chosen);
    add_ping(program, chosen);
    add_nc(program, chosen);
    add_router(program, chosen);
    add_nat(program, chosen);
    add_lab(program, chosen);
    add_doctor(program, chosen);
    add_inspect(program, chosen);
    add_replay(program, chosen);
    try {
        program.parse(argc, argv);
    } catch (const CLI::CallForHelp& help) {
        return program.exit(help);
    } catch (const CLI::ParseError& error) {
        return refuse(program, error);
    }
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
