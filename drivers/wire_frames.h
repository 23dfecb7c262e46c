#pragma once

#include <array>

#include "stack/buf/frame.h"
#include "stack/buf/packet.h"

namespace tapestry {

/// The frames that a wire would carry for one frame of ours: a super-frame cut into its segments as
/// hardware does it, and every checksum complete. A frame that is fit for the wire already comes out
/// as it is.
///
/// Payloads are not copied: each segment is a Frame with headers of its own and spans into the
/// original, which must outlive this object and what it built. An offload that does not fit the frame
/// is ignored: such a frame comes out as it is.
///
/// TCP over IPv4 (Gso::Tcp4): the sequence number grows by what was sent before; the total length is
/// each segment's own; the identification counts up, unless it is 0 under "don't fragment" (RFC 6864
/// 4.1: an atomic datagram needs none); FIN and PSH stay on the last segment only, CWR on the first
/// only (RFC 3168 6.1.2). Gso::Udp4: each segment is a datagram with the same ports.
class WireFrames {
public:
    explicit WireFrames(const Frame& frame);
    explicit WireFrames(const Packet& packet);
    WireFrames(const WireFrames&) = delete;
    WireFrames& operator=(const WireFrames&) = delete;

    /// At least 1.
    std::size_t count() const { return count_; }
    /// There is one frame, and it is the original, byte for byte.
    bool as_is() const { return work_ == Work::None; }
    /// The frame number `index`, below count(). Its offload says that nothing is left to do.
    Frame at(std::size_t index) const;
    /// All bytes of all of them: what the wire is busy with.
    std::size_t wire_size() const { return size_ + (count_ - 1) * header_size_; }

private:
    enum class Work : u8 { None, FinishChecksum, Cut };
    /// The longest headers that can be cut: Ethernet, IPv4 and TCP, both with all options.
    static constexpr std::size_t kMaxHeader = 14 + 60 + 60;

    void prepare(const Offload& offload);
    bool parse_headers();
    void skip_header();
    Frame finished() const;
    Frame segment(std::size_t index) const;
    void write_ip(u8* ip, std::size_t index, std::size_t packet_size) const;
    void write_tcp(u8* tcp, std::size_t index) const;

    std::array<Bytes, 3> pieces_{};  ///< the original; with Work::Cut what follows the headers
    std::size_t size_ = 0;
    std::size_t count_ = 1;
    Work work_ = Work::None;
    Offload offload_;
    const u8* header_at_ = nullptr;
    std::size_t header_size_ = 0;
    std::size_t transport_at_ = 0;
    std::array<u8, kMaxHeader> gathered_;  // NOLINT: written before it is read
};

}  // namespace tapestry
