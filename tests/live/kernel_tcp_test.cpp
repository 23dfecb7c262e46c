#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

#include "drivers/entropy.h"
#include "drivers/loop.h"
#include "drivers/monotonic.h"
#include "drivers/peer_http.h"
#include "drivers/sandbox.h"
#include "tests/support/forked.h"
#include "tests/support/sandbox_wire.h"

namespace tapestry {
namespace {

using Cable = SandboxOptions::Cable;

struct Setting {
    const char* name;
    Cable cable;
    bool offload;
    u32 mtu;
    bool nobody;
};

/// The stack against Linux's, over every kind of cable. The body runs in a child.
class KernelTcp : public ::testing::TestWithParam<Setting> {
protected:
    struct Live {
        explicit Live(const SandboxOptions& options)
            : sandbox(options),
              stack(StackConfig(), rng),
              interface(stack.add_interface(sandbox.device(), sandbox.interface_config(),
                                            monotonic_now())),
              loop(stack) {
            stack.add_route({}, interface, sandbox.gateway());
            loop.add(sandbox.device(), interface);
        }
        TimePoint late() const { return loop.now() + 40s; }
        /// Lets the loop run until the process has ended, and returns its exit status.
        int wait_for(pid_t child) {
            const UniqueFd handle(static_cast<int>(syscall(SYS_pidfd_open, child, 0)));
            bool ended = false;
            loop.watch_fd(handle.get(), EPOLLIN, [&](u32) { ended = true; });
            EXPECT_TRUE(loop.run_until([&] { return ended; }, late()));
            loop.unwatch_fd(handle.get());
            int status = -1;
            waitpid(child, &status, WNOHANG);
            return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
        }

        Sandbox sandbox;
        SystemRng rng;
        Stack stack;
        Interface& interface;
        Loop loop;
    };

    static void live(const std::function<void(Live&)>& body) {
        const Setting& setting = GetParam();
        test::expect_passes_forked([&] {
            if (setting.nobody) test::become_nobody();
            SandboxOptions options;
            options.cable = setting.cable;
            options.offload = setting.offload;
            options.mtu = setting.mtu;
            Live live(options);
            body(live);
            const Counters& counters = live.stack.counters();
            for (const Drop drop : {Drop::TcpBadChecksum, Drop::Ipv4BadChecksum, Drop::TcpShort,
                                    Drop::Ipv4BadTotalLength, Drop::IcmpBadChecksum}) {
                EXPECT_EQ(counters.of(drop), 0U) << name(drop);
            }
        });
    }

    /// Connects to a service of the peer.
    static TcpSocket connected(Live& live, u16 port) {
        TcpSocket socket = live.stack.tcp_socket();
        EXPECT_TRUE(socket.connect({live.sandbox.peer_address(), port}));
        EXPECT_TRUE(live.loop.run_until([&] { return socket.readiness().writable; }, live.late()));
        EXPECT_EQ(socket.state(), TcpState::Established);
        return socket;
    }

