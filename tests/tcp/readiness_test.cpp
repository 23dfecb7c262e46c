// poll(2): every state with the events that Linux's tcp(7) and poll(2) give it.

#include "stack/base/ready.h"

#include <functional>
#include <ostream>

#include "tests/tcp/connected_host.h"

namespace tapestry {
/// For messages: "IN|OUT|RDHUP"
void PrintTo(const Readiness& ready, std::ostream* out) {
    *out << (ready.readable ? "IN " : "") << (ready.priority ? "PRI " : "")
         << (ready.writable ? "OUT " : "") << (ready.error ? "ERR " : "")
         << (ready.hangup ? "HUP " : "") << (ready.read_hangup ? "RDHUP" : "");
}
}  // namespace tapestry

namespace tapestry::test {
namespace {

constexpr u8 kAck = TcpFlags::kAck;
constexpr u8 kFin = TcpFlags::kFin | TcpFlags::kAck;

struct Row {
    const char* name;
    TcpState state;
    std::function<void(ConnectedHost&)> go;  ///< from ESTABLISHED
    Readiness events;
};

const Readiness kBothShut{.readable = true, .writable = true, .hangup = true, .read_hangup = true};

const std::vector<Row>& rows() {
    static const std::vector<Row> all{
        {"established", TcpState::Established, [](auto&) {}, {.writable = true}},
        {"data",
         TcpState::Established,
         [](auto& c) { c.peer(0, kAck, 0, 5); },
         {.readable = true, .writable = true}},
        {"full", TcpState::Established, [](auto& c) { c.write(2000000); }, {}},
        {"full_and_data",
         TcpState::Established,
         [](auto& c) {
             c.write(2000000);
             c.peer(0, kAck, 0, 5);
         },
         {.readable = true}},
        {"peers_fin",
         TcpState::CloseWait,
         [](auto& c) { c.peer(0, kFin, 0); },
         {.readable = true, .writable = true, .read_hangup = true}},
        {"peers_fin_and_full",
         TcpState::CloseWait,
         [](auto& c) {
             c.write(2000000);
             c.peer(0, kFin, 0);
         },
         {.readable = true, .read_hangup = true}},
        {"shut_read",
         TcpState::Established,
         [](auto& c) { c.shutdown(Shutdown::Receive); },
         {.readable = true, .writable = true, .read_hangup = true}},
        {"shut_write",
         TcpState::FinWait1,
         [](auto& c) { c.shutdown(Shutdown::Send); },
         {.writable = true}},
        {"shut_write_acked",
         TcpState::FinWait2,
         [](auto& c) {
             c.shutdown(Shutdown::Send);
             c.peer(0, kAck, 1);
         },
         {.writable = true}},
        {"shut_write_full",
         TcpState::FinWait1,
         [](auto& c) {
             c.write(2000000);
             c.shutdown(Shutdown::Send);
         },
         {.writable = true}},
        {"shut_both", TcpState::FinWait1, [](auto& c) { c.shutdown(Shutdown::Both); }, kBothShut},
        {"closing", TcpState::Closing,
         [](auto& c) {
             c.shutdown(Shutdown::Send);
             c.peer(0, kFin, 0);
         },
         kBothShut},
        {"last_ack", TcpState::LastAck,
         [](auto& c) {
             c.peer(0, kFin, 0);
             c.shutdown(Shutdown::Send);
         },
         kBothShut},
        {"time_wait", TcpState::TimeWait,
         [](auto& c) {
             c.shutdown(Shutdown::Send);
             c.peer(0, kFin, 1);
         },
         kBothShut},
        {"closed_in_order", TcpState::Closed,
         [](auto& c) {
             c.peer(0, kFin, 0);
             c.shutdown(Shutdown::Send);
             c.peer(1, kAck, 1);
         },
         kBothShut},
        {"reset",
         TcpState::Closed,
         [](auto& c) { c.peer(0, TcpFlags::kRst, 0); },
         {.readable = true, .writable = true, .hangup = true, .error = true, .read_hangup = true}},
        {"reset_and_told", TcpState::Closed,
         [](auto& c) {
             c.peer(0, TcpFlags::kRst, 0);
             EXPECT_EQ(c.socket.take_error(), Errno::ConnectionReset);
         },
         kBothShut},
        {"urgent_is_data",
         TcpState::Established,
         [](auto& c) { c.peer(0, kAck | TcpFlags::kUrg, 0, 5); },
         {.readable = true, .writable = true}},
    };
    return all;
}

class ReadinessOf : public testing::TestWithParam<std::size_t> {};

TEST_P(ReadinessOf, State) {
    const Row& row = rows().at(GetParam());
    ConnectedHost c;
    row.go(c);
    EXPECT_EQ(c.socket.state(), row.state);
    EXPECT_EQ(c.socket.readiness(), row.events);
}

INSTANTIATE_TEST_SUITE_P(Rows, ReadinessOf, testing::Range(std::size_t{0}, rows().size()),
                         [](const auto& test) { return std::string(rows().at(test.param).name); });

TEST(Readiness, OfASocketThatWasNeverOpenIsHungUp) {
    TcpHost host;
    const TcpSocket socket = host.stack.tcp_socket();
    EXPECT_EQ(socket.readiness(), (Readiness{.writable = true, .hangup = true}));
}

TEST(Readiness, OfAHandshakeIsNothingUntilItIsDecided) {
    TcpHost host;
    TcpSocket socket = host.stack.tcp_socket();
    ASSERT_TRUE(socket.connect({TcpHost::kPeer, 1000}));
    host.settle();
    EXPECT_EQ(socket.readiness(), Readiness{});
    const auto syn = host.take().at(0);
    TcpHeader answer = tcp_header(0, TcpFlags::kRst | TcpFlags::kAck, syn.seq.value() + 1);
    answer.destination_port = syn.source_port;
    host.receive(answer);
    EXPECT_EQ(socket.readiness(), (Readiness{.readable = true,
                                             .writable = true,
                                             .hangup = true,
                                             .error = true,
                                             .read_hangup = true}));
}

TEST(Readiness, OfAFullBufferComesBackWhenAThirdIsFree) {
    ConnectedHost c;
    ASSERT_TRUE(c.socket.set_options({.send_buffer = 300}));
    ASSERT_EQ(c.write(300), 300U);
    c.peer(0, kAck, 99);
    EXPECT_FALSE(c.socket.readiness().writable);
    c.peer(0, kAck, 100);
    EXPECT_TRUE(c.socket.readiness().writable);
}

}  // namespace
}  // namespace tapestry::test
