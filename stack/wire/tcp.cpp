#include "stack/wire/tcp.h"

#include "stack/wire/checksum.h"
#include "stack/wire/ipv4.h"

namespace tapestry {

bool TcpView::checksum_ok(Ipv4Address source, Ipv4Address destination) const {
    auto adder = pseudo_header(source, destination, static_cast<u8>(IpProtocol::Tcp),
                               static_cast<u32>(bytes_.size()));
    adder.add(bytes_);
    return adder.checksum() == 0;
}

void TcpHeader::write(u8* p) const {
    const std::size_t header_size =
        TcpView::kMinHeaderSize + options.write(p + TcpView::kMinHeaderSize);
    store_be16(p + TcpView::kSourcePort, source_port);
    store_be16(p + TcpView::kDestinationPort, destination_port);
    store_be32(p + TcpView::kSequence, sequence.value());
    store_be32(p + TcpView::kAcknowledgment, acknowledgment.value());
    p[TcpView::kDataOffset] = static_cast<u8>(header_size / 4 << 4);
    p[TcpView::kFlags] = flags.bits;
    store_be16(p + TcpView::kWindow, window);
    store_be16(p + TcpView::kChecksum, checksum);
    store_be16(p + TcpView::kUrgentPointer, urgent_pointer);
}

}  // namespace tapestry
