#include <algorithm>
#include <array>

#include "apps/bench/workload.h"
#include "apps/failure.h"
#include "drivers/monotonic.h"
#include "drivers/world.h"

namespace tapestry {
namespace {

constexpr u64 kSegments = 60000;
constexpr u32 kText = 1460;  // a full segment without options
constexpr int kRuns = 5;
constexpr u16 kPort = 9;

/// Hears everything and does nothing: what listening itself costs.
class Listening final : public TraceSink {};

struct Mode {
    const char* name;
    bool super_frames;
    bool traced;
};
constexpr std::array kModes{
    Mode{"memory", false, false},
    Mode{"memory, traced", false, true},
    Mode{"memory, super-frames", true, false},
    Mode{"memory, super-frames, traced", true, true},
};

StackConfig config() {
    StackConfig config;
    config.tcp.timestamps = false;  // so that a segment has 1460 bytes of text
    return config;
}

/// Real seconds until all segments have been written to `out` and read from `in`.
double transfer(World& world, TcpSocket& out, TcpSocket& in) {
    static const std::vector<u8> block(kBenchBlock, 0x5a);
    u64 unsent = kSegments * kText;
    u64 unread = unsent;
    const auto turn = [&] {
        while (unsent > 0) {
            const auto n = out.write(Bytes(block).first(std::min<u64>(block.size(), unsent)));
            if (!n) break;
            unsent -= *n;
        }
        while (const auto pieces = in.peek(1U << 20)) {
            const std::size_t n = (*pieces)[0].size() + (*pieces)[1].size();
            if (n == 0) break;
            in.consume(n);
            unread -= n;
        }
        return unread == 0;
    };
    const TimePoint start = monotonic_now();
    const bool done = world.run_until(turn, world.now() + 600s);
    const double seconds = to_seconds(monotonic_now() - start);
    if (!done) throw Failure(kNo, "the transfer in memory did not end");
    return seconds;
}

/// Real seconds for one transfer between two new hosts.
double run(const Mode& mode) {
    World world(WorldConfig{.seed = 1, .batch = 64});
    Host& sender = world.add_host("sender", config());
    Host& receiver = world.add_host("receiver", config());
    LinkConfig link;
    link.delay = 10us;
    link.max_super_frame = mode.super_frames ? 65535 : 0;
    world.connect(sender,
                  {.name = "eth0",
                   .mac = MacAddress({2, 0, 0, 0, 0, 1}),
                   .address = {Ipv4Address(192, 168, 3, 10), 24}},
                  receiver,
                  {.name = "eth0",
                   .mac = MacAddress({2, 0, 0, 0, 0, 2}),
                   .address = {Ipv4Address(192, 168, 3, 1), 24}},
                  link);
    Listening listening;
    if (mode.traced) {
        sender.stack().set_trace(&listening);
        receiver.stack().set_trace(&listening);
    }
    Listener listener = receiver.stack().tcp_listener();
    TcpSocket out = sender.stack().tcp_socket();
    if (!listener.listen({Ipv4Address(), kPort}) ||
        !out.connect({receiver.stack().interface(0).address(), kPort}) ||
        !world.run_until([&] { return listener.acceptable(); }, world.now() + 10s)) {
        throw Failure(kNo, "the two stacks in memory found no connection");
    }
    TcpSocket in = std::move(*listener.accept());
    return transfer(world, out, in);
}

}  // namespace

std::vector<Figure> measure_memory() {
    // Interleaved, so that what disturbs the machine disturbs all modes alike.
    std::array<std::vector<double>, kModes.size()> seconds;
    for (int i = 0; i < kRuns; ++i) {
        for (std::size_t m = 0; m < kModes.size(); ++m) seconds.at(m).push_back(run(kModes.at(m)));
    }
    std::vector<Figure> figures;
    for (std::size_t m = 0; m < kModes.size(); ++m) {
        std::vector<double>& all = seconds.at(m);
        std::ranges::nth_element(all, all.begin() + kRuns / 2);
        const double median = all[kRuns / 2];
        const std::string name = kModes.at(m).name;
        figures.push_back({name, median * 1e9 / kSegments, "ns per 1460 bytes"});
        figures.push_back({name, 8e-9 * kSegments * kText / median, "Gbit/s"});
    }
    return figures;
}

}  // namespace tapestry
