#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/transfer.h"

// Networks, options, buffers and readers by lot. Each seed is one small world; a seed that ever failed
// is found again by its number.

namespace tapestry::test {
namespace {

template <typename T>
T one_of(Rng& rng, std::initializer_list<T> choices) {
    return *(choices.begin() + rng.below(static_cast<u32>(choices.size())));
}

void choose_stack(Rng& rng, StackConfig& stack) {
    TcpConfig& tcp = stack.tcp;
    tcp.receive_buffer = one_of(rng, {1000U, 1460U, 4000U, 20000U, 65536U, 1U << 20U});
    tcp.send_buffer = one_of(rng, {500U, 3000U, 20000U, 1U << 20U});
    if (rng.below(2) == 0) tcp.receive_buffer_max = tcp.send_buffer_max = 0;
    tcp.timestamps = rng.below(2) == 0;
    tcp.window_scaling = rng.below(2) == 0;
    tcp.nagle = rng.below(4) != 0;
    tcp.delayed_ack = one_of(rng, {Duration{1ms}, Duration{40ms}, Duration{400ms}});
    tcp.min_rto = one_of(rng, {Duration{10ms}, Duration{200ms}, Duration{1s}});
    tcp.max_out_of_order_blocks = one_of(rng, {1U, 4U, 64U});
    tcp.initial_window_segments = one_of(rng, {1U, 2U, 10U});
    stack.arp.announce = rng.below(2) == 0;
    // With every third segment lost somebody gives up now and then, rightly.
    tcp.r2_syn_retries = 30;
    tcp.syn_ack_retries = 30;
    tcp.r2_retries = 60;
}

TransferConfig choose(u64 seed) {
    SeededRng rng(seed);
    TransferConfig config;
    config.seed = seed;
    config.batch = one_of(rng, {std::size_t{1}, std::size_t{4}, std::size_t{32}});
    config.client_bytes = rng.below(60000);
    config.server_bytes = rng.below(60000);
    choose_stack(rng, config.client);
    choose_stack(rng, config.server);
    config.link.delay = one_of(rng, {Duration{}, Duration{100us}, Duration{20ms}, Duration{300ms}});
    config.link.mtu = one_of(rng, {296U, 576U, 1500U, 9000U});
    config.link.tail_drop = rng.below(2) == 0;
    if (rng.below(2) == 0) config.link.bytes_per_second = one_of(rng, {20000U, 1000000U});
    config.link.queue_bytes = one_of(rng, {10000U, 100000U});
    config.fault.drop = one_of(rng, {0.0, 0.0, 2.0, 10.0, 20.0});
    config.fault.duplicate = one_of(rng, {0.0, 5.0, 30.0});
    config.fault.reorder = one_of(rng, {0.0, 10.0, 40.0});
    config.fault.corrupt = one_of(rng, {0.0, 0.0, 5.0});
    config.fault.delay = one_of(rng, {Duration{}, Duration{10ms}});
    config.fault.reorder_by = one_of(rng, {Duration{1ms}, Duration{50ms}, Duration{1s}});
    // ARP gives up after three requests, and has no checksum: another story.
    config.static_neighbours = config.fault.corrupt > 0 || config.fault.drop > 0;
    config.segmenter = rng.below(2) == 0;
    config.answer_at_end = rng.below(4) == 0;
    config.write_size = one_of(rng, {std::size_t{1000}, std::size_t{8192}, std::size_t{65536}});
    config.read_size = one_of(rng, {std::size_t{100}, std::size_t{5000}, std::size_t{65536}});
    if (rng.below(4) == 0) config.read_interval = one_of(rng, {Duration{20ms}, Duration{2s}});
    config.start = Duration(4us) * i64{static_cast<u32>(rng.next())};
    return config;
}

TEST(Chaos, EverySeedArrives) {
    const char* first = std::getenv("CHAOS_FIRST");
    const char* count = std::getenv("CHAOS_COUNT");
    const u64 begin = first != nullptr ? std::strtoull(first, nullptr, 10) : 1;
    const u64 n = count != nullptr ? std::strtoull(count, nullptr, 10) : 400;
    for (u64 seed = begin; seed < begin + n; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Transfer transfer(choose(seed));
        ASSERT_TRUE(transfer.run(std::chrono::hours(24))) << transfer.report();
        ASSERT_TRUE(transfer.finish(std::chrono::hours(1))) << transfer.report();
    }
}

}  // namespace
}  // namespace tapestry::test
