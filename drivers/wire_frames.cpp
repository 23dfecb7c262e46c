#include "drivers/wire_frames.h"

#include <algorithm>

#include "stack/wire/checksum.h"
#include "stack/wire/ethernet.h"
#include "stack/wire/ipv4.h"
#include "stack/wire/tcp.h"
#include "stack/wire/udp.h"

/// How it works. The three pieces of a frame (headers, payload, payload) are one run of bytes. The
/// headers of a super-frame are found once; for each segment they are copied into a new Frame and
/// put right, and the payload is a slice of the pieces. Every payload byte is read once, for the
/// checksum.

namespace tapestry {
namespace {

constexpr std::size_t kEthernet = EthernetView::kHeaderSize;

/// Copies up to n bytes from the front of `pieces` to `out` and returns how many.
std::size_t gather(std::span<const Bytes> pieces, u8* out, std::size_t n) {
    std::size_t copied = 0;
    for (const Bytes piece : pieces) {
        const std::size_t take = std::min(piece.size(), n - copied);
        if (take == 0) continue;
        std::memcpy(out + copied, piece.data(), take);
        copied += take;
    }
    return copied;
}

/// The part of the run `pieces` that begins at `offset` and has at most n bytes.
std::array<Bytes, 3> slice(const std::array<Bytes, 3>& pieces, std::size_t offset, std::size_t n) {
    std::array<Bytes, 3> out{};
    for (std::size_t i = 0; i < pieces.size(); ++i) {
        const std::size_t skip = std::min(offset, pieces[i].size());
        const std::size_t take = std::min(n, pieces[i].size() - skip);
        out[i] = pieces[i].subspan(skip, take);
        offset -= skip;
        n -= take;
    }
    return out;
}

/// A frame whose payload is `pieces`; what of it lies in the first piece is copied to its headers.
Frame frame_of(const std::array<Bytes, 3>& pieces) {
    if (pieces[0].empty()) return Frame(pieces[1], pieces[2]);
    if (pieces[2].empty() && pieces[1].empty()) return Frame(pieces[0]);
    if (pieces[2].empty()) return Frame(pieces[0], pieces[1]);
    Frame frame(pieces[1], pieces[2]);
    std::memcpy(frame.push(pieces[0].size()), pieces[0].data(), pieces[0].size());
    return frame;
}

}  // namespace

WireFrames::WireFrames(const Frame& frame)
    : pieces_{frame.headers(), frame.payload()[0], frame.payload()[1]}, size_(frame.size()) {
    prepare(frame.offload);
}

WireFrames::WireFrames(const Packet& packet) : pieces_{packet.bytes()}, size_(packet.size()) {
    prepare(packet.offload);
}

void WireFrames::prepare(const Offload& offload) {
    if (offload.checksum == Offload::Checksum::Partial || offload.gso != Offload::Gso::None) {
        offload_ = offload;
    }
    if (offload.gso != Offload::Gso::None && offload.gso_size > 0 && parse_headers()) {
        work_ = Work::Cut;
        const std::size_t payload = size_ - header_size_;
        count_ = std::max<std::size_t>(1, (payload + offload.gso_size - 1) / offload.gso_size);
        skip_header();
    } else if (offload.checksum == Offload::Checksum::Partial) {
        const std::size_t field_end = std::size_t{offload.csum_start} + offload.csum_offset + 2;
        header_size_ = std::max(field_end, std::min(pieces_[0].size(), Frame::kHeaderCapacity));
        if (field_end <= size_ && header_size_ <= Frame::kHeaderCapacity) {
            work_ = Work::FinishChecksum;
        }
    }
}

/// Finds where the headers of a super-frame end. False when they are not what the offload says.
bool WireFrames::parse_headers() {
    Bytes front = pieces_[0];
    if (front.size() < std::min(kMaxHeader, size_)) {
        front = {gathered_.data(), gather(pieces_, gathered_.data(), kMaxHeader)};
    }
    if (front.size() < kEthernet + Ipv4View::kMinHeaderSize) return false;
    if (load_be16(&front[EthernetView::kType]) != static_cast<u16>(EtherType::Ipv4)) return false;
    const u8* ip = &front[kEthernet];
    const std::size_t ip_size = std::size_t{4} * (ip[0] & 0xfU);
    if (ip[0] >> 4U != 4 || ip_size < Ipv4View::kMinHeaderSize) return false;
    transport_at_ = kEthernet + ip_size;
    const bool tcp = offload_.gso == Offload::Gso::Tcp4;
    const auto protocol = tcp ? IpProtocol::Tcp : IpProtocol::Udp;
    if (ip[Ipv4View::kProtocol] != static_cast<u8>(protocol)) return false;
    const std::size_t min = tcp ? TcpView::kMinHeaderSize : UdpView::kHeaderSize;
    if (front.size() < transport_at_ + min) return false;
    const std::size_t transport_size =
        tcp ? std::size_t{4} * (front[transport_at_ + TcpView::kDataOffset] >> 4U) : min;
    if (transport_size < min || front.size() < transport_at_ + transport_size) return false;
    header_at_ = front.data();
    header_size_ = transport_at_ + transport_size;
    return true;
}

void WireFrames::skip_header() { pieces_ = slice(pieces_, header_size_, size_); }

Frame WireFrames::at(std::size_t index) const {
    if (work_ == Work::Cut) return segment(index);
    if (work_ == Work::FinishChecksum) return finished();
    if (pieces_[0].size() > Frame::kHeaderCapacity) return Frame(pieces_[0]);  // of a Packet
    Frame frame(pieces_[1], pieces_[2]);
    std::memcpy(frame.push(pieces_[0].size()), pieces_[0].data(), pieces_[0].size());
    return frame;
}

/// The frame with its checksum finished: the field holds the pseudo-header's sum already.
Frame WireFrames::finished() const {
    ChecksumAdder adder;
    for (const Bytes piece : slice(pieces_, offload_.csum_start, size_)) adder.add(piece);
    u16 checksum = adder.checksum();
    // RFC 768: an all zero checksum means that the sender generated none, so 0 is sent as ones.
    if (checksum == 0 && offload_.csum_offset == UdpView::kChecksum) checksum = 0xffff;

    Frame frame = frame_of(slice(pieces_, header_size_, size_));
    u8* header = frame.push(header_size_);
    gather(pieces_, header, header_size_);
    store_be16(header + offload_.csum_start + offload_.csum_offset, checksum);
    return frame;
}

Frame WireFrames::segment(std::size_t index) const {
    const std::size_t offset = index * offload_.gso_size;
    const auto payload = slice(pieces_, offset, offload_.gso_size);
    const std::size_t payload_size = payload[0].size() + payload[1].size() + payload[2].size();
    const std::size_t transport_size = header_size_ - transport_at_ + payload_size;

    Frame frame = frame_of(payload);
    u8* header = frame.push(header_size_);
    std::memcpy(header, header_at_, header_size_);
    u8* ip = header + kEthernet;
    write_ip(ip, index, transport_at_ - kEthernet + transport_size);

    u8* transport = header + transport_at_;
    const bool tcp = offload_.gso == Offload::Gso::Tcp4;
    u8* field = transport + (tcp ? TcpView::kChecksum : UdpView::kChecksum);
    if (tcp) {
        write_tcp(transport, index);
    } else {
        store_be16(transport + UdpView::kLength, static_cast<u16>(transport_size));
    }
    store_be16(field, 0);
    ChecksumAdder adder = pseudo_header(Ipv4Address::load(ip + Ipv4View::kSource),
                                        Ipv4Address::load(ip + Ipv4View::kDestination),
                                        ip[Ipv4View::kProtocol], static_cast<u32>(transport_size));
    adder.add({transport, header_size_ - transport_at_});
    for (const Bytes piece : payload) adder.add(piece);
    const u16 checksum = adder.checksum();
    store_be16(field, checksum == 0 && !tcp ? u16{0xffff} : checksum);
    return frame;
}

void WireFrames::write_ip(u8* ip, std::size_t index, std::size_t packet_size) const {
    store_be16(ip + Ipv4View::kTotalLength, static_cast<u16>(packet_size));
    const u16 id = load_be16(ip + Ipv4View::kIdentification);
    const bool atomic =
        id == 0 && (load_be16(ip + Ipv4View::kFlagsAndOffset) & Ipv4View::kDontFragment) != 0;
    if (!atomic) store_be16(ip + Ipv4View::kIdentification, static_cast<u16>(id + index));
    store_be16(ip + Ipv4View::kChecksum, 0);
    store_be16(ip + Ipv4View::kChecksum, internet_checksum({ip, transport_at_ - kEthernet}));
}

void WireFrames::write_tcp(u8* tcp, std::size_t index) const {
    const u32 seq = load_be32(tcp + TcpView::kSequence);
    store_be32(tcp + TcpView::kSequence, seq + static_cast<u32>(index) * offload_.gso_size);
    u8 flags = tcp[TcpView::kFlags];
    if (index + 1 < count_) flags &= static_cast<u8>(~(TcpFlags::kFin | TcpFlags::kPsh));
    if (index > 0) flags &= static_cast<u8>(~TcpFlags::kCwr);
    tcp[TcpView::kFlags] = flags;
}

}  // namespace tapestry
