#pragma once

#include <string>
#include <vector>

#include "apps/http/server.h"
#include "tests/support/two_hosts.h"

namespace tapestry::test {

/// A site that says what it was asked for: "GET /x\n"; /large is 3 MB of 'x'.
class EchoSite final : public Site {
public:
    static constexpr std::size_t kLarge = 3'000'000;

    HttpAnswer answer(const HttpRequestHead& request) override {
        ++asked;
        HttpAnswer answer;
        answer.head.result(boost::beast::http::status::ok);
        answer.text =
            std::string(request.method_string()) + ' ' + std::string(request.target()) + '\n';
        if (request.target() == "/large") answer.text.assign(kLarge, 'x');
        answer.length = answer.text.size();
        return answer;
    }
    int asked = 0;
};

/// A server on one of two hosts, and clients on the other that say what they like.
class WebHosts : public TwoHosts {
public:
    explicit WebHosts(Site& site, HttpServerConfig config = {})
        : http(server.stack(), site, std::move(config)) {
        static_cast<void>(http.listen({Ipv4Address(), 80}));
        server.add_program([this] { poll(); });
    }

    /// A connection that has been established.
    TcpSocket call() {
        TcpSocket socket = client.stack().tcp_socket();
        static_cast<void>(socket.connect({kServer, 80}));
        world.run_until([&] { return socket.state() == TcpState::Established; }, world.now() + 10s);
        return socket;
    }
    static void say(TcpSocket& socket, std::string_view text) {
        static_cast<void>(socket.write({reinterpret_cast<const u8*>(text.data()), text.size()}));
    }
    /// Everything that comes within that time, and " <end>" or " <reset>" when it ends.
    std::string hear(TcpSocket& socket, Duration time = 1s) {
        std::string heard;
        const TimePoint end = world.now() + time;
        std::vector<u8> block(65536);
        while (world.now() < end) {
            world.run_until([&] { return socket.readiness().readable; }, end);
            const auto n = socket.read(block);
            if (!n && n.error() == Errno::Again) continue;
            if (!n) return heard + " <reset>";
            if (*n == 0) return heard + " <end>";
            heard.append(block.begin(), block.begin() + static_cast<std::ptrdiff_t>(*n));
        }
        return heard;
    }
    /// One connection from its first word to what comes back within a second.
    std::string ask(std::string_view text) {
        TcpSocket socket = call();
        say(socket, text);
        return hear(socket);
    }

    HttpServer http;

private:
    void poll() {
        http.poll(world.now());
        const TimePoint next = http.next_deadline();
        if (next == kNever || next == wake_ || next <= world.now()) return;
        wake_ = next;
        world.at(next, [this] { poll(); });
    }
    TimePoint wake_{};
};

}  // namespace tapestry::test
