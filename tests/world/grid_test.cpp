#include <gtest/gtest.h>

#include "tests/support/transfer.h"

// One connection between two stacks of ours, a megabyte each way at once, over every bad network of a
// grid. Every byte arrives, in order, once; and no connection stays behind. A standstill shows as
// virtual time that runs away.

namespace tapestry::test {
namespace {

struct Cell {
    double drop;
    double reorder;
    double duplicate;
    double corrupt;
    Duration delay;

    std::string name() const {
        const auto number = [](double d) { return std::to_string(static_cast<int>(d)); };
        return "drop" + number(drop) + "_reorder" + number(reorder) + "_duplicate" +
               number(duplicate) + "_corrupt" + number(corrupt) + "_delay" +
               std::to_string(delay / 1ms);
    }
};

std::vector<Cell> cells() {
    std::vector<Cell> all;
    for (const double drop : {0.0, 1.0, 5.0, 15.0}) {
        for (const double reorder : {0.0, 10.0}) {
            for (const double duplicate : {0.0, 10.0}) {
                for (const double corrupt : {0.0, 2.0}) {
                    for (const Duration delay : {Duration{}, Duration{30ms}}) {
                        all.push_back({drop, reorder, duplicate, corrupt, delay});
                    }
                }
            }
        }
    }
    return all;
}

class Grid : public testing::TestWithParam<Cell> {
protected:
    static TransferConfig config_of(const Cell& cell, u64 seed) {
        TransferConfig config = TransferConfig::quick();
        config.seed = seed;
        config.link.delay = 100us;
        config.fault = {.drop = cell.drop,
                        .duplicate = cell.duplicate,
                        .reorder = cell.reorder,
                        .corrupt = cell.corrupt,
                        .delay = cell.delay,
                        .reorder_by = 5ms};
        // A wrong bit in an ARP packet, which has no checksum, is another story.
        config.static_neighbours = cell.corrupt > 0;
        return config;
    }
    static void expect_all(const TransferConfig& config) {
        Transfer transfer(config);
        ASSERT_TRUE(transfer.run(std::chrono::hours(2))) << transfer.report();
        ASSERT_TRUE(transfer.finish()) << transfer.report();
    }
};

TEST_P(Grid, EveryByteArrives) { expect_all(config_of(GetParam(), 1)); }

TEST_P(Grid, EveryByteArrivesInSuperFramesAndBatches) {
    TransferConfig config = config_of(GetParam(), 2);
    config.segmenter = true;
    config.batch = 32;
    expect_all(config);
}

TEST_P(Grid, EveryByteArrivesThroughSmallWindowsWithoutOptions) {
    TransferConfig config = config_of(GetParam(), 3);
    config.client_bytes = config.server_bytes = 200000;
    for (StackConfig* stack : {&config.client, &config.server}) {
        stack->tcp.receive_buffer = 5000;
        stack->tcp.send_buffer = 7000;
        stack->tcp.receive_buffer_max = stack->tcp.send_buffer_max = 0;
        stack->tcp.timestamps = false;
        stack->tcp.window_scaling = false;
    }
    config.read_size = 700;
    expect_all(config);
}

INSTANTIATE_TEST_SUITE_P(Networks, Grid, testing::ValuesIn(cells()),
                         [](const auto& cell) { return cell.param.name(); });

}  // namespace
}  // namespace tapestry::test
