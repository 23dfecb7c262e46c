#pragma once

/// Tapestry's stack: the one header that applications include. See stack/README.md for the rooms.
///
/// A Stack is a pure machine. Frames and the time go in by receive() and advance(); frames come out
/// through the Port of an interface; what happened goes to a TraceSink. It has no clock, no thread
/// and makes no system call. User calls on sockets change state only; what they cause to be sent
/// leaves with the next receive() or advance().

#include <memory>
#include <vector>

#include "stack/ip/ipv4.h"
#include "stack/link/interface.h"
#include "stack/tcp/socket.h"
#include "stack/tcp/tcp.h"
#include "stack/udp/udp.h"

namespace tapestry {

class Stack {
public:
    /// `rng` outlives the stack.
    Stack(const StackConfig& config, Rng& rng);
    ~Stack();
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;

    /// `port` outlives the stack. The first interface has index 0.
    Interface& add_interface(Port& port, InterfaceConfig config, TimePoint now);
    /// A route through a gateway; `prefix` 0.0.0.0/0 is the default route.
    void add_route(const Ipv4Prefix& prefix, Interface& interface, Ipv4Address gateway);

    /// Frames that one interface received together. Each connection that they touched then sends what
    /// it has to say, once. The packets stay the caller's.
    void receive(Interface& interface, std::span<Packet> batch, TimePoint now);
    /// The same in parts: what the frames cause to be sent waits for the next receive() or advance(), so
    /// that a driver can use a few slots, still warm in the cache, for a long batch.
    void receive_part(Interface& interface, std::span<Packet> part, TimePoint now);
    /// Runs the timers that are due and sends what user calls have left to be sent. `now` never goes
    /// back.
    void advance(TimePoint now);
    /// When advance() must be called at the latest; nothing: only after a frame or a user call.
    std::optional<TimePoint> next_deadline();

    /// A new socket in state CLOSED.
    TcpSocket tcp_socket() { return tcp_.socket(); }
    Listener tcp_listener() { return tcp_.listener(); }
    UdpSocket udp_socket() { return udp_.socket(); }
    PingSocket ping_socket() { return ipv4_.icmp().socket(); }

    /// Null: nobody listens, which costs nothing.
    void set_trace(TraceSink* sink) { services_.trace = sink; }
    /// Who chooses what is otherwise left to chance; null: chance. For sockets that open later.
    void set_choices(Choices* choices) { services_.choices = choices; }
    const Counters& counters() const { return services_.counters; }
    const StackConfig& config() const { return services_.config; }
    /// The time as the stack was last told.
    TimePoint now() const { return services_.last_now; }

    Ipv4& ipv4() { return ipv4_; }
    Tcp& tcp() { return tcp_; }
    /// What a router does; idle unless StackConfig::forwarding is set.
    Forwarder& forwarder() { return ipv4_.forwarder(); }
    Interface& interface(std::size_t index) { return *interfaces_.at(index); }
    std::size_t interface_count() const { return interfaces_.size(); }

private:
    void settle(TimePoint now);

    Services services_;
    std::vector<std::unique_ptr<Interface>> interfaces_;
    Ipv4 ipv4_;
    Udp udp_;
    Tcp tcp_;
};

}  // namespace tapestry
