// What can be set on a socket: ranges, and what goes out.

#include <gtest/gtest.h>

#include "tests/tcp/connected_host.h"

namespace tapestry::test {
namespace {

struct Range {
    const char* name;
    TcpSocketOptions inside;
    TcpSocketOptions outside;
};

const std::vector<Range>& ranges() {
    static const std::vector<Range> all{
        {"keep_idle", {.keep_idle = 32767s}, {.keep_idle = 32768s}},
        {"keep_idle_negative", {.keep_idle = 1ms}, {.keep_idle = -1s}},
        {"keep_interval", {.keep_interval = 32767s}, {.keep_interval = 32768s}},
        {"keep_interval_negative", {.keep_interval = 1ms}, {.keep_interval = -1s}},
        {"keep_count", {.keep_count = 127}, {.keep_count = 128}},
        {"user_timeout", {.user_timeout = 2147483647ms}, {.user_timeout = 2147483648ms}},
        {"user_timeout_negative", {.user_timeout = 200ms}, {.user_timeout = -1ms}},
        {"send_buffer", {.send_buffer = 1U << 30}, {.send_buffer = (1U << 30) + 1}},
        {"receive_buffer", {.receive_buffer = 1U << 30}, {.receive_buffer = (1U << 30) + 1}},
        {"max_segment", {.max_segment = 32767}, {.max_segment = 32768}},
        {"max_segment_small", {.max_segment = 88}, {.max_segment = 87}},
        {"linger", {.linger = 0s}, {.linger = -1s}},
        {"linger_long", {.linger = 2147483647s}, {.linger = 2147483648s}},
    };
    return all;
}

class OptionRange : public testing::TestWithParam<std::size_t> {};

TEST_P(OptionRange, OutsideIsRefusedAndChangesNothing) {
    const Range& range = ranges().at(GetParam());
    ConnectedHost c;
    ASSERT_TRUE(c.socket.set_options(range.inside));
    EXPECT_EQ(c.socket.options(), range.inside);
    EXPECT_EQ(c.socket.set_options(range.outside).error(), Errno::InvalidArgument);
    EXPECT_EQ(c.socket.options(), range.inside);

    ASSERT_TRUE(c.listener.set_options(range.inside));
    EXPECT_EQ(c.listener.set_options(range.outside).error(), Errno::InvalidArgument);
    EXPECT_EQ(ConnectedHost(TcpHost::quiet(), range.inside).socket.options(), range.inside);
}

INSTANTIATE_TEST_SUITE_P(Rows, OptionRange, testing::Range(std::size_t{0}, ranges().size()),
                         [](const auto& row) { return std::string(ranges()[row.param].name); });

Ipv4View ip_of(const RecordingPort::Sent& sent) {
    return Ipv4View::parse(EthernetView::parse(sent.bytes)->payload()).value();
}

TEST(TcpOptions, ListenerThatDoesNotListenIsABadDescriptor) {
    Listener none;
    EXPECT_EQ(none.set_options({}).error(), Errno::BadDescriptor);
}

TEST(TcpOptions, TosMayChangeAndLeavesTheBitsOfEcnAlone) {
    ConnectedHost c;
    for (const int tos : {0xb8 | 3, 0x28, 0}) {
        ASSERT_TRUE(c.socket.set_options({.tos = static_cast<u8>(tos)}));
        EXPECT_EQ(c.socket.options().tos, tos & 0xfc);
        ASSERT_TRUE(c.write(10));
        const auto sent = c.host.port.take();
        ASSERT_EQ(sent.size(), 1U);
        EXPECT_EQ(ip_of(sent[0]).tos(), tos & 0xfc);
        c.peer(0, TcpFlags::kAck, static_cast<u32>(c.socket.info().bytes_sent));
    }
}

/// An answer to a segment that is refused is the connection's, too.
TEST(TcpOptions, AnswersAtOnceHaveTheTtlAndTos) {
    ConnectedHost c;
    ASSERT_TRUE(c.socket.set_options({.ttl = 7, .tos = 0x20}));
    c.peer(100, TcpFlags::kAck, 0, 10);  // early: a duplicate ACK
    const auto sent = c.host.port.take();
    ASSERT_EQ(sent.size(), 1U);
    EXPECT_EQ(ip_of(sent[0]).ttl(), 7);
    EXPECT_EQ(ip_of(sent[0]).tos(), 0x20);
}

}  // namespace
}  // namespace tapestry::test
