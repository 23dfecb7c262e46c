#pragma once

#include <optional>

#include "stack/stack.h"
#include "tests/support/packet_builder.h"
#include "tests/support/recording_port.h"

namespace tapestry::test {

/// A whole stack at 10.0.0.2 on a recording device, with a neighbour 10.0.0.1 whose segments the test
/// writes by hand. For what scripts do not say: many peers, tables of flags.
class TcpHost {
public:
    static constexpr Ipv4Address kPeer{10, 0, 0, 1};
    static constexpr Ipv4Address kUs{10, 0, 0, 2};

    explicit TcpHost(StackConfig config = quiet()) : stack(config, rng) {
        interface =
            &stack.add_interface(port, {"eth0", PacketBuilder().destination_mac, {kUs, 16}}, now);
        interface->arp().add_static(kPeer, PacketBuilder().source_mac, now);
    }
    /// No announcement at the start.
    static StackConfig quiet() {
        StackConfig config;
        config.arp.announce = false;
        return config;
    }

    /// One segment from the peer, or from another neighbour, who is made known.
    void receive(const TcpHeader& header, std::vector<u8> text = {}, Ipv4Address from = kPeer) {
        PacketBuilder builder;
        if (from != kPeer) interface->arp().add_static(from, builder.source_mac, now);
        builder.ip.source = from;
        receive_frame(builder.tcp(header).payload(std::move(text)).build());
    }
    void receive_frame(Bytes frame) {
        Packet packet = pool.copy(frame);
        stack.receive(*interface, std::span(&packet, 1), now);
    }
    /// Lets time pass, timer by timer.
    void pass(Duration span) {
        const TimePoint end = now + span;
        for (auto next = stack.next_deadline(); next && *next <= end;
             next = stack.next_deadline()) {
            now = std::max(now, *next);
            stack.advance(now);
        }
        now = end;
        stack.advance(now);
    }
    void settle() { stack.advance(now); }

    /// What a sent segment was.
    struct Sent {
        Ipv4Address to;
        u16 source_port = 0;
        u16 destination_port = 0;
        SeqNum seq;
        SeqNum ack;
        u8 flags = 0;
        u16 window = 0;
        std::vector<u8> text;
        TcpOptions options;
    };
    /// The TCP segments since the last take().
    std::vector<Sent> take() {
        std::vector<Sent> all;
        for (const auto& frame : port.take()) {
            const auto ethernet = EthernetView::parse(frame.bytes);
            if (!ethernet || ethernet->type() != EtherType::Ipv4) continue;
            const auto ip = Ipv4View::parse(ethernet->payload());
            if (!ip || ip->protocol() != IpProtocol::Tcp) continue;
            const auto tcp = TcpView::parse(ip->payload());
            if (!tcp) continue;
            const Bytes text = tcp->payload();
            all.push_back({ip->destination(),
                           tcp->source_port(),
                           tcp->destination_port(),
                           tcp->sequence(),
                           tcp->acknowledgment(),
                           tcp->flags().bits,
                           tcp->window(),
                           {text.begin(), text.end()},
                           TcpOptions::parse(tcp->options()).value_or(TcpOptions())});
        }
        return all;
    }

    TimePoint now{};
    SeededRng rng{1};
    RecordingPort port;
    PacketPool pool{PacketPool::kSuperFrameSlot, 16};
    Stack stack;
    Interface* interface = nullptr;
};

}  // namespace tapestry::test
