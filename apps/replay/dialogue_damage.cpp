#include "apps/replay/dialogue_damage.h"

#include "stack/wire/checksum.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/tcp.h"

namespace tapestry {

bool damaged_segment(Bytes ipv4) {
    const auto ip = Ipv4View::parse(ipv4);
    if (!ip) return ip.error() == Drop::Ipv4BadChecksum;
    const auto tcp = TcpView::parse(ip->payload());
    if (!tcp || tcp->checksum_ok(ip->source(), ip->destination())) return false;
    const auto size = static_cast<u32>(ip->payload().size());
    const u16 partial =
        pseudo_header(ip->source(), ip->destination(), static_cast<u8>(IpProtocol::Tcp), size)
            .sum();
    return tcp->checksum() != partial && tcp->checksum() != 0;
}

}  // namespace tapestry
