#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

#include "apps/bench/forward.h"
#include "apps/bench/stack.h"
#include "apps/bench/workload.h"
#include "apps/commands.h"
#include "apps/failure.h"
#include "drivers/setup_error.h"

namespace tapestry {
namespace {

struct BenchOptions {
    NetOptions net;
    std::string name;
    double seconds = 5;
    std::string peer;
    bool kernel = true;
    bool json = false;
};

const std::map<std::string, Workload> kWorkloads{{"bulk-send", Workload::BulkSend},
                                                 {"bulk-receive", Workload::BulkReceive},
                                                 {"rr", Workload::RoundTrips},
                                                 {"connect", Workload::Connect}};

const char* unit_of(Workload workload) {
    switch (workload) {
        case Workload::RoundTrips:
            return "round trips/s";
        case Workload::Connect:
            return "connections/s";
        default:
            return "Gbit/s";
    }
}

/// The kernel first, while no sandbox of ours is there; then the stack, then their ratio.
std::vector<Figure> measure_live(const BenchOptions& options, Workload workload) {
    const Duration time(static_cast<i64>(options.seconds * 1e9));
    const char* unit = unit_of(workload);
    std::vector<Figure> figures;
    double kernel = 0;
    if (options.kernel && options.net.kind == NetOptions::Kind::Sandbox) {
        kernel = measure_kernel(workload, time);
        figures.push_back({options.name + ", kernel over veth", kernel, unit});
    }
    const auto attachment = attach(options.net, nullptr);
    const auto peer = options.peer.empty()
                          ? options.net.gateway.value_or(Ipv4Address(192, 168, 3, 1))
                          : Ipv4Address::parse(options.peer);
    if (!peer) throw Failure(kUsage, "bench: --peer: not an IPv4 address: " + options.peer);
    const double ours = measure_stack(*attachment, *peer, workload, time);
    figures.push_back({options.name, ours, unit});
    if (kernel > 0) figures.push_back({options.name + ", ratio", ours / kernel, ""});
    return figures;
}

int run_bench(const BenchOptions& options) {
    std::vector<Figure> figures;
    try {
        const auto found = kWorkloads.find(options.name);
        if (options.name == "forward") {
            figures = measure_forward(Duration(static_cast<i64>(options.seconds * 1e9)));
        } else {
            figures =
                found == kWorkloads.end() ? measure_memory() : measure_live(options, found->second);
        }
    } catch (const SetupError& error) {
        throw Failure(kUsage, error.what());
    }
    if (options.json) {
        nlohmann::ordered_json list = nlohmann::ordered_json::array();
        for (const Figure& f : figures) {
            list.push_back({{"name", f.name}, {"value", f.value}, {"unit", f.unit}});
        }
        std::printf("%s\n", nlohmann::ordered_json{{"figures", list}}.dump(2).c_str());
        return kDone;
    }
    for (const Figure& f : figures) {
        std::printf("%-32s %12.*f %s\n", f.name.c_str(), f.value < 1000 ? 2 : 0, f.value,
                    f.unit.c_str());
    }
    return kDone;
}

}  // namespace

void add_bench(CommandLine& program, Action& chosen) {
    auto options = std::make_shared<BenchOptions>();
    CommandLine command = program.add("bench", "measure the stack, beside the kernel");
    command.examples(
        "  tapestry bench bulk-send                 to Linux over the TAP, and Linux to Linux\n"
        "  tapestry bench bulk-receive --no-offload --seconds 10\n"
        "  tapestry bench memory --json             two stacks in this process\n"
        "  tapestry bench forward                   our router, a copy loop, Linux, slirp4netns\n"
        "\n"
        "bulk-send and bulk-receive: one connection, blocks of 128 KB. rr: round trips of one\n"
        "byte. connect: connect and close. forward: through NAT, with 100,000 mappings.\n"
        "memory: no system call, virtual time.");
    command.option("NAME", options->name, "what to measure")
        .required()
        .one_of_listed({"bulk-send", "bulk-receive", "rr", "connect", "forward", "memory"});
    command.option("--seconds", options->seconds, "for how long")
        .between(0.1, 600.0)
        .value("S")
        .show_default();
    command.option("--peer", options->peer, "who has the services (ports 7, 9, 19)")
        .value("A.B.C.D");
    command.flag("!--no-kernel", options->kernel, "leave the kernel's own figure out");
    command.flag("--json", options->json, "figures as one JSON document");
    add_net_options(command, options->net);
    command.when_chosen([options, &chosen] { chosen = [options] { return run_bench(*options); }; });
}

}  // namespace tapestry
