#pragma once

#include <expected>
#include <functional>
#include <list>
#include <unordered_map>

#include "stack/base/siphash.h"
#include "stack/ip/flow_tcp.h"
#include "stack/link/services.h"

namespace tapestry {

struct NatMapping;
class FlowTable;

/// One conversation that the router follows. Owned by the FlowTable; the address stays.
class Flow final : public Timer {
public:
    Flow(FlowTable& table, const FlowTuple& original, const FlowTuple& reply)
        : original_(original), reply_(reply), table_(table) {}

    u64 id() const { return id_; }
    const FlowTuple& original() const { return original_; }
    const FlowTuple& reply() const { return reply_; }
    /// How packets of a direction come in ...
    const FlowTuple& incoming(FlowDirection d) const {
        return d == FlowDirection::Original ? original_ : reply_;
    }
    /// ... and how they leave: what the other direction's packets carry, reversed.
    FlowTuple outgoing(FlowDirection d) const { return incoming(other(d)).reversed(); }
    bool translated() const { return reply_ != original_.reversed(); }
    bool replied() const { return replied_; }
    void on_timer(TimePoint now) override;

    /// What the source is translated by, and what let the first packet in; NAT's.
    std::array<NatMapping*, 2> mappings{};
    /// The other end has to send first: this end's packets show it where to, and go no further.
    bool waits_for_reply = false;

private:
    friend class FlowTable;
    FlowTuple original_;
    FlowTuple reply_;
    FlowTable& table_;
    u64 id_ = 0;
    FlowTcp tcp_;
    bool replied_ = false;
    bool assured_ = false;
    std::array<u64, 2> packets_{};
    std::array<u64, 2> bytes_{};
    std::list<Flow>::iterator place_;
};

/// All conversations through one router, found by either direction's tuple: one hash lookup, keyed
/// so that a stranger cannot fill a bucket. A conversation that is silent for as long as its kind
/// and state allow is forgotten; that costs its packets two stores each.
///
/// At a limit a new conversation is refused and an old one kept, whatever their states.
class FlowTable {
public:
    struct Found {
        Flow* flow = nullptr;
        FlowDirection direction = FlowDirection::Original;
    };
    /// Told before a flow goes.
    using Forgotten = std::function<void(Flow&, TimePoint now)>;

    /// `services` outlives the table.
    FlowTable(Services& services, Forgotten forgotten);
    ~FlowTable();
    FlowTable(const FlowTable&) = delete;
    FlowTable& operator=(const FlowTable&) = delete;

    Found find(const FlowTuple& tuple) const;
    bool contains(const FlowTuple& tuple) const { return index_.contains(tuple); }
    /// Whether this host may begin one more. Refuses: FlowTableFull, FlowHostLimit.
    std::expected<void, Drop> may_add(Ipv4Address source) const;
    /// Refuses what may_add() refuses, and FlowClash: one of the tuples is another flow's.
    std::expected<Flow*, Drop> add(const FlowTuple& original, const FlowTuple& reply,
                                   TimePoint now);
    /// A packet of `size` bytes passes, in `segments` pieces on the wire. The first one of a flow
    /// makes it known to whoever listens.
    void passed(Flow& flow, FlowDirection direction, TcpFlags flags, u64 size, u32 segments,
                TimePoint now);
    void erase(Flow& flow, TimePoint now);

    FlowSnapshot snapshot(const Flow& flow, TimePoint now) const;
    /// In the order in which they began.
    std::vector<FlowSnapshot> snapshots(TimePoint now) const;
    std::size_t size() const { return flows_.size(); }

private:
    struct Hash {
        SipKey key{};
        std::size_t operator()(const FlowTuple& tuple) const;
    };

    Duration timeout(const Flow& flow) const;
    void report(FlowEvent::Kind kind, const Flow& flow, TimePoint now) const;

    Services& services_;
    const FlowConfig& config_;
    Forgotten forgotten_;
    std::list<Flow> flows_;
    std::unordered_map<FlowTuple, Flow*, Hash> index_;  ///< both tuples of each
    std::unordered_map<u32, u32> flows_of_;             ///< by the address that began them
    u64 next_id_ = 1;
};

}  // namespace tapestry
