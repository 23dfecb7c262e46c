#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stack/ip/rate_limit.h"
#include "stack/trace/flow.h"
#include "stack/wire/icmp.h"
#include "stack/wire/tcp.h"

namespace tapestry {

/// The places where a router looks at its rules, in the order in which a packet meets them. The
/// first two are chains of the nat table and see the first packet of a conversation only.
enum class Chain : u8 {
    Prerouting,   ///< nat: where is it really going?
    Postrouting,  ///< nat: as whom is it leaving?
    Input,        ///< filter: for the router itself
    Forward,      ///< filter: through the router
    Output,       ///< filter: from the router itself
};
inline constexpr std::size_t kChainCount = 5;

/// What conntrack says of a packet; a set of bits.
struct ConnectionState {
    static constexpr u8 kNew = 1;
    static constexpr u8 kEstablished = 2;  ///< of a conversation that has been answered
    static constexpr u8 kRelated = 4;      ///< an ICMP error about one
    static constexpr u8 kInvalid = 8;      ///< belongs to none and cannot begin one
};

/// A value with a "!" in front of it, or without.
template <typename T>
struct Negatable {
    T value{};
    bool negated = false;
    friend bool operator==(const Negatable&, const Negatable&) = default;
};

/// Inclusive.
struct PortRange {
    u16 first = 0;
    u16 last = 65535;
    bool contains(u16 port) const { return first <= port && port <= last; }
    friend bool operator==(const PortRange&, const PortRange&) = default;
};
/// Inclusive.
struct AddressRange {
    Ipv4Address first;
    Ipv4Address last;
    bool contains(Ipv4Address a) const { return first <= a && a <= last; }
    friend bool operator==(const AddressRange&, const AddressRange&) = default;
};

/// The flags that are looked at, and those of them that must be set.
struct TcpFlagMatch {
    u8 mask = 0;
    u8 set = 0;
    friend bool operator==(const TcpFlagMatch&, const TcpFlagMatch&) = default;
};
struct IcmpMatch {
    IcmpType type = IcmpType::EchoRequest;
    std::optional<u8> code;
    friend bool operator==(const IcmpMatch&, const IcmpMatch&) = default;
};

/// Which packets a rule is about: all that is said must hold.
struct RuleMatch {
    std::optional<Negatable<std::string>> in;  ///< a name, or the beginning of names and a '+'
    std::optional<Negatable<std::string>> out;
    std::optional<Negatable<Ipv4Prefix>> source;
    std::optional<Negatable<Ipv4Prefix>> destination;
    std::optional<Negatable<IpProtocol>> protocol;
    std::optional<Negatable<PortRange>> source_port;
    std::optional<Negatable<PortRange>> destination_port;
    std::vector<PortRange> source_ports;  ///< of multiport; any of them
    std::vector<PortRange> destination_ports;
    std::optional<Negatable<TcpFlagMatch>> tcp_flags;
    std::optional<Negatable<IcmpMatch>> icmp;
    std::optional<Negatable<u8>> state;  ///< ConnectionState bits, any of them
    std::optional<RateLimit> limit;
    friend bool operator==(const RuleMatch&, const RuleMatch&) = default;
};

/// How a rejected packet is answered; the names are iptables'.
enum class RejectWith : u8 {
    PortUnreachable,
    NetUnreachable,
    HostUnreachable,
    ProtoUnreachable,
    NetProhibited,
    HostProhibited,
    AdminProhibited,
    TcpReset,
};

enum class Target : u8 { None, Accept, Drop, Reject, Return, Masquerade, Snat, Dnat };

/// One rule and what has matched it.
struct Rule {
    RuleMatch match;
    Target target = Target::None;  ///< None: counts only
    RejectWith reject_with = RejectWith::PortUnreachable;
    AddressRange to;                    ///< of Snat and Dnat
    std::optional<PortRange> to_ports;  ///< of Snat, Masquerade and Dnat
    std::string comment;

    u64 packets = 0;
    u64 bytes = 0;
};

}  // namespace tapestry
