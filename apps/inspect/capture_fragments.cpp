#include "apps/inspect/capture_fragments.h"

#include <algorithm>

#include "stack/wire/checksum.h"

namespace tapestry {

std::optional<Bytes> CaptureFragments::add(const Ipv4View& fragment, std::size_t wire_size) {
    constexpr std::size_t kMaxText = 65535 - Ipv4View::kMinHeaderSize;
    const std::size_t said = fragment.total_length();
    if (said < fragment.header_size() || said > fragment.bytes().size() || said > wire_size) {
        return std::nullopt;
    }
    const Bytes piece = fragment.payload().first(said - fragment.header_size());
    const u32 offset = fragment.fragment_offset();
    if (offset + piece.size() > kMaxText) return std::nullopt;

    Datagram& datagram = find(fragment);
    if (offset == 0) {
        const Bytes header = fragment.bytes().first(fragment.header_size());
        datagram.header.assign(header.begin(), header.end());
    }
    if (datagram.text.size() < offset + piece.size()) datagram.text.resize(offset + piece.size());
    std::ranges::copy(piece, datagram.text.begin() + offset);
    datagram.seen.take(offset, piece.size());
    if (!fragment.more_fragments()) datagram.end = offset + static_cast<u32>(piece.size());
    const bool complete = datagram.end && !datagram.header.empty() &&
                          datagram.text.size() == *datagram.end &&
                          datagram.header.size() + *datagram.end <= 65535 &&
                          datagram.seen.missing_before(*datagram.end) == 0;
    if (!complete) return std::nullopt;

    whole_ = datagram.header;
    whole_.insert(whole_.end(), datagram.text.begin(), datagram.text.end());
    write_header(datagram.header.size());
    std::erase_if(datagrams_, [&](const Datagram& d) { return &d == &datagram; });
    return Bytes(whole_);
}

/// The header says what the whole packet is; its checksum stays wrong if it was.
void CaptureFragments::write_header(std::size_t size) {
    const Bytes header = Bytes(whole_).first(size);
    const bool right = internet_checksum(header) == 0;
    store_be16(&whole_[Ipv4View::kTotalLength], static_cast<u16>(whole_.size()));
    store_be16(&whole_[Ipv4View::kFlagsAndOffset], 0);
    if (!right) return;
    store_be16(&whole_[Ipv4View::kChecksum], 0);
    store_be16(&whole_[Ipv4View::kChecksum], internet_checksum(header));
}

CaptureFragments::Datagram& CaptureFragments::find(const Ipv4View& fragment) {
    const auto same = [&](const Datagram& d) {
        return d.source == fragment.source() && d.destination == fragment.destination() &&
               d.identification == fragment.identification() && d.protocol == fragment.protocol();
    };
    const auto known = std::ranges::find_if(datagrams_, same);
    if (known != datagrams_.end()) return *known;
    if (datagrams_.size() == kMaxDatagrams) datagrams_.pop_front();
    return datagrams_.emplace_back(Datagram{.source = fragment.source(),
                                            .destination = fragment.destination(),
                                            .identification = fragment.identification(),
                                            .protocol = fragment.protocol(),
                                            .header = {},
                                            .text = {}});
}

}  // namespace tapestry
