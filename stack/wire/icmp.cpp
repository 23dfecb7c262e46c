#include "stack/wire/icmp.h"

#include "stack/wire/checksum.h"

namespace tapestry {

std::expected<IcmpView, Drop> IcmpView::parse(Bytes message, bool checksum_verified) {
    if (message.size() < kHeaderSize) return std::unexpected(Drop::IcmpShort);
    if (!checksum_verified && internet_checksum(message) != 0) {
        return std::unexpected(Drop::IcmpBadChecksum);
    }
    return IcmpView(message);
}

void IcmpHeader::write(u8* p, Bytes payload) const {
    p[IcmpView::kType] = static_cast<u8>(type);
    p[IcmpView::kCode] = code;
    store_be16(p + IcmpView::kChecksum, 0);
    store_be32(p + IcmpView::kIdentifier, second);
    ChecksumAdder adder;
    adder.add({p, IcmpView::kHeaderSize});
    adder.add(payload);
    store_be16(p + IcmpView::kChecksum, adder.checksum());
}

}  // namespace tapestry
