#include "stack/ip/flow_table.h"

#include <algorithm>

namespace tapestry {

void Flow::on_timer(TimePoint now) { table_.erase(*this, now); }

std::size_t FlowTable::Hash::operator()(const FlowTuple& tuple) const {
    std::array<u8, 14> bytes;
    tuple.source.address.store(bytes.data());
    tuple.destination.address.store(bytes.data() + 4);
    store_be16(bytes.data() + 8, tuple.source.port);
    store_be16(bytes.data() + 10, tuple.destination.port);
    bytes[12] = static_cast<u8>(tuple.protocol);
    bytes[13] = tuple.icmp_type;
    return siphash(key, bytes);
}

FlowTable::FlowTable(Services& services, Forgotten forgotten)
    : services_(services),
      config_(services.config.flow),
      forgotten_(std::move(forgotten)),
      index_(0, Hash{{services.rng.next(), services.rng.next()}}) {}

FlowTable::~FlowTable() = default;

FlowTable::Found FlowTable::find(const FlowTuple& tuple) const {
    const auto found = index_.find(tuple);
    if (found == index_.end()) return {};
    Flow* flow = found->second;
    return {flow, tuple == flow->original_ ? FlowDirection::Original : FlowDirection::Reply};
}

std::expected<void, Drop> FlowTable::may_add(Ipv4Address source) const {
    if (flows_.size() >= config_.max_flows) return std::unexpected(Drop::FlowTableFull);
    const auto host = flows_of_.find(source.value());
    if (host != flows_of_.end() && host->second >= config_.max_flows_per_host) {
        return std::unexpected(Drop::FlowHostLimit);
    }
    return {};
}

std::expected<Flow*, Drop> FlowTable::add(const FlowTuple& original, const FlowTuple& reply,
                                          TimePoint now) {
    if (const auto may = may_add(original.source.address); !may) {
        return std::unexpected(may.error());
    }
    if (contains(original) || contains(reply) || original == reply) {
        return std::unexpected(Drop::FlowClash);
    }
    Flow& flow = flows_.emplace_back(*this, original, reply);
    flow.place_ = std::prev(flows_.end());
    flow.id_ = next_id_++;
    index_.emplace(original, &flow);
    index_.emplace(reply, &flow);
    ++flows_of_[original.source.address.value()];
    services_.timers.arm(flow, now + timeout(flow));
    return &flow;
}

void FlowTable::passed(Flow& flow, FlowDirection direction, TcpFlags flags, u64 size, u32 segments,
                       TimePoint now) {
    const bool is_new = flow.packets_[0] + flow.packets_[1] == 0;
    const FlowState state = flow.tcp_.state();
    const bool replied = flow.replied_;
    const bool assured = flow.assured_;

    flow.packets_[static_cast<u8>(direction)] += segments;
    flow.bytes_[static_cast<u8>(direction)] += size;
    if (direction == FlowDirection::Reply) flow.replied_ = true;
    if (flow.original_.protocol == IpProtocol::Tcp) {
        flow.tcp_.passed(direction, flags);
        flow.assured_ = flow.assured_ || flow.tcp_.was_established();
    } else if (flow.original_.protocol == IpProtocol::Udp) {
        flow.assured_ = flow.assured_ || (replied && direction == FlowDirection::Original);
    }
    // RFC 4787 REQ-6: "The NAT mapping Refresh Direction MUST have a "NAT Outbound refresh behavior"
    // of "True"." Packets that come in refresh it, too (its REQ-6a permits that).
    services_.timers.arm(flow, now + timeout(flow));
    if (is_new) {
        report(FlowEvent::Kind::New, flow, now);
    } else if (state != flow.tcp_.state() || replied != flow.replied_ || assured != flow.assured_) {
        report(FlowEvent::Kind::Update, flow, now);
    }
}

void FlowTable::erase(Flow& flow, TimePoint now) {
    if (flow.packets_[0] + flow.packets_[1] != 0) report(FlowEvent::Kind::Destroy, flow, now);
    forgotten_(flow, now);
    index_.erase(flow.original_);
    index_.erase(flow.reply_);
    const auto host = flows_of_.find(flow.original_.source.address.value());
    if (--host->second == 0) flows_of_.erase(host);
    flows_.erase(flow.place_);
}

Duration FlowTable::timeout(const Flow& flow) const {
    switch (flow.original_.protocol) {
        case IpProtocol::Tcp: {
            // RFC 5382 REQ-5: "the value of the "established connection idle-timeout" MUST NOT be
            // less than 2 hours 4 minutes. The value of the "transitory connection idle-timeout"
            // MUST NOT be less than 4 minutes." A half-closed connection still carries data and
            // counts as established; it is over when both sides have closed.
            const FlowState state = flow.tcp_.state();
            const bool established = state == FlowState::Established ||
                                     state == FlowState::FinWait || state == FlowState::CloseWait;
            return established ? config_.tcp_established : config_.tcp_transitory;
        }
        case IpProtocol::Udp:
            return config_.udp;
        case IpProtocol::Icmp:
            return config_.icmp;
    }
    return config_.other;
}

void FlowTable::report(FlowEvent::Kind kind, const Flow& flow, TimePoint now) const {
    if (services_.trace != nullptr) services_.trace->on_flow({now, kind, snapshot(flow, now)});
}

FlowSnapshot FlowTable::snapshot(const Flow& flow, TimePoint now) const {
    return {.id = flow.id_,
            .original = flow.original_,
            .reply = flow.reply_,
            .state = flow.tcp_.state(),
            .replied = flow.replied_,
            .assured = flow.assured_,
            .remaining = flow.armed() ? std::max(Duration{}, flow.deadline() - now) : Duration{},
            .packets = flow.packets_,
            .bytes = flow.bytes_};
}

std::vector<FlowSnapshot> FlowTable::snapshots(TimePoint now) const {
    std::vector<FlowSnapshot> all;
    all.reserve(flows_.size());
    for (const Flow& flow : flows_) all.push_back(snapshot(flow, now));
    return all;
}

}  // namespace tapestry
