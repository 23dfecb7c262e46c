#include "stack/ip/fragmentation.h"

#include <algorithm>
#include <utility>

#include "stack/wire/checksum.h"

namespace tapestry {
namespace {

constexpr u8 kEndOfOptions = 0;
constexpr u8 kNoOperation = 1;
constexpr u8 kCopied = 0x80;

/// Puts the bytes from `from` on, as many as fit `size`, into a frame of their own: what lies in
/// the headers is copied, the payload is pointed to.
Frame slice(const Frame& whole, std::size_t from, std::size_t size) {
    const Bytes headers = whole.headers();
    std::array<Bytes, 3> pieces{headers, whole.payload()[0], whole.payload()[1]};
    for (Bytes& piece : pieces) {
        const std::size_t skipped = std::min(from, piece.size());
        const std::size_t taken = std::min(size, piece.size() - skipped);
        piece = piece.subspan(skipped, taken);
        from -= skipped;
        size -= taken;
    }
    Frame part(pieces[1], pieces[2]);
    if (!pieces[0].empty()) {
        std::memcpy(part.push(pieces[0].size()), pieces[0].data(), pieces[0].size());
    }
    return part;
}

/// The header of all fragments but the first. RFC 791 section 3.1: the copied flag of an option
/// "indicates that this option is copied into all fragments on fragmentation".
std::vector<u8> later_header(Bytes header) {
    constexpr std::size_t kFixed = Ipv4View::kMinHeaderSize;
    std::vector<u8> kept(header.begin(), header.begin() + kFixed);
    Bytes options = header.subspan(kFixed);
    while (!options.empty() && options[0] != kEndOfOptions) {
        const bool lone = options[0] == kNoOperation;
        // Lengths were checked when the packet came in.
        const std::size_t size = lone || options.size() < 2 ? 1 : std::max<u8>(options[1], 2);
        const Bytes option = options.first(std::min(size, options.size()));
        if ((option[0] & kCopied) != 0) kept.insert(kept.end(), option.begin(), option.end());
        options = options.subspan(option.size());
    }
    kept.resize((kept.size() + 3) / 4 * 4, kEndOfOptions);
    kept[0] = static_cast<u8>(0x40 | kept.size() / 4);
    return kept;
}

/// Puts a header in front of a piece that begins at `offset` of the datagram.
void push_header(Frame& piece, Bytes header, u32 offset, bool more) {
    const std::size_t size = header.size() + piece.size();
    u8* p = piece.push(header.size());
    std::memcpy(p, header.data(), header.size());
    const u16 flags = load_be16(p + Ipv4View::kFlagsAndOffset) & Ipv4View::kDontFragment;
    store_be16(p + Ipv4View::kTotalLength, static_cast<u16>(size));
    store_be16(p + Ipv4View::kFlagsAndOffset,
               static_cast<u16>(flags | (more ? Ipv4View::kMoreFragments : 0) | offset / 8));
    store_be16(p + Ipv4View::kChecksum, 0);
    store_be16(p + Ipv4View::kChecksum, internet_checksum({p, header.size()}));
}

}  // namespace

void complete_checksum(Frame& payload, IpProtocol protocol, Ipv4Address source,
                       Ipv4Address destination) {
    const Offload offload = std::exchange(payload.offload, Offload());
    if (offload.checksum != Offload::Checksum::Partial) return;
    const std::size_t at = std::size_t{offload.csum_start} + offload.csum_offset;
    if (offload.csum_start != 0 || at + 2 > payload.headers().size()) return;
    u8* field = payload.headers().data() + at;
    store_be16(field, 0);
    auto adder = pseudo_header(source, destination, static_cast<u8>(protocol),
                               static_cast<u32>(payload.size()));
    adder.add(payload.headers());
    for (const Bytes piece : payload.payload()) adder.add(piece);
    u16 checksum = adder.checksum();
    // RFC 768: "If the computed checksum is zero, it is transmitted as all ones".
    if (checksum == 0 && protocol == IpProtocol::Udp) checksum = 0xffff;
    store_be16(field, checksum);
}

SendResult send_fragments(const Frame& payload, Bytes header, u32 mtu, const FragmentSink& sink) {
    const u16 flags = load_be16(&header[Ipv4View::kFlagsAndOffset]);
    const u32 base = 8U * (flags & Ipv4View::kOffsetMask);
    const bool whole_is_last = (flags & Ipv4View::kMoreFragments) == 0;
    std::vector<u8> later;
    const std::size_t total = payload.size();
    for (std::size_t from = 0; from < total;) {
        // RFC 791 3.2: all but the last fragment carry a multiple of eight octets.
        const std::size_t most = (mtu - header.size()) / 8 * 8;
        const std::size_t size = std::min(most, total - from);
        const bool last = from + size == total;
        Frame piece = slice(payload, from, size);
        push_header(piece, header, static_cast<u32>(base + from), !(last && whole_is_last));
        const SendResult sent = sink.send(piece);
        if (!accepted(sent)) {
            if (from == 0) return sent;
            sink.lost(piece, sent);
            break;
        }
        if (from == 0) {
            later = later_header(header);
            header = later;
        }
        from += size;
    }
    return SendResult::Sent;
}

}  // namespace tapestry
