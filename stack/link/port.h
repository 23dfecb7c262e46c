#pragma once

#include "stack/buf/frame.h"

namespace tapestry {

/// What a device can do for the stack.
struct PortCapabilities {
    u32 mtu = 1500;           ///< the largest IP packet that the wire takes
    u32 max_super_frame = 0;  ///< the largest IP packet that the device will cut; 0: it cuts none
};

/// The only way out of the stack. A port takes frames with a partial checksum always, and
/// super-frames up to what its capabilities say: devices that cannot are wrapped in a segmenter.
class Port {
public:
    virtual ~Port() = default;
    virtual PortCapabilities capabilities() const = 0;
    /// Takes the whole frame, which is good during the call only, or nothing: false means that the
    /// device is full, and the caller keeps its data and tries again later.
    [[nodiscard]] virtual bool transmit(const Frame& frame) = 0;
};

}  // namespace tapestry
