#include "apps/replay/recording.h"

#include <algorithm>

#include "apps/failure.h"
#include "apps/inspect/reading_progress.h"
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

/// Makes the header checksum right; gives the wrong one.
std::optional<u16> complete_header_sum(MutableBytes packet) {
    if (packet.size() < Ipv4View::kMinHeaderSize) return std::nullopt;
    const std::size_t header = std::size_t{4} * (packet[0] & 0xfU);
    if (header < Ipv4View::kMinHeaderSize || header > packet.size()) return std::nullopt;
    if (internet_checksum(Bytes(packet).first(header)) == 0) return std::nullopt;
    const u16 wrong = load_be16(&packet[Ipv4View::kChecksum]);
    store_be16(&packet[Ipv4View::kChecksum], 0);
    store_be16(&packet[Ipv4View::kChecksum], internet_checksum(Bytes(packet).first(header)));
    return wrong;
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

Recording::Recording(const std::string& path, Ipv4Address host, Side loopback_side)
    : path_(path),
      host_(host),
      loopback_side_(loopback_side),
      loopback_(host.is_loopback()),
      observer_([this](const ObservedSegment& s) {
          stream_ = s.stream;
          from_ = s.from;
      }) {
    read();
    agree_on_mac();
    judge_checksums();
    judge_header_sums();
    if (frames_.empty()) refuse_empty();
    const bool speaks =
        std::any_of(frames_.begin(), frames_.end(), [](const auto& frame) { return frame->ours; });
    if (!speaks) refuse_empty();
}

void Recording::read() {
    auto reader = PcapReader::open(path_);
    if (!reader) throw Failure(kUsage, "replay: " + reader.error().what);
    ReadingProgress progress(*reader);
    for (;;) {
        const u64 offset = reader->position();
        const auto record = reader->next();
        if (!record) broken_ = record.error().what;
        if (!record || !*record) return;
        ++records_;
        progress.update();
        take(**record, offset);
    }
}

void Recording::refuse_empty() const {
    std::vector<std::pair<u64, Ipv4Address>> hosts;
    hosts.reserve(seen_.size());
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
    if (loopback_) {
        if (!tcp) return;  // who of the two said it is not known
        ours = from_ == loopback_side_;
    }
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
        const MutableBytes ip = MutableBytes(frame->bytes).subspan(kEthernet);
        complete_length(ip);
        if (loopback_) leave_loopback(ip, ours);
        frame->wrong_header_sum = complete_header_sum(ip);
        find_segment(*frame, tcp);
    }
    frames_.push_back(std::move(frame));
}

void Recording::leave_loopback(MutableBytes ip, bool ours) {
    const auto parsed = Ipv4View::parse(ip);
    const bool tcp = parsed && !parsed->is_fragment() && parsed->protocol() == IpProtocol::Tcp;
    const auto change = [&](std::size_t at, Ipv4Address to) {
        const u32 from = load_be32(&ip[at]);
        to.store(&ip[at]);
        for (const unsigned shift : {16U, 0U}) {
            const auto was = static_cast<u16>(from >> shift);
            const auto is = static_cast<u16>(to.value() >> shift);
            const auto renew = [&](std::size_t sum) {
                store_be16(&ip[sum], update_checksum(load_be16(&ip[sum]), was, is));
            };
            renew(Ipv4View::kChecksum);
            if (tcp) renew(parsed->header_size() + TcpView::kChecksum);
        }
    };
    change(Ipv4View::kSource, ours ? kLoopbackHost : kLoopbackPeer);
    change(Ipv4View::kDestination, ours ? kLoopbackPeer : kLoopbackHost);
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
    if (!tcp || !packet) return;
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

/// Wrong checksums in most frames of a side are the recorder's: a device finished them later, or somebody
/// has changed addresses or cut the file. In a few they are damage: of the host's own on the way to the
/// recorder, of the peer's so that the host threw them away.
void Recording::judge_checksums() {
    using Sum = RecordedFrame::Sum;
    for (const bool ours : {true, false}) {
        const auto count = [&](Sum sum) {
            return std::count_if(frames_.begin(), frames_.end(), [&](const auto& frame) {
                return frame->ours == ours && frame->sum == sum;
            });
        };
        const bool believed = count(Sum::Wrong) > count(Sum::Right);
        for (const auto& frame : frames_) {
            if (frame->ours != ours || frame->sum != Sum::Wrong) continue;
            if (believed) {
                frame->sum = Sum::Disbelieved;
            } else {
                frame->segment.reset();
                frame->set_aside = ours;
            }
        }
    }
}

/// Wrong header checksums in most frames are the recorder's (offloading, or addresses that somebody has
/// changed); in a few of the peer's they are damage, which the host saw, too.
void Recording::judge_header_sums() {
    const auto wrong = std::count_if(frames_.begin(), frames_.end(), [](const auto& frame) {
        return frame->wrong_header_sum.has_value();
    });
    if (wrong * 2 > std::ssize(frames_)) return;
    for (const auto& frame : frames_) {
        if (!frame->wrong_header_sum || frame->ours) continue;
        store_be16(&frame->bytes[kEthernet + Ipv4View::kChecksum], *frame->wrong_header_sum);
        frame->segment.reset();
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
