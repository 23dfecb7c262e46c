#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "stack/ip/transit.h"
#include "stack/stack.h"
#include "tests/support/ip_host.h"

namespace tapestry::test {

/// Where a packet comes in or goes out.
enum class Side : u8 { Lan, Wan };

/// A router between two recording devices, in virtual time, and packets made by hand: for what no
/// honest host sends. Inside is 192.168.3.0/24 with us as .1; outside 203.0.113.0/24 with us as .5,
/// and everything else behind 203.0.113.1.
class RouterBench : public TraceSink {
public:
    static constexpr Ipv4Address kLaptop{192, 168, 3, 10};
    static constexpr Ipv4Address kTablet{192, 168, 3, 11};
    static constexpr Ipv4Address kInside{192, 168, 3, 1};
    static constexpr Ipv4Address kOutside{203, 0, 113, 5};
    static constexpr Ipv4Address kGateway{203, 0, 113, 1};
    static constexpr Ipv4Address kServer{93, 184, 216, 34};
    static constexpr Ipv4Address kOther{198, 51, 100, 7};

    explicit RouterBench(StackConfig config = {}, u32 wan_mtu = 1500, PortCapabilities offers = {})
        : stack_(std::make_unique<Stack>(prepared(config), rng_)) {
        for (RecordingPort& port : ports_) port.offers = offers;
        Interface& lan = stack_->add_interface(ports_[0], {"lan", kOurMac, {kInside, 24}, 0}, now_);
        Interface& wan =
            stack_->add_interface(ports_[1], {"wan", kOurMac, {kOutside, 24}, wan_mtu}, now_);
        stack_->add_route({{}, 0}, wan, kGateway);
        for (u8 i = 2; i < 250; ++i) {
            lan.arp().add_static({192, 168, 3, i}, kPeerMac, now_);
        }
        wan.arp().add_static(kGateway, kPeerMac, now_);
        stack_->set_trace(this);
    }

    // ---- rules --------------------------------------------------------------------------------
    Forwarder& forwarder() { return stack_->forwarder(); }
    void masquerade() {
        Rule rule;
        rule.match.out = {{"wan", false}};
        rule.target = Target::Masquerade;
        forwarder().append(Chain::Postrouting, rule);
    }
    void snat(Ipv4Address first, Ipv4Address last) {
        Rule rule;
        rule.match.out = {{"wan", false}};
        rule.target = Target::Snat;
        rule.to = {first, last};
        forwarder().append(Chain::Postrouting, rule);
    }
    void dnat(IpProtocol protocol, u16 port, Endpoint to, Ipv4Address at = kOutside) {
        Rule rule;
        rule.match.destination = {{Ipv4Prefix{at, 32}, false}};
        rule.match.protocol = {{protocol, false}};
        rule.match.destination_port = {{{port, port}, false}};
        rule.target = Target::Dnat;
        rule.to = {to.address, to.address};
        rule.to_ports = PortRange{to.port, to.port};
        forwarder().append(Chain::Prerouting, rule);
    }

    // ---- packets ------------------------------------------------------------------------------
    static std::vector<u8> udp(Endpoint from, Endpoint to, std::vector<u8> data = {'x'}) {
        return ip_packet(header(IpProtocol::Udp, from.address, to.address),
                         udp_datagram(from.port, to.port, data, from.address, to.address));
    }
    static std::vector<u8> tcp(Endpoint from, Endpoint to, u8 flags, u32 seq = 1, u32 ack = 1,
                               std::vector<u8> data = {}) {
        PacketBuilder builder;
        TcpHeader tcp = tcp_header(seq, flags, ack);
        tcp.source_port = from.port;
        tcp.destination_port = to.port;
        builder.ip = header(IpProtocol::Tcp, from.address, to.address);
        builder.tcp(tcp).payload(std::move(data));
        const auto frame = builder.build();
        return {frame.begin() + EthernetView::kHeaderSize, frame.end()};
    }
    static std::vector<u8> echo(Ipv4Address from, Ipv4Address to, u16 identifier,
                                bool reply = false) {
        const IcmpHeader icmp{reply ? IcmpType::EchoReply : IcmpType::EchoRequest, 0,
                              u32{identifier} << 16 | 1};
        return ip_packet(header(IpProtocol::Icmp, from, to), icmp_message(icmp, {}));
    }
    /// An error about `quoted`, which is cut to `quote_size` bytes.
    static std::vector<u8> icmp_error(Ipv4Address from, Ipv4Address to, IcmpType type, u8 code,
                                      Bytes quoted, u32 second = 0, std::size_t quote_size = 548) {
        const Bytes quote = quoted.first(std::min(quoted.size(), quote_size));
        return ip_packet(header(IpProtocol::Icmp, from, to),
                         icmp_message({type, code, second}, quote));
    }
    static Ipv4Header header(IpProtocol protocol, Ipv4Address from, Ipv4Address to) {
        Ipv4Header header;
        header.identification = 77;
        header.protocol = protocol;
        header.source = from;
        header.destination = to;
        return header;
    }

