#include "drivers/peer_server.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <algorithm>
#include <thread>

#include "drivers/peer_http.h"
#include "drivers/private_namespace.h"
#include "tests/support/forked.h"
#include "tests/support/packet_builder.h"

namespace tapestry {
namespace {

/// A peer in a thread of the test and clients on the loopback of a private namespace.
class Served {
public:
    Served() : server_(Ipv4Address(127, 0, 0, 1)), stop_(eventfd(0, EFD_CLOEXEC)) {
        thread_ = std::thread([this] { server_.run(stop_.get()); });
    }
    ~Served() {
        const u64 one = 1;
        if (write(stop_.get(), &one, sizeof one) < 0) _exit(1);
        thread_.join();
    }

private:
    PrivateNamespace home_;
    PeerServer server_;
    UniqueFd stop_;
    std::thread thread_;
};

class Client {
public:
    explicit Client(u16 port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const timeval limit{10, 0};
        setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(fd_.get(), SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(port);
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        connected_ = connect(fd_.get(), reinterpret_cast<sockaddr*>(&to), sizeof to) == 0;
    }
    bool connected() const { return connected_; }
    bool send(std::string_view bytes) {
        return ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL) ==
               static_cast<ssize_t>(bytes.size());
    }
    /// Until n bytes are there, or the end of the stream.
    std::string receive(std::size_t n) {
        std::string bytes(n, '\0');
        std::size_t filled = 0;
        while (filled < n) {
            const ssize_t got = recv(fd_.get(), bytes.data() + filled, n - filled, 0);
            if (got <= 0) break;
            filled += static_cast<std::size_t>(got);
        }
        bytes.resize(filled);
        return bytes;
    }
    bool at_end() { return receive(1).empty(); }
    void finish() { shutdown(fd_.get(), SHUT_WR); }
    /// Closes with a reset.
    void reset() {
        const linger now{1, 0};
        setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
        fd_.reset();
    }

private:
    UniqueFd fd_;
    bool connected_ = false;
};

std::string bytes_of(std::size_t n) {
    const auto bytes = test::pattern_bytes(n);
    return {bytes.begin(), bytes.end()};
}

TEST(PeerServer, EchoGivesEverythingBackAndThenCloses) {
    test::expect_passes_forked([] {
        const Served served;
        Client client(7);
        ASSERT_TRUE(client.connected());
        const std::string data = bytes_of(3 << 20);
        std::thread sender([&] {
            EXPECT_TRUE(client.send(data));
            client.finish();
        });
        EXPECT_EQ(client.receive(data.size()), data);
        EXPECT_TRUE(client.at_end());
        sender.join();
    });
}

TEST(PeerServer, DiscardTakesEverythingAndSaysNothing) {
    test::expect_passes_forked([] {
        const Served served;
        Client client(9);
        ASSERT_TRUE(client.connected());
        EXPECT_TRUE(client.send(bytes_of(3 << 20)));
        client.finish();
        EXPECT_TRUE(client.at_end());
    });
}

TEST(PeerServer, ChargenNeverEndsByItself) {
    test::expect_passes_forked([] {
        const Served served;
        Client client(19);
        ASSERT_TRUE(client.connected());
        const std::string data = client.receive(1 << 20);
        ASSERT_EQ(data.size(), std::size_t{1} << 20);
        // RFC 864: lines of 72 characters, each beginning one character further.
        EXPECT_EQ(data.substr(0, 4), " !\"#");
        EXPECT_EQ(data.substr(72, 5), "\r\n!\"#");
        client.finish();
        while (!client.receive(1 << 20).empty()) {
        }
        EXPECT_TRUE(client.at_end());
    });
}

TEST(PeerServer, SlowClientsDoNotHoldUpOthers) {
    test::expect_passes_forked([] {
        const Served served;
        Client slow(80);
        Client half(80);
        const Client deaf(19);  // never reads
        EXPECT_TRUE(slow.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"));
        EXPECT_TRUE(half.send("GET /"));
        std::vector<std::unique_ptr<Client>> many;
        for (int i = 0; i < 200; ++i) {
            many.push_back(std::make_unique<Client>(80));
            ASSERT_TRUE(many.back()->connected());
            EXPECT_TRUE(many.back()->send("GET /x HTTP/1.1\r\nHost: x\r\n\r\n"));
        }
        for (const auto& client : many) EXPECT_EQ(client->receive(12), "HTTP/1.1 404");
        EXPECT_EQ(slow.receive(15), "HTTP/1.1 200 OK");
    });
}

TEST(PeerServer, LargeAnswersPassASlowReader) {
    test::expect_passes_forked([] {
        const Served served;
        Client client(80);
        std::string requests;
        for (int i = 0; i < 20; ++i) requests += "GET /1M.bin HTTP/1.1\r\nHost: x\r\n\r\n";
        EXPECT_TRUE(client.send(requests));
        client.finish();
        std::size_t total = 0;
        std::string last;
        for (std::string some; !(some = client.receive(100000)).empty();) {
            total += some.size();
            last = (last + some)
                       .substr(last.size() + some.size() > 65536 ? last.size() + some.size() - 65536
                                                                 : 0);
        }
        EXPECT_GT(total, std::size_t{20} << 20);
        EXPECT_TRUE(peer_megabyte().ends_with(last));
    });
}

TEST(PeerServer, ErrorAnswerArrivesThoughMoreWasSent) {
    test::expect_passes_forked([] {
        const Served served;
        Client client(80);
        EXPECT_TRUE(client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n" +
                                std::string(500000, 'x')));
        EXPECT_EQ(client.receive(12), "HTTP/1.1 413");
        while (!client.receive(1000).empty()) {
        }
        EXPECT_TRUE(client.at_end());
    });
}

TEST(PeerServer, ResetsAndRefusalsDoNoHarm) {
    test::expect_passes_forked([] {
        const Served served;
        for (int i = 0; i < 50; ++i) {
            for (const u16 port : {u16{7}, u16{9}, u16{19}, u16{80}}) {
                Client client(port);
                ASSERT_TRUE(client.connected());
                if (port == 80) client.send("GET /slow HTTP/1.1\r\nHost: x\r\n\r\n");
                if (port == 7) client.send(bytes_of(1000));
                client.reset();
            }
        }
        Client client(80);
        EXPECT_TRUE(client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
        EXPECT_EQ(client.receive(15), "HTTP/1.1 200 OK");
        EXPECT_THROW(PeerServer(Ipv4Address(127, 0, 0, 1)), SetupError) << "the ports are taken";
        const PeerServer nothing(Ipv4Address(127, 0, 0, 1), {0, 0, 0, 0});
        EXPECT_EQ(nothing.descriptors().size(), 1U);
    });
}

}  // namespace
}  // namespace tapestry
