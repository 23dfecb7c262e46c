#include "apps/test_services.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/packet_builder.h"
#include "tests/support/two_hosts.h"

namespace tapestry {
namespace {

using test::pattern_bytes;

class TestServicesTest : public testing::Test, public test::TwoHosts {
protected:
    TestServicesTest() : services(server.stack()) {
        EXPECT_TRUE(services.listen(TestServices::Kind::Echo, 7));
        EXPECT_TRUE(services.listen(TestServices::Kind::Discard, 9));
        EXPECT_TRUE(services.listen(TestServices::Kind::Chargen, 19));
        server.add_program([this] { services.poll(); });
    }
    TcpSocket call(u16 port) {
        TcpSocket socket = client.stack().tcp_socket();
        EXPECT_TRUE(socket.connect({kServer, port}));
        world.run_until([&] { return socket.state() == TcpState::Established; }, world.now() + 5s);
        return socket;
    }
    /// Writes `data` and reads until so much has come back, or the end.
    std::vector<u8> exchange(TcpSocket& socket, Bytes data, std::size_t wanted) {
        std::vector<u8> got;
        bool ended = false;
        world.run_until(
            [&] {
                if (!data.empty()) data = data.subspan(socket.write(data).value_or(0));
                std::vector<u8> block(65536);
                while (const auto n = socket.read(block)) {
                    ended = *n == 0;
                    if (ended) break;
                    got.insert(got.end(), block.begin(),
                               block.begin() + static_cast<std::ptrdiff_t>(*n));
                }
                return ended || got.size() >= wanted;
            },
            world.now() + 60s);
        return got;
    }
    TestServices services;
};

TEST_F(TestServicesTest, EchoGivesEverythingBackThenEnds) {
    TcpSocket socket = call(7);
    const auto data = pattern_bytes(5'000'000);
    EXPECT_EQ(exchange(socket, data, data.size()), data);
    ASSERT_TRUE(socket.shutdown(Shutdown::Send));
    world.run_for(1s);
    std::array<u8, 1> byte{};
    EXPECT_EQ(socket.read(byte), 0U);
    EXPECT_EQ(services.connections(), 0U);
}

TEST_F(TestServicesTest, EchoDoesNotReadAheadOfASlowReader) {
    TcpSocket socket = call(7);
    const auto data = pattern_bytes(40'000'000);
    std::size_t sent = 0;
    const TimePoint end = world.now() + 30s;
    world.run_until(
        [&] {
            sent += socket.write(Bytes(data).subspan(sent)).value_or(0);
            return sent == data.size();
        },
        end);
    // Two send buffers of at most 4 MB lie between, and receive buffers of 6 MB and of 1 MB, which
    // does not grow because nobody reads.
    EXPECT_LT(sent, 16'000'000U);
}

TEST_F(TestServicesTest, DiscardTakesEverythingAndSaysNothing) {
    TcpSocket socket = call(9);
    EXPECT_TRUE(exchange(socket, pattern_bytes(3'000'000), 1).empty());
    EXPECT_EQ(socket.snapshot().send_queued, 0U);
    ASSERT_TRUE(socket.shutdown(Shutdown::Send));
    world.run_for(1s);
    EXPECT_EQ(services.connections(), 0U);
}

TEST_F(TestServicesTest, ChargenSendsTheRingOfLines) {
    TcpSocket socket = call(19);
    const auto got = exchange(socket, {}, 1'000'000);
    ASSERT_GE(got.size(), 1'000'000U);
    for (std::size_t i = 0; i < 1'000'000; ++i) {
        const std::size_t line = i / 74;
        const std::size_t column = i % 74;
        const char wanted = column == 72   ? '\r'
                            : column == 73 ? '\n'
                                           : static_cast<char>(' ' + (line + column) % 95);
        ASSERT_EQ(static_cast<char>(got[i]), wanted) << i;
    }
    socket.close();
    world.run_for(1s);
    EXPECT_EQ(services.connections(), 0U);
}

TEST_F(TestServicesTest, EchoOfDatagrams) {
    UdpSocket socket = client.stack().udp_socket();
    ASSERT_TRUE(socket.connect({kServer, 7}));
    const auto data = pattern_bytes(4000);
    ASSERT_TRUE(socket.send(data));
    world.run_for(1s);
    std::vector<u8> got(10000);
    const auto datagram = socket.receive(got);
    ASSERT_TRUE(datagram);
    got.resize(datagram->size);
    EXPECT_EQ(got, data);
}

TEST_F(TestServicesTest, APortThatIsTakenIsSaidToBe) {
    EXPECT_EQ(services.listen(TestServices::Kind::Echo, 9).error(), Errno::AddressInUse);
}

}  // namespace
}  // namespace tapestry
