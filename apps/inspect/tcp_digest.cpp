#include "apps/inspect/tcp_digest.h"

#include "stack/wire/ethernet.h"
#include "stack/wire/ipv4.h"

namespace tapestry {

std::optional<TcpDigest> tcp_digest(const FrameEvent& event) {
    const auto ethernet = EthernetView::parse(event.headers);
    if (!ethernet || ethernet->type() != EtherType::Ipv4) return std::nullopt;
    // Of a frame on its way out the payload is elsewhere: the header is believed as to its length.
    const auto ip = event.direction == Direction::In ? Ipv4View::parse(ethernet->payload())
                                                     : Ipv4View::parse_quoted(ethernet->payload());
    if (!ip || ip->protocol() != IpProtocol::Tcp || ip->is_fragment()) return std::nullopt;
    const auto tcp = TcpView::parse(ip->payload());
    if (!tcp) return std::nullopt;
    const auto options = TcpOptions::parse(tcp->options());
    const std::size_t headers = ip->header_size() + tcp->header_size();
    if (!options || ip->total_length() < headers) return std::nullopt;

    const bool out = event.direction == Direction::Out;
    const Endpoint source{ip->source(), tcp->source_port()};
    const Endpoint destination{ip->destination(), tcp->destination_port()};
    TcpDigest digest;
    digest.direction = event.direction;
    digest.local = out ? source : destination;
    digest.remote = out ? destination : source;
    digest.flags = tcp->flags();
    digest.seq = tcp->sequence();
    digest.ack = tcp->acknowledgment();
    digest.window = tcp->window();
    digest.options = *options;
    digest.length = static_cast<u32>(ip->total_length() - headers);
    digest.text = out ? event.payload[0] : tcp->payload();
    const u32 size = event.offload.gso_size;
    if (event.offload.gso == Offload::Gso::Tcp4 && size > 0 && digest.length > size) {
        digest.segments = (digest.length + size - 1) / size;
    }
    return digest;
}

}  // namespace tapestry
