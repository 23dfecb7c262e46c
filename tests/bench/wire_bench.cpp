#include <benchmark/benchmark.h>

#include <vector>

#include "stack/wire/checksum.h"
#include "stack/wire/segment.h"

namespace tapestry {
namespace {

void checksum(benchmark::State& state) {
    const std::vector<u8> data(static_cast<std::size_t>(state.range(0)), 0x5a);
    for (auto _ : state) benchmark::DoNotOptimize(internet_checksum(data));
    state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(checksum)->Arg(20)->Arg(1460)->Arg(65536);

void parse_segment(benchmark::State& state) {
    std::vector<u8> bytes(32 + 1448);
    TcpHeader{.source_port = 80,
              .destination_port = 40000,
              .flags = {TcpFlags::kAck},
              .options = {.timestamps = TcpTimestamps{1, 2}}}
        .write(bytes.data());
    const Ipv4Address a(192, 168, 3, 1);
    const Ipv4Address b(192, 168, 3, 10);
    for (auto _ : state) benchmark::DoNotOptimize(Segment::parse(bytes, a, b, true));
}
BENCHMARK(parse_segment);

}  // namespace
}  // namespace tapestry
