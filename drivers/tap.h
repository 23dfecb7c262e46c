#pragma once

#include <string>

#include "drivers/device.h"
#include "drivers/device_errors.h"
#include "drivers/unique_fd.h"
#include "drivers/vnet_header.h"

namespace tapestry {

struct TapOptions {
    /// An existing TAP is taken, else one is made. Empty: a new one, and the kernel chooses the name.
    std::string name;
    /// Ask for virtio-net headers, with checksum and TCP segmentation offload.
    bool offload = true;
    /// Set the interface's MTU (68 to 65535); 0: leave it.
    u32 mtu = 0;
};

/// A TAP: the kernel's end of the wire is the interface of that name, ours is this object.
///
/// With offload it is a complete Device. Where the kernel refuses that, or the options do, it is a
/// plain one, which takes neither partial checksums nor super-frames: checksum_offload() is false, and
/// it has to be wrapped in a segmenter.
class Tap final : public Device {
public:
    /// Throws SetupError with the remedy. Neither sets the interface up nor gives it an address.
    explicit Tap(const TapOptions& options);

    PortCapabilities capabilities() const override;
    [[nodiscard]] bool transmit(const Frame& frame) override;
    /// Empty handles are filled from the device's own pool: the packets must die before it.
    std::size_t receive(std::span<Packet> batch) override;
    int fd() const override { return fd_.get(); }

    const std::string& name() const { return name_; }
    bool checksum_offload() const { return offload_; }
    const DeviceErrors& errors() const { return errors_; }

private:
    enum class Read { Frame, Refused, Nothing };

    void open_device(const TapOptions& options);
    bool attach(const std::string& name, bool offload);
    void set_mtu(u32 mtu);
    Read read_frame(Packet& packet);

    UniqueFd fd_;
    UniqueFd control_;  ///< any socket of the same network namespace, to ask about the interface
    std::string name_;
    bool offload_ = false;
    DeviceErrors errors_;
    std::unique_ptr<PacketPool> pool_;
};

}  // namespace tapestry
