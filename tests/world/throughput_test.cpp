#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/bulk.h"
#include "tests/support/page.h"

// How fast one connection is on paths of all kinds, and how several share one: docs/tcp-grid.md holds
// what comes out, beside what theory says, and these tests fail when that is no longer true.

namespace tapestry::test {
namespace {

const std::filesystem::path kPage =
    std::filesystem::path(TEST_ROOT).parent_path() / "docs/tcp-grid.md";

constexpr u64 kMss = 1448;
constexpr u64 kLinkRate = 25'000'000;                     // bytes per second: 200 Mbit/s
constexpr double kGoodput = kLinkRate * (kMss / 1514.0);  // without headers

std::string name_of(Congestion congestion) {
    return congestion == Congestion::Reno ? "Reno" : "CUBIC";
}

/// Bytes per second as Mbit/s with three digits that mean something.
std::string mbit(double bytes_per_second) {
    u64 bits = static_cast<u64>(std::llround(bytes_per_second * 8));
    u64 unit = 1;
    while (bits / unit >= 1000) unit *= 10;
    bits = (bits + unit / 2) / unit * unit;
    std::string text = std::to_string(bits / 1'000'000);
    const std::string part = std::to_string(1'000'000 + bits % 1'000'000).substr(1);
    const std::size_t digits = text == "0" ? 6 : 3 - std::min<std::size_t>(text.size(), 3);
    text += '.' + part.substr(0, digits);
    while (text.back() == '0' && text.find('.') != std::string::npos) text.pop_back();
    if (text.back() == '.') text.pop_back();
    return text;
}

std::string ratio(double a, double b) {
    const i64 hundredths = std::llround(100 * a / b);
    return std::to_string(hundredths / 100) + '.' +
           std::to_string(100 + hundredths % 100).substr(1);
}

/// What a path lets through by theory, and why.
struct Expected {
    double bytes_per_second;
    const char* bound;
};

/// Mathis and others (1997): sqrt(3/2) / sqrt(p) segments in flight; RFC 9438 5.1: the fourth root of
/// C (3 + beta) / (4 (1 - beta)), times (RTT / p)^(3/4), or Reno's where that is more.
double average_window(Congestion congestion, double p, double rtt) {
    const double reno = std::sqrt(1.5 / p);
    if (congestion == Congestion::Reno) return reno;
    const CubicConfig cubic;
    const double factor = cubic.c * (3 + cubic.beta) / (4 * (1 - cubic.beta));
    const double x = rtt / p;
    return std::max(reno, std::sqrt(std::sqrt(factor * x * x * x)));
}

Expected expect(Congestion congestion, double drop, double rtt, u32 buffer) {
    Expected expected{kGoodput, "link"};
    const auto bound = [&](double rate, const char* by) {
        if (rate < expected.bytes_per_second) expected = {rate, by};
    };
    bound(buffer / rtt, "window");
    if (drop > 0) bound(average_window(congestion, drop / 100, rtt) * double{kMss} / rtt, "loss");
    return expected;
}

struct Path {
    Congestion congestion;
    int rtt_ms;
};

class TcpGrid : public testing::TestWithParam<Path> {
protected:
    /// How many segments are measured, and how many round trips come before them.
    static std::pair<u64, int> effort(double drop, u32 buffer, int rtt_ms) {
        if (drop > 0) return {drop < 1 ? 9000 : 3000, 20};
        if (buffer < 1U << 24U) return {3000, 15};
        return {10000, rtt_ms == 200 ? 12 : 25};
    }

