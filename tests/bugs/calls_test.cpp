// Row 65: calls that wait, and what ends the wait. In a world, where waiting lets virtual time pass.

#include "drivers/socket.h"
#include "tests/bugs/bench.h"
#include "tests/support/two_hosts.h"

namespace tapestry {
namespace {

using namespace test;  // NOLINT: the helpers of these tests

constexpr Endpoint kWeb{TwoHosts::kServer, 80};

enum class Call : u8 { Receive, Send, Accept, Connect };
enum class Event : u8 { Reset, Timeout, CableOut, Close };

/// One call that waits at the client (accept() at the server), in a network of its own.
class Waiting {
public:
    explicit Waiting(Call call) : call_(call) {
        EXPECT_TRUE(listener_.bind(kWeb));
        EXPECT_TRUE(listener_.listen());
        if (call == Call::Receive || call == Call::Send) {
            EXPECT_TRUE(client_.connect(kWeb));
            auto accepted = listener_.accept();
            EXPECT_TRUE(accepted);
            if (accepted) peer_ = std::move(*accepted);
        }
        if (call == Call::Connect) net_.link.set_plugged(false);  // so that it waits
    }
    void arrange(Event event) {
        Socket& waiting = call_ == Call::Accept ? listener_ : client_;
        switch (event) {
            case Event::Reset:
                net_.world.at(net_.world.now() + 1s, [this] { reset(); });
                // What nobody can reset ends by its time.
                if (call_ == Call::Accept) listener_.set_receive_timeout(5s);
                break;
            case Event::Timeout:
                waiting.set_receive_timeout(1s);
                waiting.set_send_timeout(1s);
                break;
            case Event::CableOut:
                if (call_ == Call::Accept) {
                    listener_.set_receive_timeout(5s);
                } else {
                    EXPECT_TRUE(client_.set_options({.keep_alive = true,
                                                     .keep_idle = 5s,
                                                     .keep_interval = 1s,
                                                     .keep_count = 3,
                                                     .user_timeout = 20s}));
                }
                net_.world.at(net_.world.now() + 1s, [this] { net_.link.set_plugged(false); });
                break;
            case Event::Close:
                net_.world.at(net_.world.now() + 1s, [&waiting] { waiting.close(); });
                break;
        }
    }
    /// Waits; says what came of it.
    Errno wait() {
        std::array<u8, 100> buffer{};
        const auto error = [](const auto& result) { return result ? Errno::None : result.error(); };
        switch (call_) {
            case Call::Receive:
                return error(client_.recv(buffer));
            case Call::Send: {
                // As much as both buffers hold, and more.
                const std::vector<u8> much(8U << 20U);
                auto sent = client_.send(much);
                for (int again = 0; again < 20 && sent; ++again) sent = client_.send(much);
                return error(sent);
            }
            case Call::Accept:
                return error(listener_.accept());
            case Call::Connect:
                return error(client_.connect(kWeb));
        }
        return Errno::None;
    }

private:
    void reset() {
        if (call_ == Call::Connect) {
            listener_.close();  // a reset comes from a port that nobody listens on
            net_.link.set_plugged(true);
        } else if (TcpSocket* socket = peer_.tcp()) {
            socket->abort();
            net_.server.stack().advance(net_.world.now());
        }
    }

    Call call_;
    TwoHosts net_{{.delay = 5ms}};
    Socket listener_{net_.server, SocketType::Stream};
    Socket client_{net_.client, SocketType::Stream};
    Socket peer_;
};

TEST(SubtleBugs, B65_WhatWaitsIsWokenByWhateverEndsTheWait) {
    struct Row {
        Call call;
        Event event;
        Errno error;
    };
    const std::vector<Row> rows{
        {Call::Receive, Event::Reset, Errno::ConnectionReset},
        {Call::Receive, Event::Timeout, Errno::Again},
        {Call::Receive, Event::CableOut, Errno::TimedOut},
        {Call::Receive, Event::Close, Errno::BadDescriptor},
        {Call::Send, Event::Reset, Errno::ConnectionReset},
        {Call::Send, Event::Timeout, Errno::Again},
        {Call::Send, Event::CableOut, Errno::TimedOut},
        {Call::Send, Event::Close, Errno::BadDescriptor},
        {Call::Accept, Event::Reset, Errno::Again},
        {Call::Accept, Event::Timeout, Errno::Again},
        {Call::Accept, Event::CableOut, Errno::Again},
        {Call::Accept, Event::Close, Errno::BadDescriptor},
        {Call::Connect, Event::Reset, Errno::ConnectionRefused},
        {Call::Connect, Event::Timeout, Errno::InProgress},
        // The next hop is asked for again at R1, and does not answer either.
        {Call::Connect, Event::CableOut, Errno::HostUnreachable},
        {Call::Connect, Event::Close, Errno::BadDescriptor},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE("call " + std::to_string(static_cast<int>(row.call)) + ", event " +
                     std::to_string(static_cast<int>(row.event)));
        Waiting waiting(row.call);
        waiting.arrange(row.event);
        EXPECT_EQ(name(waiting.wait()), name(row.error));
    }

    // What lay there before the end can still be read; a reset tells itself behind it, and once.
    play(kEveryWay, [](Bench& t) {
        t.open();
        t.data(1, 50);
        t.data(51, 50, kFin);
        EXPECT_EQ(t.state(), TcpState::CloseWait);
        EXPECT_EQ(t.us.readable_bytes(), 100U);
        EXPECT_TRUE(t.us.readiness().readable);
        EXPECT_TRUE(t.us.readiness().read_hangup);
        EXPECT_EQ(t.read(), 100U);
        EXPECT_TRUE(t.at_end);
    });
    play(kEveryWay, [](Bench& t) {
        ReadySet set;
        t.open();
        t.us.watch(&set, 7);
        std::vector<u64> tokens;
        set.take(tokens);
        t.data(1, 50);
        t.data(51, 50);
        t.run();
        set.take(tokens);
        t.put({.flags = kRst, .seq = 101});
        t.run();
        set.take(tokens);
        EXPECT_EQ(tokens, std::vector<u64>{7}) << "whoever waits is told";
        EXPECT_TRUE(t.us.readiness().error);
        EXPECT_TRUE(t.us.readiness().readable);
        std::array<u8, 200> buffer{};
        EXPECT_EQ(t.us.read(buffer), 100U);
        const auto first = t.us.read(buffer);
        ASSERT_FALSE(first);
        EXPECT_EQ(first.error(), Errno::ConnectionReset);
        const auto second = t.us.read(buffer);
        EXPECT_TRUE(second && *second == 0) << "and then it is the end";
        EXPECT_EQ(t.us.readable_bytes(), 0U);
        t.us.watch(nullptr, 0);
    });
}

}  // namespace
}  // namespace tapestry
