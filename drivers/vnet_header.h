#pragma once

#include <array>
#include <expected>

#include "stack/base/drop.h"
#include "stack/buf/offload.h"

namespace tapestry {

/// The header that the kernel puts in front of every frame of a TAP or a packet socket when asked to
/// (struct virtio_net_hdr, Virtual I/O Device 1.2 section 5.1.6), in the byte order of the host:
///
///    0        1        2        4        6        8         10
///   +--------+--------+--------+--------+--------+---------+
///   | flags  |gso type|hdr_len |gso_size| csum_  | csum_   |  then the Ethernet frame
///   |        |        |        |        | start  | offset  |
///   +--------+--------+--------+--------+--------+---------+
inline constexpr std::size_t kVnetHeaderSize = 10;
using VnetHeader = std::array<u8, kVnetHeaderSize>;

/// The header for a frame on its way to the kernel.
VnetHeader to_vnet_header(const Offload& offload);

/// What the kernel says about a frame on its way to the stack, held against the frame itself: after it
/// every offset lies inside the frame, and a super-frame is IPv4 with TCP or UDP. `hdr_len` is a hint
/// only; the header length is taken from the frame.
/// Refuses: OffloadInvalid.
std::expected<Offload, Drop> from_vnet_header(const VnetHeader& header, Bytes frame);

}  // namespace tapestry
