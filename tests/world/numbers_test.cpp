#include <gtest/gtest.h>

#include "drivers/capture.h"
#include "tests/support/transfer.h"

// Sequence numbers that wrap in the middle of a transfer, and runs that repeat to the byte.

namespace tapestry::test {
namespace {

TransferConfig lossy(u64 seed) {
    TransferConfig config = TransferConfig::quick();
    config.seed = seed;
    config.link.delay = 1ms;
    config.fault = {.drop = 2, .duplicate = 2, .reorder = 5, .corrupt = 0, .delay = 5ms};
    config.client_bytes = config.server_bytes = 300000;
    return config;
}

/// The ISN is a clock plus a secret: connecting later by as many ticks of 4 microseconds as are
/// missing begins with the number that is wanted.
Duration start_for(const TransferConfig& config, bool of_client, u32 wanted) {
    Transfer trial(config);
    EXPECT_TRUE(trial.run(std::chrono::hours(1))) << trial.report();
    const Transfer::Side& side = of_client ? trial.client : trial.server;
    return Duration(4us) * i64{wanted - side.socket.snapshot().iss.value()};
}

TEST(Numbers, WrapOnEitherSide) {
    for (const u32 place : {0U, 0x80000000U}) {
        for (const bool of_client : {true, false}) {
            TransferConfig config = lossy(7);
            // 100000 bytes before the place, so that it is passed in the middle.
            const u32 wanted = place - 100000;
            config.start = start_for(config, of_client, wanted);
            Transfer transfer(config);
            ASSERT_TRUE(transfer.run(std::chrono::hours(1))) << transfer.report();
            const Transfer::Side& side = of_client ? transfer.client : transfer.server;
            const SeqNum iss = side.socket.snapshot().iss;
            EXPECT_LT(iss - SeqNum(place), 0);
            EXPECT_GT(iss - SeqNum(place), -200000);
            EXPECT_GT(side.socket.snapshot().snd_una - SeqNum(place), 0)
                << "it has not been passed";
            ASSERT_TRUE(transfer.finish()) << transfer.report();
        }
    }
}

/// The clock's own corners: milliseconds that pass 2^31 and 2^32, and a stack that has run for years.
TEST(Numbers, TheClockMayBeginAnywhere) {
    for (const Duration start :
         {Duration((u64{1} << 31U) * 1ms) - 2s, Duration((u64{1} << 32U) * 1ms) - 2s,
          Duration(std::chrono::years(50))}) {
        TransferConfig config = lossy(8);
        config.start = start;
        Transfer transfer(config);
        ASSERT_TRUE(transfer.run(std::chrono::hours(1))) << transfer.report();
        ASSERT_TRUE(transfer.finish()) << transfer.report();
    }
}

/// What both ends of the cable saw, as a capture file.
std::vector<u8> capture_of(u64 seed) {
    World world({.seed = seed, .batch = 1});
    PcapngWriter writer = PcapngWriter::in_memory();
    Host& a = world.add_host("a", TransferConfig::quick().client);
    Host& b = world.add_host("b", TransferConfig::quick().client);
    MemoryLink& link = world.add_link({.delay = 1ms});
    const FaultConfig fault{.drop = 5, .duplicate = 5, .reorder = 5, .corrupt = 2};
    Fault& bad = a.keep<Fault>(link.end(0), world.clock(), seed, fault, fault);
    const u32 number = writer.add_interface("a");
    a.attach(a.keep<Capture>(bad, writer, number, world.clock()),
             {"eth0", MacAddress({2, 0, 0, 0, 0, 1}), {Ipv4Address(10, 0, 0, 1), 24}, 0});
    b.attach(link.end(1),
             {"eth0", MacAddress({2, 0, 0, 0, 0, 2}), {Ipv4Address(10, 0, 0, 2), 24}, 0});
    Listener listener = b.stack().tcp_listener();
    EXPECT_TRUE(listener.listen({Ipv4Address(), 80}));
    TcpSocket client = a.stack().tcp_socket();
    EXPECT_TRUE(client.connect({Ipv4Address(10, 0, 0, 2), 80}));
    const std::vector<u8> data(50000, 7);
    std::size_t written = 0;
    a.add_program([&] {
        while (written < data.size()) {
            const auto n = client.write(Bytes(data).subspan(written));
            if (!n) return;
            written += *n;
        }
    });
    TcpSocket server;
    std::vector<u8> buffer(65536);
    std::size_t read = 0;
    b.add_program([&] {
        if (!server) {
            if (auto accepted = listener.accept()) server = std::move(*accepted);
        }
        if (const auto n = server.read(buffer)) read += *n;
    });
    world.run_until([&] { return read == data.size(); }, TimePoint{10min});
    EXPECT_EQ(read, data.size());
    client.close();
    server.close();
    world.run_for(5min);
    return writer.bytes();
}

TEST(Numbers, EqualSeedsGiveEqualBytes) {
    const auto first = capture_of(1);
    EXPECT_GT(first.size(), 50000U);
    EXPECT_EQ(first, capture_of(1));
    EXPECT_NE(first, capture_of(2));
}

}  // namespace
}  // namespace tapestry::test
