#include "apps/pump.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <thread>

#include "tests/support/packet_builder.h"

namespace tapestry {
namespace {

using test::pattern_bytes;

struct Pipe {
    Pipe() {
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
        out = UniqueFd(ends[0]);
        in = UniqueFd(ends[1]);
        EXPECT_EQ(fcntl(in.get(), F_SETPIPE_SZ, 4096), 4096);
    }
    UniqueFd out;
    UniqueFd in;
};

/// What a Pump has left of its input, so that the writer is not kept waiting.
void discard(int fd) {
    std::vector<u8> block(65536);
    while (read(fd, block.data(), block.size()) > 0) {
    }
}

/// A connection through a Pump: stdin and stdout are pipes of one page, with a thread at the far end of
/// each. The one that reads takes a page, then a rest, in which a world in virtual time comes to its
/// end if nobody waits.
class PumpTest : public testing::Test {
protected:
    PumpTest() {
        NetOptions options;
        options.kind = NetOptions::Kind::Memory;
        net_ = attach(options, nullptr);
    }

    TcpSocket connect(u16 port) {
        TcpSocket socket = net_->stack().tcp_socket();
        EXPECT_TRUE(socket.connect({Ipv4Address(192, 168, 3, 1), port}));
        net_->run_until([&] { return socket.state() == TcpState::Established; });
        return socket;
    }

    /// Everything that comes out for `data`.
    std::vector<u8> pump(TcpSocket& socket, const std::vector<u8>& data) {
        Pipe input;
        Pipe output;
        std::vector<u8> got;
        std::thread writer([&] {
            std::size_t written = 0;
            while (written < data.size()) {
                const ssize_t n =
                    write(input.in.get(), data.data() + written, data.size() - written);
                if (n <= 0) break;
                written += static_cast<std::size_t>(n);
            }
            input.in = UniqueFd();
        });
        std::thread reader([&] {
            std::vector<u8> block(4096);
            while (true) {
                std::this_thread::sleep_for(1ms);
                const ssize_t n = read(output.out.get(), block.data(), block.size());
                if (n <= 0) break;
                got.insert(got.end(), block.begin(), block.begin() + n);
            }
        });
        result = Pump(*net_, socket, input.out.get(), output.in.get()).run({});
        discard(input.out.get());
        output.in = UniqueFd();
        writer.join();
        reader.join();
        return got;
    }

    std::unique_ptr<Attachment> net_;
    std::expected<void, Errno> result;
};

TEST_F(PumpTest, ASlowReaderGetsTheWholeEcho) {
    const auto data = pattern_bytes(200'000);
    TcpSocket socket = connect(7);
    EXPECT_EQ(pump(socket, data), data);
    EXPECT_TRUE(result);
}

/// A server on the far host, which runs after each event there.
class Far {
public:
    static constexpr u32 kSmall = 16384;  ///< its receive buffer

    Far(Attachment& net, u16 port, std::function<void(TcpSocket&)> program)
        : listener_(net.peer()->stack().tcp_listener()) {
        EXPECT_TRUE(listener_.listen({Ipv4Address(), port}));
        TcpSocketOptions small;
        small.receive_buffer = kSmall;
        listener_.set_options(small);
        net.peer()->add_program([this, program = std::move(program)] {
            if (!socket_) {
                if (auto socket = listener_.accept()) socket_ = std::move(*socket);
            }
            if (socket_) program(socket_);
        });
    }

private:
    Listener listener_;
    TcpSocket socket_;
};

TEST_F(PumpTest, APeerThatHasClosedItsDirectionGetsAllOfOurs) {
    const auto data = pattern_bytes(200'000);
    const TimePoint awake = net_->now() + 60s;
    std::size_t taken = 0;
    bool greeted = false;
    Far far(*net_, 99, [&](TcpSocket& socket) {
        if (!greeted) {
            greeted = true;
            static_cast<void>(socket.write(pattern_bytes(3)));
            static_cast<void>(socket.shutdown(Shutdown::Send));
        }
        if (net_->now() < awake) return;  // until then the buffers at both ends are full
        while (const auto pieces = socket.peek(Far::kSmall)) {
            const std::size_t size = (*pieces)[0].size();
            if (size == 0) return socket.close();
            taken += size;
            socket.consume(size);
        }
    });
    TcpSocket socket = connect(99);
    TcpSocketOptions small;
    small.send_buffer = Far::kSmall;
    ASSERT_TRUE(socket.set_options(small));
    EXPECT_EQ(pump(socket, data), pattern_bytes(3));
    EXPECT_TRUE(result);
    EXPECT_EQ(taken, data.size());
}

TEST_F(PumpTest, WhatCameBeforeAResetIsWrittenAndTheResetTold) {
    const auto answer = pattern_bytes(20'000);
    bool greeted = false;
    Far far(*net_, 99, [&](TcpSocket& socket) {
        if (socket.readable_bytes() == 0) return;
        if (!greeted) static_cast<void>(socket.write(answer));
        if (greeted && socket.snapshot().send_queued == 0) socket.abort();
        greeted = true;
    });
    TcpSocket socket = connect(99);
    EXPECT_EQ(pump(socket, pattern_bytes(2'000'000)), answer);
    EXPECT_FALSE(result);
}

TEST_F(PumpTest, SilenceWithoutEndIsAnError) {
    Far far(*net_, 99, [&](TcpSocket&) {});
    TcpSocket socket = connect(99);
    EXPECT_EQ(pump(socket, pattern_bytes(3)), std::vector<u8>());
    EXPECT_EQ(result, std::unexpected(Errno::TimedOut));
}

}  // namespace
}  // namespace tapestry