    static double measure(const Path& path, double drop, u32 buffer) {
        const Duration rtt = path.rtt_ms * 1ms;
        const u32 bdp = static_cast<u32>(kLinkRate * static_cast<u64>(path.rtt_ms) / 1000);
        BulkConfig config;
        config.stack.tcp.congestion = path.congestion;
        config.stack.tcp.send_buffer = config.stack.tcp.receive_buffer = buffer;
        config.stack.tcp.send_buffer_max = config.stack.tcp.receive_buffer_max = 0;
        config.link.delay = rtt / 2;
        config.link.bytes_per_second = kLinkRate;
        config.link.queue_bytes = std::max(bdp, 65536U);
        config.link.max_frames = 4096 + 2 * config.link.queue_bytes / 1514;
        config.drop = drop;
        Bulk bulk(config);
        const auto [segments, rounds] = effort(drop, buffer, path.rtt_ms);
        const u64 bytes = segments * kMss;
        bulk.run_until(TimePoint{} + rounds * rtt);
        if (drop > 0) bulk.run_until_bytes(bytes / 3);
        const u64 before = bulk.arrived();
        const TimePoint begin = bulk.now();
        EXPECT_TRUE(bulk.run_until_bytes(before + bytes, begin + std::chrono::hours(1)));
        return static_cast<double>(bulk.arrived() - before) / to_seconds(bulk.now() - begin);
    }
};

TEST_P(TcpGrid, OneFlow) {
    const Path path = GetParam();
    std::string text =
        "| loss | buffers | Mbit/s | expected | bound by | ratio |\n"
        "|---|---|---|---|---|---|\n";
    for (const double drop : {0.0, 0.1, 1.0, 2.0, 5.0}) {
        for (const u32 buffer : {64U << 10U, 1U << 20U, 16U << 20U}) {
            const Expected expected = expect(path.congestion, drop, path.rtt_ms / 1000.0, buffer);
            const double rate = measure(path, drop, buffer);
            text += std::string("| ") + (drop == 0.1 ? "0.1" : std::to_string(std::lround(drop))) +
                    " % | " +
                    (buffer < 1U << 20U ? std::to_string(buffer >> 10U) + " KB"
                                        : std::to_string(buffer >> 20U) + " MB") +
                    " | " + mbit(rate) + " | " + mbit(expected.bytes_per_second) + " | " +
                    expected.bound + " | " + ratio(rate, expected.bytes_per_second) + " |\n";
        }
    }
    expect_section(
        kPage, "## " + name_of(path.congestion) + ", " + std::to_string(path.rtt_ms) + " ms", text);
}

std::vector<Path> paths() {
    std::vector<Path> all;
    for (const Congestion congestion : {Congestion::Reno, Congestion::Cubic}) {
        for (const int rtt_ms : {1, 10, 50, 200}) all.push_back({congestion, rtt_ms});
    }
    return all;
}

INSTANTIATE_TEST_SUITE_P(Paths, TcpGrid, testing::ValuesIn(paths()), [](const auto& path) {
    return name_of(path.param.congestion) + std::to_string(path.param.rtt_ms) + "ms";
});

class TcpShares : public testing::TestWithParam<Congestion> {};

/// Jain's index: (sum x)^2 / (n * sum x^2); 1 where all have the same, 1/n where one has everything.
TEST_P(TcpShares, OfOneLink) {
    constexpr u64 kShared = 2'500'000;  // bytes per second: 20 Mbit/s
    constexpr Duration kDelay = 20ms;
    std::string text =
        "| flows | Mbit/s, all | of the link | Jain's index | least / most |\n"
        "|---|---|---|---|---|\n";
    for (const u32 flows : {2U, 4U, 8U, 16U}) {
        BulkConfig config;
        config.stack.tcp.congestion = GetParam();
        config.flows = flows;
        config.stagger = 73ms;
        config.link.delay = kDelay;
        config.link.bytes_per_second = kShared;
        config.link.queue_bytes = 100'000;
        Bulk bulk(config);
        bulk.run_until(TimePoint{} + 6s);
        std::vector<double> shares;
        for (u32 i = 0; i < flows; ++i) shares.push_back(-static_cast<double>(bulk.arrived(i)));
        constexpr Duration kTime = 10s;
        bulk.run_until(bulk.now() + kTime);
        double sum = 0;
        double squares = 0;
        for (u32 i = 0; i < flows; ++i) {
            shares[i] += static_cast<double>(bulk.arrived(i));
            sum += shares[i];
            squares += shares[i] * shares[i];
        }
        const auto [least, most] = std::minmax_element(shares.begin(), shares.end());
        const double rate = sum / to_seconds(kTime);
        text += "| " + std::to_string(flows) + " | " + mbit(rate) + " | " +
                ratio(rate, kShared * (kMss / 1514.0)) + " | " + ratio(sum * sum, flows * squares) +
                " | " + ratio(*least, *most) + " |\n";
    }
    expect_section(kPage, "## " + name_of(GetParam()) + ", shared", text);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, TcpShares,
                         testing::Values(Congestion::Reno, Congestion::Cubic),
                         [](const auto& which) { return name_of(which.param); });

}  // namespace
}  // namespace tapestry::test