    // ---- what happens -------------------------------------------------------------------------
    struct Out {
        Side side;
        std::vector<u8> packet;
        Offload offload;
        FlowTuple tuple;  ///< of the packet, or of the one that it quotes
        Ipv4Address source;
        Ipv4Address destination;
    };
    /// What leaves the router because of this packet. Each is checked: header and transport checksum
    /// must be right, unless it left as partial.
    std::vector<Out> send(Side side, std::vector<u8> packet, const Offload& offload = {}) {
        const auto frame = ethernet_frame(EtherType::Ipv4, packet);
        std::vector<Packet> batch(1);
        batch[0] = pool_.copy(frame);
        batch[0].offload = offload;
        dropped.clear();
        stack_->receive(stack_->interface(static_cast<std::size_t>(side)), batch, now_);
        return take();
    }
    /// The one packet that leaves; fails the test when it is none, or more.
    Out pass(Side side, const std::vector<u8>& packet, const Offload& offload = {}) {
        auto out = send(side, packet, offload);
        EXPECT_EQ(out.size(), 1U) << "dropped: "
                                  << (dropped.empty() ? "nothing" : name(dropped.back()));
        return out.empty() ? Out{} : out.front();
    }
    /// Nothing leaves, and this is why.
    testing::AssertionResult refuses(Side side, const std::vector<u8>& packet, Drop why) {
        const auto out = send(side, packet);
        if (!out.empty()) return testing::AssertionFailure() << "something left";
        if (dropped.empty()) return testing::AssertionFailure() << "nothing was refused";
        if (dropped.back() != why) {
            return testing::AssertionFailure() << "refused as " << name(dropped.back());
        }
        return testing::AssertionSuccess();
    }
    void wait(Duration span) {
        const TimePoint end = now_ + span;
        while (const auto next = stack_->next_deadline()) {
            if (*next > end) break;
            now_ = std::max(now_, *next);
            stack_->advance(now_);
        }
        now_ = end;
        stack_->advance(now_);
    }
    std::vector<Out> take() {
        std::vector<Out> all;
        for (const Side side : {Side::Lan, Side::Wan}) {
            for (const auto& sent : ports_[static_cast<std::size_t>(side)].take()) {
                if (!is_arp(sent)) all.push_back(examine(side, sent));
            }
        }
        return all;
    }
    std::vector<FlowSnapshot> flows() { return forwarder().flows().snapshots(now_); }
    std::size_t mappings() { return forwarder().nat().size(); }
    u64 drops(Drop drop) const { return stack_->counters().of(drop); }
    const Counters& counters() const { return stack_->counters(); }
    Stack& stack() { return *stack_; }
    TimePoint now() const { return now_; }
    RecordingPort& port(Side side) { return ports_[static_cast<std::size_t>(side)]; }

    void on_drop(const DropEvent& event) override { dropped.push_back(event.drop); }
    void on_flow(const FlowEvent& event) override { events.push_back(event); }
    std::vector<Drop> dropped;  ///< by the last packet
    std::vector<FlowEvent> events;

private:
    static StackConfig prepared(StackConfig config) {
        config.forwarding = true;
        config.arp.announce = false;
        return config;
    }
    static Out examine(Side side, const RecordingPort::Sent& sent) {
        Out out{side, payload_of(sent), sent.offload, {}, {}, {}};
        const auto view = Ipv4View::parse(out.packet);
        EXPECT_TRUE(view) << "what left is no valid IPv4 packet";
        if (!view) return out;
        out.source = view->source();
        out.destination = view->destination();
        if (view->is_fragment()) return out;
        const auto transit = read_transit(*view);
        // What a short packet is quoted for need not be told.
        const bool short_quote = !transit && transit.error() == Drop::IcmpBadQuote;
        EXPECT_TRUE(transit || short_quote) << (transit ? "" : name(transit.error()));
        if (transit) out.tuple = transit->tuple;
        if (sent.offload.checksum == Offload::Checksum::Partial) return out;
        if (view->protocol() == IpProtocol::Icmp) {
            EXPECT_TRUE(IcmpView::parse(view->payload()));
        } else if (view->protocol() == IpProtocol::Tcp) {
            EXPECT_TRUE(TcpView::parse(view->payload())->checksum_ok(out.source, out.destination));
        } else if (view->protocol() == IpProtocol::Udp) {
            EXPECT_TRUE(UdpView::parse(view->payload(), out.source, out.destination));
        }
        return out;
    }

    TimePoint now_{};
    SeededRng rng_{1};
    std::array<RecordingPort, 2> ports_;
    PacketPool pool_{PacketPool::kSuperFrameSlot, 64};
    std::unique_ptr<Stack> stack_;
};

}  // namespace tapestry::test
