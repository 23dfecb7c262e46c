#include "apps/replay/recording.h"

#include <algorithm>

#include "apps/failure.h"
#include "stack/wire/arp.h"
#include "stack/wire/checksum.h"

namespace tapestry {
namespace {

constexpr std::size_t kEthernet = EthernetView::kHeaderSize;
/// The longest frame of an ordinary wire, and that with two VLAN tags.
constexpr std::size_t kLongestFrame = 1514 + 8;

/// The hardware address of a host on a link that has none.
MacAddress made_up(Ipv4Address address) {
    std::array<u8, 6> octets{0x02, 0x01};
    address.store(&octets[2]);
    return MacAddress(octets);
}

/// A super-frame of 64 KB has no total length in its header; here it gets the one that it has.
void complete_length(MutableBytes packet) {
    if (packet.size() < Ipv4View::kMinHeaderSize || packet.size() > 65535) return;
    if (load_be16(&packet[Ipv4View::kTotalLength]) != 0) return;
    store_be16(&packet[Ipv4View::kTotalLength], static_cast<u16>(packet.size()));
    const std::size_t header = std::size_t{4} * (packet[0] & 0xfU);
    if (header < Ipv4View::kMinHeaderSize || header > packet.size()) return;
    store_be16(&packet[Ipv4View::kChecksum], 0);
    store_be16(&packet[Ipv4View::kChecksum], internet_checksum(Bytes(packet).first(header)));
}

RecordedFrame::Sum sum_of(const Ipv4View& ip, const RecordedFrame& frame) {
    using Sum = RecordedFrame::Sum;
    const bool tcp = ip.protocol() == IpProtocol::Tcp;
    const std::size_t at = tcp ? TcpView::kChecksum : 6;
    const Bytes payload = ip.payload();
    if ((!tcp && ip.protocol() != IpProtocol::Udp) || ip.is_fragment() || frame.cut > 0 ||
        payload.size() < at + 2) {
        return Sum::Untouched;
    }
    const u16 field = load_be16(&payload[at]);
    if (!tcp && field == 0) return Sum::Right;  // RFC 768: none was made
    auto adder = pseudo_header(ip.source(), ip.destination(), static_cast<u8>(ip.protocol()),
                               static_cast<u32>(payload.size()));
    const u16 partial = adder.sum();
    adder.add(payload);
    if (adder.checksum() == 0) return Sum::Right;
    return field == partial ? Sum::Partial : Sum::Wrong;
}

}  // namespace

Recording::Recording(const std::string& path, Ipv4Address host)
    : path_(path),
      host_(host),
      observer_([this](const ObservedSegment& s) { stream_ = s.stream; }) {
    read();
    agree_on_mac();
    judge_checksums();
    if (frames_.empty()) refuse_empty();
    const bool speaks =
        std::any_of(frames_.begin(), frames_.end(), [](const auto& frame) { return frame->ours; });
    if (!speaks) refuse_empty();
}

void Recording::read() {
    auto reader = PcapReader::open(path_);
    if (!reader) throw Failure(kUsage, "replay: " + reader.error().what);
    for (;;) {
        const u64 offset = reader->position();
        const auto record = reader->next();
        if (!record) broken_ = record.error().what;
        if (!record || !*record) return;
        ++records_;
        take(**record, offset);
    }
}

void Recording::refuse_empty() const {
    std::vector<std::pair<u64, Ipv4Address>> hosts;
    for (const auto& [address, count] : seen_) hosts.emplace_back(count, address);
    std::sort(hosts.rbegin(), hosts.rend());
    if (hosts.size() > 4) hosts.resize(4);
    std::string known;
    for (const auto& [count, address] : hosts) {
        known += (known.empty() ? "" : ", ") + address.to_string();
    }
    if (!broken_.empty()) throw Failure(kUsage, "replay: " + broken_);
    throw Failure(kUsage, "replay: " + path_ + " has nothing that " + host_.to_string() + " sent" +
                              (known.empty() ? "" : "; its hosts are " + known));
}

/// Whether the host sent it, or could have got it.
bool Recording::concerns_host(const NetworkPacket& packet, bool& ours) {
    if (packet.type == EtherType::Arp) {
        const auto arp = ArpPacket::parse(packet.packet);
        if (!arp) return false;
        ours = arp->sender_ip == host_;
        return ours || arp->target_ip == host_;
    }
    if (packet.type != EtherType::Ipv4 || packet.packet.size() < Ipv4View::kMinHeaderSize) {
        return false;
    }
    const auto source = Ipv4Address::load(&packet.packet[Ipv4View::kSource]);
    const auto destination = Ipv4Address::load(&packet.packet[Ipv4View::kDestination]);
    ++seen_[source];
    ours = source == host_;
    return ours || destination == host_ || destination.is_broadcast();
}

void Recording::take(const PcapRecord& record, u64 offset) {
    const auto packet = network_packet(record.link, record.bytes);
    if (!packet) return;
    bool tcp = false;
    if (packet->type == EtherType::Ipv4) {
        tcp = observer_.packet(record.number, record.time, packet->packet,
                               record.original_size - packet->header_size);
    }
    bool ours = false;
    if (!concerns_host(*packet, ours)) return;
    auto frame = std::make_unique<RecordedFrame>();
    frame->number = record.number;
    frame->offset = offset;
    frame->time = record.time;
    frame->ours = ours;
    frame->stream = stream_;
    const auto captured = static_cast<u32>(record.bytes.size());
    frame->cut = record.original_size > captured ? record.original_size - captured : 0;
    // A length that no frame has is not believed.
    if (frame->cut > 65536) frame->cut = 0;
    frame->oversized = record.original_size > kLongestFrame;
    frame->bytes.resize(kEthernet + packet->packet.size() + frame->cut);
    std::copy(packet->packet.begin(), packet->packet.end(), frame->bytes.begin() + kEthernet);
    address_link(*frame, record, *packet);
    if (packet->type == EtherType::Ipv4) {
        complete_length(MutableBytes(frame->bytes).subspan(kEthernet));
        find_segment(*frame, tcp);
    }
    frames_.push_back(std::move(frame));
}

/// `tcp`: the observer has seen a whole segment, in this frame or with it.
void Recording::find_segment(RecordedFrame& frame, bool tcp) {
    const auto ip = Ipv4View::parse(frame.packet());
    if (!ip) return;
    frame.sum = sum_of(*ip, frame);
    const bool fragment = ip->is_fragment() && ip->protocol() == IpProtocol::Tcp;
    if (fragment) {
        frame.set_aside = true;
        const auto whole = fragments_.add(*ip, frame.packet().size());
        if (whole) frame.whole.assign(whole->begin(), whole->end());
    }
    const auto packet = fragment ? Ipv4View::parse(frame.whole) : ip;
    // What left with a wrong sum was still meant; what came with one was thrown away.
    const bool believed = frame.ours || frame.sum != RecordedFrame::Sum::Wrong;
    if (!tcp || !believed || !packet) return;
    const auto segment =
        Segment::parse(packet->payload(), packet->source(), packet->destination(), true);
    if (segment) frame.segment = *segment;
}

/// The Ethernet header: as it was captured, or made up.
void Recording::address_link(RecordedFrame& frame, const PcapRecord& record,
                             const NetworkPacket& packet) {
    EthernetHeader header;
    header.type = packet.type;
    if (record.link == LinkType::Ethernet) {
        const auto ethernet = *EthernetView::parse(record.bytes);
        header.destination = ethernet.destination();
        header.source = ethernet.source();
    } else if (const auto arp = ArpPacket::parse(packet.packet);
               packet.type == EtherType::Arp && arp) {
        const bool asks = arp->operation == ArpOperation::Request;
        header.source = arp->sender_mac;
        header.destination = asks ? MacAddress::broadcast() : arp->target_mac;
    } else {
        const auto destination = Ipv4Address::load(&packet.packet[Ipv4View::kDestination]);
        header.source = made_up(Ipv4Address::load(&packet.packet[Ipv4View::kSource]));
        header.destination =
            destination.is_broadcast() ? MacAddress::broadcast() : made_up(destination);
    }
    header.write(frame.bytes.data());
}

/// A wrong checksum of the host's own is one that a device finishes, if none is right; else the frame was
/// damaged on its way to the recorder.
void Recording::judge_checksums() {
    const bool some_right = std::any_of(frames_.begin(), frames_.end(), [](const auto& frame) {
        return frame->ours && frame->sum == RecordedFrame::Sum::Right;
    });
    for (const auto& frame : frames_) {
        if (!some_right || !frame->ours || frame->sum != RecordedFrame::Sum::Wrong) continue;
        frame->segment.reset();
        frame->set_aside = true;
    }
}

/// A packet for the host is for its interface, wherever it was captured.
void Recording::agree_on_mac() {
    const auto first =
        std::find_if(frames_.begin(), frames_.end(), [](const auto& frame) { return frame->ours; });
    if (first == frames_.end()) return;
    mac_ = EthernetView::parse((*first)->bytes)->source();
    if (mac_.is_zero() || mac_.is_group()) mac_ = made_up(host_);
    for (const auto& frame : frames_) {
        u8* ethernet = frame->bytes.data();
        if (frame->ours) {
            mac_.store(ethernet + EthernetView::kSource);
        } else if (!MacAddress::load(ethernet + EthernetView::kDestination).is_group()) {
            mac_.store(ethernet + EthernetView::kDestination);
        }
    }
}

}  // namespace tapestry
