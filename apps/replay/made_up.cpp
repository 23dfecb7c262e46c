#include "apps/replay/made_up.h"

#include <algorithm>

#include "stack/wire/checksum.h"
#include "stack/wire/ipv4.h"

namespace tapestry {
namespace {

constexpr std::size_t kEthernet = EthernetView::kHeaderSize;
constexpr std::size_t kIp = Ipv4View::kMinHeaderSize;

/// The checksum of the TCP segment that fills the packet behind `ip_size` bytes.
void complete(MutableBytes packet, std::size_t ip_size) {
    const MutableBytes tcp = packet.subspan(ip_size);
    store_be16(&tcp[TcpView::kChecksum], 0);
    auto adder = pseudo_header(Ipv4Address::load(&packet[Ipv4View::kSource]),
                               Ipv4Address::load(&packet[Ipv4View::kDestination]),
                               static_cast<u8>(IpProtocol::Tcp), static_cast<u32>(tcp.size()));
    adder.add(tcp);
    store_be16(&tcp[TcpView::kChecksum], adder.checksum());
}

}  // namespace

std::vector<u8> made_up_frame(const EthernetHeader& ethernet, const Segment& segment) {
    const TcpHeader tcp{.source_port = segment.source.port,
                        .destination_port = segment.destination.port,
                        .sequence = segment.seq,
                        .acknowledgment = segment.ack,
                        .flags = segment.flags,
                        .window = segment.wnd,
                        .urgent_pointer = segment.up,
                        .options = segment.options};
    const std::size_t size = kIp + tcp.size() + segment.payload.size();
    std::vector<u8> frame(kEthernet + size);
    ethernet.write(frame.data());
    const Ipv4Header ip{.total_length = static_cast<u16>(size),
                        .dont_fragment = true,
                        .protocol = IpProtocol::Tcp,
                        .source = segment.source.address,
                        .destination = segment.destination.address};
    ip.write(&frame[kEthernet]);
    tcp.write(&frame[kEthernet + kIp]);
    std::copy(segment.payload.begin(), segment.payload.end(),
              frame.begin() + static_cast<std::ptrdiff_t>(kEthernet + kIp + tcp.size()));
    complete(MutableBytes(frame).subspan(kEthernet), kIp);
    return frame;
}

void retell(std::vector<u8>& frame, const Retelling& changes) {
    const auto ip = Ipv4View::parse(Bytes(frame).subspan(kEthernet));
    if (!ip) return;
    const auto tcp = TcpView::parse(ip->payload());
    if (!tcp) return;
    u8* header = frame.data() + kEthernet + ip->header_size();
    if (changes.ack) {
        const auto back = static_cast<u32>(tcp->acknowledgment() - *changes.ack);
        const u32 window = tcp->window() + (back >> changes.window_shift);
        store_be16(header + TcpView::kWindow, static_cast<u16>(std::min<u32>(window, 65535)));
        store_be32(header + TcpView::kAcknowledgment, changes.ack->value());
    }
    u8* option = header + TcpView::kMinHeaderSize;
    const u8* end = option + tcp->options().size();
    // Every length has been looked at: TcpOptions::parse() took this segment.
    for (; changes.echo && option < end && *option != 0; option += *option == 1 ? 1 : option[1]) {
        if (*option != static_cast<u8>(TcpOptionKind::Timestamps) || option[1] != 10) continue;
        store_be32(option + 6, *changes.echo);
    }
    complete(MutableBytes(frame).subspan(kEthernet).first(ip->total_length()), ip->header_size());
}

}  // namespace tapestry