    /// Sends `data` while it collects what comes back, until that are `expected` bytes or the end.
    static std::vector<u8> exchange(Live& live, TcpSocket& socket, Bytes data,
                                    std::size_t expected) {
        std::vector<u8> got;
        std::vector<u8> buffer(65536);
        live.loop.run_until(
            [&] {
                while (!data.empty()) {
                    const auto taken = socket.write(data);
                    if (!taken) break;
                    data = data.subspan(*taken);
                }
                while (got.size() < expected) {
                    const auto n = socket.read(buffer);
                    if (!n) return n.error() != Errno::Again;
                    if (*n == 0) return true;
                    got.insert(got.end(), buffer.begin(),
                               buffer.begin() + static_cast<std::ptrdiff_t>(*n));
                }
                return true;
            },
            live.late());
        return got;
    }
};

Bytes bytes_of(std::string_view text) {
    return {reinterpret_cast<const u8*>(text.data()), text.size()};
}

TEST_P(KernelTcp, GetsTheMegabyte) {
    live([](Live& live) {
        TcpSocket socket = connected(live, 80);
        const auto got = exchange(live, socket,
                                  bytes_of("GET /1M.bin HTTP/1.1\r\nHost: peer\r\n"
                                           "Connection: close\r\n\r\n"),
                                  std::size_t{2} << 20);
        const std::string answer(got.begin(), got.end());
        EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n"));
        EXPECT_TRUE(answer.ends_with(peer_megabyte())) << answer.size();
        socket.close();
    });
}

TEST_P(KernelTcp, EchoesMegabytesBothWaysAtOnce) {
    live([](Live& live) {
        TcpSocket socket = connected(live, 7);
        const auto data = test::pattern_bytes(std::size_t{4} << 20);
        EXPECT_EQ(exchange(live, socket, data, data.size()), data);
        ASSERT_TRUE(socket.shutdown(Shutdown::Send));
        std::array<u8, 16> rest;
        EXPECT_TRUE(live.loop.run_until([&] { return socket.read(rest) == 0U; }, live.late()));
    });
}

TEST_P(KernelTcp, ClosedPortRefuses) {
    live([](Live& live) {
        TcpSocket socket = live.stack.tcp_socket();
        ASSERT_TRUE(socket.connect({live.sandbox.peer_address(), 4711}));
        EXPECT_TRUE(live.loop.run_until([&] { return socket.readiness().error; }, live.late()));
        EXPECT_EQ(socket.take_error(), Errno::ConnectionRefused);
    });
}

TEST_P(KernelTcp, KernelClientIsServed) {
    live([](Live& live) {
        Listener listener = live.stack.tcp_listener();
        ASSERT_TRUE(listener.listen({Ipv4Address(), 7000}));
        const auto data = test::pattern_bytes(1000000);
        // The client: sends, closes its half, and wants the same bytes and the end.
        const pid_t client = fork();
        if (client == 0) {
            test::KernelSocket socket(::socket(AF_INET, SOCK_STREAM, 0));
            sockaddr_in to{};
            to.sin_family = AF_INET;
            to.sin_port = htons(7000);
            to.sin_addr.s_addr = htonl(Ipv4Address(192, 168, 3, 10).value());
            if (connect(socket.fd(), reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) _exit(2);
            if (!socket.send(data)) _exit(3);
            shutdown(socket.fd(), SHUT_WR);
            _exit(socket.receive(data.size() + 1) == data ? 0 : 4);
        }
        TcpSocket socket;
        EXPECT_TRUE(live.loop.run_until(
            [&] {
                auto accepted = listener.accept();
                if (accepted) socket = std::move(*accepted);
                return static_cast<bool>(socket);
            },
            live.late()));
        const auto got = exchange(live, socket, {}, data.size() + 1);
        EXPECT_EQ(got, data);
        std::size_t sent = 0;
        live.loop.run_until(
            [&] {
                while (sent < got.size()) {
                    const auto taken = socket.write(Bytes(got).subspan(sent));
                    if (!taken) break;
                    sent += *taken;
                }
                return sent == got.size();
            },
            live.late());
        socket.close();
        EXPECT_EQ(live.wait_for(client), 0);
    });
}

TEST_P(KernelTcp, PingIsAnswered) {
    live([](Live& live) {
        if (access("/bin/ping", X_OK) != 0 && access("/usr/bin/ping", X_OK) != 0) return;
        const std::string size = std::to_string(GetParam().mtu - 28);
        const pid_t ping = live.sandbox.run_in_namespace(
            {"ping", "-q", "-c", "3", "-i", "0.2", "-M", "do", "-s", size, "192.168.3.10"});
        EXPECT_EQ(live.wait_for(ping), 0);
    });
}

INSTANTIATE_TEST_SUITE_P(Cables, KernelTcp,
                         ::testing::Values(Setting{"Tap", Cable::Tap, true, 1500, false},
                                           Setting{"TapPlain", Cable::Tap, false, 1500, false},
                                           Setting{"TapJumbo", Cable::Tap, true, 9000, false},
                                           Setting{"TapTiny", Cable::Tap, false, 576, false},
                                           Setting{"Veth", Cable::Veth, true, 1500, false},
                                           Setting{"VethPlain", Cable::Veth, false, 1500, false},
                                           Setting{"Nobody", Cable::Best, true, 1500, true}),
                         [](const auto& setting) { return std::string(setting.param.name); });

}  // namespace
}  // namespace tapestry
