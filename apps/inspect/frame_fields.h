#pragma once

#include <string>
#include <vector>

#include "stack/buf/offload.h"
#include "stack/wire/seq_num.h"

namespace tapestry {

/// One field of a frame: where its bytes are, and what they say.
struct FrameField {
    std::string name;        ///< Wireshark's: "tcp.seq"
    std::string label;       ///< "Sequence Number"
    std::string value;       ///< "2718281828", "192.168.3.10", "SYN, ACK"
    std::size_t offset = 0;  ///< from the beginning of the frame, bytes
    std::size_t length = 0;  ///< of its bytes; a part of a byte: the byte
    u8 level = 0;            ///< 0: a whole header ("tcp"), 1: a field of it, 2: a part of that
    bool broken = false;     ///< it cannot be so: `value` says what is wrong
    friend bool operator==(const FrameField&, const FrameField&) = default;
};

/// The fields of a frame from its Ethernet header on: VLAN tags, ARP, IPv4, ICMP with what it quotes,
/// UDP, TCP with its options, in the order of their bytes. Of a malformed frame as far as there is
/// sense in it; the last field says why no more. `offload`: a checksum that a device completes is not
/// called wrong.
std::vector<FrameField> frame_fields(Bytes frame, const Offload& offload = {});

/// The index of the innermost field that a byte of the frame belongs to; -1: none.
int field_at(const std::vector<FrameField>& fields, std::size_t offset);

}  // namespace tapestry
