#pragma once

#include <gtest/gtest.h>

#include "tests/support/tcp_host.h"

namespace tapestry::test {

/// A host with one connection of port 80 that its peer has opened, and that the test has accepted. The
/// peer's text begins at 101, its window is 500; the handshake has taken 100 ms.
struct ConnectedHost {
    explicit ConnectedHost(StackConfig config = TcpHost::quiet(), TcpSocketOptions options = {})
        : host(config) {
        listener = host.stack.tcp_listener();
        EXPECT_TRUE(listener.listen({Ipv4Address(), 80}));
        EXPECT_TRUE(listener.set_options(options));
        host.receive(tcp_header(100, TcpFlags::kSyn));
        iss = host.take().at(0).seq.value();
        host.pass(std::chrono::milliseconds(100));
        host.receive(tcp_header(101, TcpFlags::kAck, iss + 1));
        auto accepted = listener.accept();
        EXPECT_TRUE(accepted);
        if (accepted) socket = std::move(*accepted);
        host.take();
    }
    /// The peer sends `text` bytes from its number 101 + `at` on, and acknowledges our first `acked`.
    void peer(u32 at, u8 flags, u32 acked, std::size_t text = 0) {
        host.receive(tcp_header(101 + at, flags, iss + 1 + acked), std::vector<u8>(text, 'x'));
    }
    std::expected<std::size_t, Errno> write(std::size_t bytes) {
        const auto written = socket.write(std::vector<u8>(bytes, 'y'));
        host.settle();
        return written;
    }
    void shutdown(Shutdown how) {
        EXPECT_TRUE(socket.shutdown(how));
        host.settle();
    }

    TcpHost host;
    Listener listener;
    TcpSocket socket;
    u32 iss = 0;
};

}  // namespace tapestry::test
