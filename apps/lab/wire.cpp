#include "apps/lab/wire.h"

#include "apps/inspect/packet_changes.h"
#include "drivers/wire_frames.h"
#include "stack/wire/tcp.h"

namespace tapestry {
namespace {

bool is_of_kind(const Ipv4View& packet, LoseKind kind) {
    if (kind == LoseKind::Any) return true;
    if (packet.protocol() != IpProtocol::Tcp) return false;
    const auto tcp = TcpView::parse(packet.payload());
    if (!tcp) return false;
    const bool data = !tcp->payload().empty();
    switch (kind) {
        case LoseKind::Syn:
            return tcp->flags().syn();
        case LoseKind::Data:
            return data;
        default:
            return !data && tcp->flags().bits == TcpFlags::kAck;
    }
}

}  // namespace

/// Stands in front of the cable's or the switch's own device.
class LabLink::End final : public Device {
public:
    End(LabLink& link, std::size_t index, Device& inner)
        : link_(link), index_(index), inner_(inner) {}
    PortCapabilities capabilities() const override { return inner_.capabilities(); }
    bool transmit(const Frame& frame) override { return link_.transmit(index_, frame); }
    std::size_t receive(std::span<Packet> batch) override { return inner_.receive(batch); }
    std::optional<TimePoint> next_deadline() const override { return inner_.next_deadline(); }
    Device& inner() { return inner_; }

private:
    LabLink& link_;
    std::size_t index_;
    Device& inner_;
};

LabLink::LabLink(const ScenarioLink& link, MemoryLink* cable, const Clock& clock, u64 seed)
    : link_(link), cable_(cable), rng_(seed) {
    if (cable_ == nullptr) {
        const EthernetSwitch::Config config{
            .ports = link.ends.size(), .delay = link.config.delay, .mtu = link.config.mtu};
        switch_ = std::make_unique<EthernetSwitch>(clock, config);
    }
    for (std::size_t i = 0; i < link.ends.size(); ++i) {
        Device& inner = cable_ != nullptr ? cable_->end(i) : switch_->port(i);
        ends_.push_back(std::make_unique<End>(*this, i, inner));
    }
}

LabLink::~LabLink() = default;

Device& LabLink::end(std::size_t index) { return *ends_.at(index); }

bool LabLink::transmit(std::size_t end, const Frame& frame) {
    const WireFrames wire(frame);
    const Frame whole = wire.at(0);
    bytes_.resize(whole.size());
    whole.copy_to(bytes_.data());
    std::string lost = fate(end, bytes_);
    if (lost.empty()) {
        const u64 before = cable_ != nullptr ? cable_->counters(end).queue_drops : 0;
        if (!ends_[end]->inner().transmit(frame)) return false;
        if (cable_ != nullptr && cable_->counters(end).queue_drops > before) {
            lost = "the queue in front of the link is full";
        }
    }
    if (watcher_) watcher_(end, bytes_, lost);
    return true;
}

std::string LabLink::fate(std::size_t end, Bytes frame) {
    // One draw for each frame, whatever becomes of it: so a change elsewhere moves no other loss.
    const bool unlucky = rng_.unit() * 100 < link_.loss;
    if (!plugged_) return "the link is cut";
    if (ordered(end, frame) || unlucky) return "lost";
    if (judge_ && judge_()) return "dropped, to see what happens then";
    return "";
}

bool LabLink::ordered(std::size_t end, Bytes frame) {
    const auto packet = ipv4_of_frame(frame);
    if (!packet) return false;
    for (auto it = orders_.begin(); it != orders_.end(); ++it) {
        if (it->end != end || !is_of_kind(*packet, it->kind)) continue;
        if (it->skip > 0) {
            --it->skip;
            return false;
        }
        if (--it->left == 0) orders_.erase(it);
        return true;
    }
    return false;
}

}  // namespace tapestry
