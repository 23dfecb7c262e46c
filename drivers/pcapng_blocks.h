#pragma once

#include "stack/base/types.h"

/// The numbers of the pcapng format (draft-ietf-opsawg-pcapng).
namespace tapestry::pcapng {

inline constexpr u32 kSectionHeader = 0x0a0d0d0a;
inline constexpr u32 kInterfaceDescription = 1;
inline constexpr u32 kObsoletePacket = 2;
inline constexpr u32 kSimplePacket = 3;
inline constexpr u32 kEnhancedPacket = 6;
inline constexpr u32 kByteOrderMagic = 0x1a2b3c4d;
/// Longer blocks are not read: no packet needs one.
inline constexpr u32 kMaxBlock = 16U << 20;

// Options of every block, of section headers, interfaces and packets.
inline constexpr u16 kEndOfOptions = 0;
inline constexpr u16 kComment = 1;
inline constexpr u16 kUserApplication = 4;      // shb_userappl
inline constexpr u16 kInterfaceName = 2;        // if_name
inline constexpr u16 kDescription = 3;          // if_description
inline constexpr u16 kTimestampResolution = 9;  // if_tsresol
inline constexpr u16 kPacketFlags = 2;          // epb_flags

}  // namespace tapestry::pcapng
