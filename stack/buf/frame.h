#pragma once

#include <algorithm>
#include <array>

#include "stack/buf/offload.h"

namespace tapestry {

/// A frame on its way out: headers that are written here, from the innermost to the outermost, and a
/// payload that stays where it is, in at most two pieces (a byte ring wraps once). It owns nothing
/// but the headers and lives only as long as the call that sends it; who wants to keep it copies it.
class Frame {
public:
    /// Ethernet, IPv4 and TCP with all options, a virtio-net header, and some to spare.
    static constexpr std::size_t kHeaderCapacity = 192;

    Frame() = default;
    explicit Frame(Bytes first, Bytes second = {}) : payload_{first, second} {}

    /// Puts n unwritten bytes in front of the headers so far. The layers together never ask for more
    /// than kHeaderCapacity.
    u8* push(std::size_t n) {
        begin_ -= n;
        return headers_.data() + begin_;
    }
    Bytes headers() const { return Bytes(headers_).subspan(begin_); }
    MutableBytes headers() { return MutableBytes(headers_).subspan(begin_); }
    const std::array<Bytes, 2>& payload() const { return payload_; }
    std::size_t payload_size() const { return payload_[0].size() + payload_[1].size(); }
    std::size_t size() const { return kHeaderCapacity - begin_ + payload_size(); }

    /// Writes the whole frame to `out`, which has size() bytes.
    void copy_to(u8* out) const {
        out = std::copy(headers_.begin() + begin_, headers_.end(), out);
        for (const Bytes piece : payload_) out = std::copy(piece.begin(), piece.end(), out);
    }

    /// Offsets in it count from the outermost header pushed so far; Interface::output, which pushes
    /// the last one, moves them. See shift_offload().
    Offload offload;

    /// To be called by who pushes `n` bytes of header in front of those that `offload` counts from.
    void shift_offload(std::size_t n) {
        offload.csum_start = static_cast<u16>(offload.csum_start + n);
        offload.header_length = static_cast<u16>(offload.header_length + n);
    }

private:
    std::array<u8, kHeaderCapacity> headers_;  // NOLINT: written by push()'s callers
    std::size_t begin_ = kHeaderCapacity;
    std::array<Bytes, 2> payload_{};
};

}  // namespace tapestry
