#include "apps/inspect/quiz/quiz_timeline.h"

#include <algorithm>
#include <map>

#include "apps/inspect/packet_changes.h"
#include "stack/wire/ethernet.h"

namespace tapestry {
namespace {

using Ends = std::pair<Endpoint, Endpoint>;  ///< of a conversation, the lower first

/// A frame with a TCP segment.
struct Carried {
    Ipv4View ip;
    ObservedPacket packet;
    std::size_t size = 0;  ///< of the packet on the wire
    Ends ends() const { return std::minmax(packet.segment.source, packet.segment.destination); }
};

std::optional<Carried> carried(const Timeline::Frame& frame) {
    const auto ip = ipv4_of_frame(frame.bytes);
    if (!ip || ip->protocol() != IpProtocol::Tcp) return std::nullopt;
    const std::size_t size = frame.wire_size - EthernetView::kHeaderSize;
    auto packet = observed_packet(*ip, size);
    if (!packet) return std::nullopt;
    return Carried{*ip, std::move(*packet), size};
}

bool has_address(const Timeline::Host& host, Ipv4Address address) {
    return std::ranges::any_of(host.interfaces, [&](const Timeline::Interface& interface) {
        return interface.address.substr(0, interface.address.find('/')) == address.to_string();
    });
}

/// Beside which host each conversation is captured, as its first SYN says.
class Places {
public:
    explicit Places(const Timeline& timeline) : timeline_(timeline) {
        for (const Timeline::Frame& frame : timeline.frames) {
            const auto c = carried(frame);
            if (c && c->packet.segment.flags.syn() && !c->packet.segment.flags.ack())
                open(frame, *c);
        }
    }

    /// When a frame passes that place; nothing: it does not.
    std::optional<Duration> time_of(const Timeline::Frame& frame, const Carried& c) const {
        const auto place = places_.find(c.ends());
        const u32 host = place == places_.end() ? ours() : place->second;
        if (host == Timeline::kNone) return std::nullopt;
        if (frame.from.host == host) return frame.sent;
        return frame.to.host == host ? frame.arrived : std::nullopt;
    }

private:
    void open(const Timeline::Frame& frame, const Carried& c) {
        const Ipv4Address client = c.packet.segment.source.address;
        u32 host = ours();
        if (frame.from.host != Timeline::kNone) {
            const Timeline::Host& from = timeline_.hosts[frame.from.host];
            const bool opener = has_address(from, client) && !from.router;
            // Behind a router it is the same conversation once more, with another address.
            if (from.ours) host = opener ? frame.from.host : Timeline::kNone;
        }
        if (timeline_.strangers && timeline_.strangers->contains(client)) host = Timeline::kNone;
        places_.emplace(c.ends(), host);
    }

    /// The only stack of ours, of a timeline that has no more.
    u32 ours() const {
        u32 found = Timeline::kNone;
        for (u32 i = 0; i < timeline_.hosts.size(); ++i) {
            if (!timeline_.hosts[i].ours) continue;
            if (found != Timeline::kNone) return Timeline::kNone;
            found = i;
        }
        return found;
    }

    const Timeline& timeline_;
    std::map<Ends, u32> places_;
};

}  // namespace

std::vector<ObservedStream> read_timeline(const Timeline& timeline, Quiz& quiz) {
    const Places places(timeline);
    std::map<u64, u64> again;
    std::vector<std::pair<Duration, u32>> passing;  ///< and the frame's index
    for (u32 i = 0; i < timeline.frames.size(); ++i) {
        const Timeline::Frame& frame = timeline.frames[i];
        const auto c = carried(frame);
        if (!c) continue;
        const Duration time = frame.sent.value_or(frame.arrived.value_or(Duration{}));
        quiz.packet(i + 1, timeline.start + time, c->ip.bytes(), c->size);
        if (frame.again != Timeline::kNone) again[i + 1] = frame.again + 1;
        if (const auto passes = places.time_of(frame, *c)) passing.emplace_back(*passes, i);
    }
    quiz.known(std::move(again));
    std::ranges::stable_sort(passing, {}, &std::pair<Duration, u32>::first);
    Observer observer([&](const ObservedSegment& segment) { quiz.segment(segment); });
    for (const auto& [time, index] : passing) {
        const auto c = carried(timeline.frames[index]);
        observer.packet(index + 1, timeline.start + time, c->ip.bytes(), c->size);
    }
    return observer.streams();
}

}  // namespace tapestry
