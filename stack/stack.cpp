#include "stack/stack.h"

namespace tapestry {

Stack::Stack(const StackConfig& config, Rng& rng)
    : services_(config, rng), ipv4_(services_), udp_(services_, ipv4_), tcp_(services_, ipv4_) {
    ipv4_.attach(IpProtocol::Udp, udp_);
    ipv4_.attach(IpProtocol::Tcp, tcp_);
}

Stack::~Stack() = default;

Interface& Stack::add_interface(Port& port, InterfaceConfig config, TimePoint now) {
    services_.last_now = now;
    interfaces_.push_back(std::make_unique<Interface>(static_cast<u8>(interfaces_.size()), port,
                                                      std::move(config), services_));
    Interface& interface = *interfaces_.back();
    ipv4_.add_interface(interface);
    interface.start(now);
    return interface;
}

void Stack::add_route(const Ipv4Prefix& prefix, Interface& interface, Ipv4Address gateway) {
    ipv4_.routes().add({prefix, &interface, gateway});
}

void Stack::receive(Interface& interface, std::span<Packet> batch, TimePoint now) {
    receive_part(interface, batch, now);
    settle(now);
}

void Stack::receive_part(Interface& interface, std::span<Packet> part, TimePoint now) {
    services_.last_now = now;
    for (Packet& frame : part) {
        ++services_.counters.frames_in;
        services_.counters.bytes_in += frame.size();
        if (services_.trace != nullptr) {
            services_.trace->on_frame(
                {now, Direction::In, interface.index(), frame.bytes(), {}, frame.offload});
        }
        const auto arrival = interface.input(frame, now);
        if (!arrival) {
            services_.refuse(arrival.error(), frame.bytes(), now);
        } else if (*arrival) {
            const auto taken = ipv4_.input(interface, **arrival, frame.offload, now);
            if (!taken) services_.refuse(taken.error(), frame.bytes(), now);
        }
    }
}

void Stack::advance(TimePoint now) {
    services_.last_now = now;
    services_.timers.advance(now);
    settle(now);
}

/// What frames, timers and user calls have left to be done.
void Stack::settle(TimePoint now) {
    for (const auto& interface : interfaces_) {
        for (Packet& packet : interface->take_undeliverable()) {
            ipv4_.undeliverable(packet, now);
        }
    }
    tcp_.flush(now);
}

std::optional<TimePoint> Stack::next_deadline() {
    auto deadline = services_.timers.next_deadline();
    // Whoever found the device full is tried again soon, whether or not the driver notices room.
    constexpr Duration kRetryFull = 1ms;
    if (tcp_.wants_flush()) {
        const TimePoint retry = now() + (tcp_.blocked() ? kRetryFull : Duration{});
        if (!deadline || retry < *deadline) deadline = retry;
    }
    return deadline;
}

}  // namespace tapestry
