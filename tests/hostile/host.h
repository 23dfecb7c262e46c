#pragma once

#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "stack/stack.h"
#include "tests/support/raw_packet.h"
#include "tests/support/recording_port.h"

namespace tapestry::test {

/// A segment that the stack sent.
struct SeenSegment {
    Ipv4Address to;
    u16 source_port = 0;
    u16 destination_port = 0;
    u32 seq = 0;
    u32 ack = 0;
    u8 flags = 0;
    u16 window = 0;
    std::vector<u8> text;
    TcpOptions options;
};

inline std::optional<SeenSegment> segment_of(const RecordingPort::Sent& sent) {
    const auto ip = ip_of(sent);
    if (!ip || ip->protocol() != IpProtocol::Tcp) return std::nullopt;
    const auto tcp = TcpView::parse(ip->payload());
    if (!tcp) return std::nullopt;
    const auto options = TcpOptions::parse(tcp->options());
    EXPECT_TRUE(options) << "we sent options that cannot be read";
    return SeenSegment{.to = ip->destination(),
                       .source_port = tcp->source_port(),
                       .destination_port = tcp->destination_port(),
                       .seq = tcp->sequence().value(),
                       .ack = tcp->acknowledgment().value(),
                       .flags = tcp->flags().bits,
                       .window = tcp->window(),
                       .text = copy_of(tcp->payload()),
                       .options = options.value_or(TcpOptions())};
}

/// A stack at 10.0.0.2/24 as a small server runs it: HTTP on TCP port 80 ("GET /N" gives N bytes), an
/// echo on UDP port 7. Everything else is done to it by frames written by hand, in virtual time.
class HostileHost {
public:
    explicit HostileHost(const StackConfig& config = quiet()) : stack(config, rng) {
        interface = &stack.add_interface(port, {"eth0", kOurMac, {kUs, 24}}, now);
        EXPECT_TRUE((http = stack.tcp_listener()).listen({Ipv4Address(), 80}));
        EXPECT_TRUE((echo = stack.udp_socket()).bind({Ipv4Address(), 7}));
    }
    static StackConfig quiet() {
        StackConfig config;
        config.arp.announce = false;
        return config;
    }

    /// The peer 10.0.0.1 need not be asked for its hardware address.
    void know_peer() { interface->arp().add_static(kPeer, kPeerMac, now); }

    void feed(Bytes frame) {
        Packet packet = pool.copy(frame);
        stack.receive(*interface, std::span(&packet, 1), now);
        settle();
    }
    void feed_ip(Bytes packet, MacAddress to = kOurMac) {
        feed(ethernet_frame(EtherType::Ipv4, packet, to));
    }
    /// The servers do what there is to do, and it leaves.
    void settle() {
        serve_http();
        serve_echo();
        stack.advance(now);
    }
    void pass(Duration span) {
        const TimePoint end = now + span;
        for (auto next = stack.next_deadline(); next && *next <= end;
             next = stack.next_deadline()) {
            now = std::max(now, *next);
            stack.advance(now);
        }
        now = end;
        settle();
    }

    u64 drops(Drop drop) const { return stack.counters().of(drop); }
    u64 all_drops() const {
        u64 sum = 0;
        for (const u64 count : stack.counters().drops) sum += count;
        return sum;
    }
    /// What has been sent since the last take, as segments; other packets are forgotten.
    std::vector<SeenSegment> take_segments() {
        std::vector<SeenSegment> list;
        for (const auto& sent : port.take()) {
            if (auto seen = segment_of(sent)) list.push_back(std::move(*seen));
        }
        return list;
    }

    TimePoint now{};
    SeededRng rng{1};
    RecordingPort port;
    PacketPool pool{PacketPool::kSuperFrameSlot, 2};
    Stack stack;
    Interface* interface = nullptr;
    Listener http;
    UdpSocket echo;
    bool serving = true;  ///< false: the HTTP server has stopped to accept

private:
    struct Request {
        TcpSocket socket;
        std::string in;
        std::vector<u8> out;
        std::size_t written = 0;
    };

    void serve_http() {
        while (serving) {
            auto accepted = http.accept();
            if (!accepted) break;
            requests_.push_back({std::move(*accepted), "", {}, 0});
        }
        for (auto at = requests_.begin(); at != requests_.end();) {
            at = serve(*at) ? std::next(at) : requests_.erase(at);
        }
    }
    /// False: done with it.
    static bool serve(Request& request) {
        std::array<u8, 2048> buffer;  // NOLINT: filled by read()
        auto got = request.socket.read(buffer);
        for (; got && *got > 0; got = request.socket.read(buffer)) {
            request.in.append(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(*got));
        }
        if (request.out.empty() && request.in.find("\r\n\r\n") != std::string::npos) {
            const std::string head = "HTTP/1.1 200 OK\r\n\r\n";
            request.out.assign(head.begin(), head.end());
            const auto size = request.in.find("GET /") == 0 ? request.in.substr(5) : "0";
            request.out.resize(head.size() + std::strtoul(size.c_str(), nullptr, 10), 'x');
        }
        while (request.written < request.out.size()) {
            const auto done = request.socket.write(Bytes(request.out).subspan(request.written));
            if (!done) return done.error() == Errno::Again;
            request.written += *done;
        }
        const bool answered = !request.out.empty();
        const bool ended = got ? *got == 0 : got.error() != Errno::Again;
        return !answered && !ended;  // the handle closes
    }
    void serve_echo() {
        while (const auto got = echo.receive(datagram_)) {
            (void)echo.send_to(Bytes(datagram_).first(got->size), got->source);
        }
    }

    std::list<Request> requests_;
    std::vector<u8> datagram_ = std::vector<u8>(65536);
};

}  // namespace tapestry::test
