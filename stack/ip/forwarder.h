#pragma once

#include "stack/ip/filter.h"
#include "stack/ip/fragmentation.h"
#include "stack/ip/nat.h"
#include "stack/ip/rewrite.h"

namespace tapestry {

class Ipv4;

/// What a router does with a packet (RFC 1812 section 5): takes it for itself or sends it on; follows
/// conversations, filters and translates when there are rules about that.
///
/// A packet is looked at from all sides first and changed last, so that an ICMP error always quotes
/// it as it came. The order is that of Linux: nat PREROUTING (the destination), the route, filter
/// INPUT or FORWARD, nat POSTROUTING (the source). Without any rule, packets are only routed, and
/// fragments stay fragments; with rules they are put together first (RFC 4787 REQ-14).
///
/// It differs from Linux where the RFCs do: mappings are endpoint-independent, unasked packets from
/// outside get no answer (RFC 5382 REQ-4), and a host inside that speaks to an outside address of
/// another one is translated both ways without further rules (RFC 4787 REQ-9).
///
/// Not done: record route and timestamp options (passed on as they are), multicast and directed
/// broadcasts (never forwarded), translating for services of the router itself.
class Forwarder {
public:
    /// A packet that has passed the checks of the header and of its source.
    struct Arrived {
        Interface& in;
        MutableBytes packet;  ///< IPv4, without padding
        Offload offload;
        bool link_broadcast = false;
        TimePoint now;
    };

    /// Both outlive it.
    Forwarder(Services& services, Ipv4& ip);
    Forwarder(const Forwarder&) = delete;
    Forwarder& operator=(const Forwarder&) = delete;

    /// Refuses: Ipv4*, Flow*, Nat*, Filter*, Fragment*, Icmp*, and what the transports refuse.
    std::expected<void, Drop> input(const Arrived& arrived);
    /// Whether a packet of the router's own may go out: follows its conversation, asks the chain
    /// OUTPUT.
    bool may_leave(const Interface& out, const Ipv4Header& header, const Frame& payload,
                   TimePoint now);
    /// A packet that was sent on found no neighbour: its sender is told, in its own terms.
    void undeliverable(Packet& packet, TimePoint now);
    /// It left with an address of ours that stands for somebody else's.
    bool has_translated(const Ipv4View& packet) const;

    /// Of both tables. Rules are added here, so that the router answers ARP for the addresses that
    /// it translates to.
    const RuleChain& chain(Chain chain) const;
    void append(Chain chain, Rule rule);
    /// Before the rule that is at `place` now, from 0; at most as many as there are.
    void insert(Chain chain, std::size_t place, Rule rule);
    void set_policy(Chain chain, Target policy) { chain_of(chain).set_policy(policy); }
    /// Conversations that are under way stay as they are, and so do the policies.
    void clear_rules();
    void clear_rules(Chain chain) { chain_of(chain).clear(); }

    FlowTable& flows() { return flows_; }
    const FlowTable& flows() const { return flows_; }
    const Nat& nat() const { return nat_; }

private:
    /// One packet on its way through, and what has been found out about it so far.
    struct Passage : Arrived {
        explicit Passage(const Arrived& arrived) : Arrived(arrived) {}

        Transit transit;
        Flow* flow = nullptr;  ///< null: it belongs to none, or begins one
        FlowDirection direction = FlowDirection::Original;
        FlowTuple leaving;  ///< what it will carry; of an ICMP error: what it will quote
        Ipv4Address from;   ///< the addresses of its own header, when it leaves
        Ipv4Address to;
        u8 state = ConnectionState::kNew;
        bool begins = false;            ///< a flow is to be made when it passes
        NatMapping* through = nullptr;  ///< that it comes in by, unless by a rule
        Interface* out = nullptr;
        Ipv4Address next_hop;
    };

    bool following() const { return !nat_.idle() || !filter_.idle(); }
    RuleChain& chain_of(Chain chain);

    std::expected<void, Drop> follow(Passage& passage);
    void find_subject(Passage& passage);
    std::expected<void, Drop> find_conversation(Passage& passage);
    std::expected<void, Drop> begin(Passage& passage);
    std::expected<void, Drop> for_us(Passage& passage);
    std::expected<void, Drop> send_on(Passage& passage);
    std::expected<void, Drop> check_route(Passage& passage);
    std::expected<void, Drop> judge(Chain chain, Passage& passage);
    std::expected<void, Drop> translate_source(Passage& passage);
    std::expected<void, Drop> make_flow(Passage& passage, NatMapping* source);
    std::expected<void, Drop> transmit(Passage& passage);
    SendResult send_whole(Passage& passage, std::size_t headers);
    SendResult send_pieces(Passage& passage);
    void change(Passage& passage) const;
    void count(Passage& passage);

    RuleSubject subject(const Passage& passage, const FlowTuple& tuple) const;
    bool is_for_us(const Passage& passage) const;
    bool fits(const Passage& passage) const;
    const Interface* owner_of(Ipv4Address address) const;
    bool is_external(Ipv4Address address) const;
    void report(const Passage& passage, IcmpType type, u8 code, u32 second = 0);
    void reject(const Passage& passage, RejectWith with);
    void send_reset(const Passage& passage);
    void redirect(const Passage& passage);
    void claim_addresses(Chain chain, const Rule& rule);

    Services& services_;
    Ipv4& ip_;
    Filter filter_;
    FlowTable flows_;
    Nat nat_;
};

}  // namespace tapestry
