#include <benchmark/benchmark.h>

#include <vector>

#include "stack/buf/byte_ring.h"
#include "stack/timer/timer.h"

namespace tapestry {
namespace {

/// What a bulk receiver does for each batch.
void ring_through(benchmark::State& state) {
    BlockPool pool(u64{64} << 20);
    ByteRing ring(pool);
    const std::vector<u8> data(static_cast<std::size_t>(state.range(0)), 7);
    for (auto _ : state) {
        benchmark::DoNotOptimize(ring.append(data));
        benchmark::DoNotOptimize(ring.peek(0, ring.size()));
        ring.discard(ring.size());
    }
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(ring_through)->Arg(1448)->Arg(65536);

struct Nothing final : Timer {
    void on_timer(TimePoint /*now*/) override {}
};

/// The retransmission timer of one among many connections, put off by each acknowledgment.
void timer_put_off(benchmark::State& state) {
    TimerQueue queue;
    std::vector<Nothing> timers(static_cast<std::size_t>(state.range(0)));
    TimePoint now{};
    for (Nothing& timer : timers) queue.arm(timer, now + 1s);
    std::size_t i = 0;
    for (auto _ : state) {
        now += 1us;
        queue.arm(timers[i++ % timers.size()], now + 1s);
        queue.advance(now);
    }
}
BENCHMARK(timer_put_off)->Arg(1)->Arg(10000);

}  // namespace
}  // namespace tapestry
