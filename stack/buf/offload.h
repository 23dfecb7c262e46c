#pragma once

#include "stack/base/types.h"

namespace tapestry {

/// What a device leaves to us, or we to it: the checksum and the cutting of a super-frame. It rides
/// with every frame, in both directions (the fields of the virtio-net header, in host order).
struct Offload {
    enum class Checksum : u8 {
        InFrame,   ///< complete in the frame; a receiver has to check it
        Verified,  ///< the device vouches for it (or the frame never crossed a wire)
        Partial,   ///< the field holds the pseudo-header's sum; somebody has to finish it
    };
    enum class Gso : u8 { None, Tcp4, Udp4 };

    Checksum checksum = Checksum::InFrame;
    Gso gso = Gso::None;
    /// Payload bytes of each segment of a super-frame; 0 for an ordinary frame.
    u16 gso_size = 0;
    /// Ethernet, IP and transport header together; counts only with gso.
    u16 header_length = 0;
    /// Partial: the sum begins here, counted from the Ethernet header ...
    u16 csum_start = 0;
    /// ... and goes into the two bytes at csum_start + csum_offset.
    u16 csum_offset = 0;

    /// A receiver need not check the transport checksum.
    bool checksum_trusted() const { return checksum != Checksum::InFrame; }
    /// The offsets above mean something.
    bool uses_offsets() const { return checksum == Checksum::Partial || gso_size != 0; }
    friend bool operator==(const Offload&, const Offload&) = default;
};

}  // namespace tapestry
