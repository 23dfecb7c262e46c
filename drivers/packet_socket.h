#pragma once

#include <string>

#include "drivers/device.h"
#include "drivers/device_errors.h"
#include "drivers/unique_fd.h"
#include "stack/wire/address.h"

namespace tapestry {

struct PacketSocketOptions {
    std::string interface;     ///< must exist and be up
    bool offload = true;       ///< ask for virtio-net headers
    bool promiscuous = false;  ///< also frames for other stations than the interface's own
};

/// A packet socket (packet(7)): what crosses an existing Ethernet interface, a veth or a real card,
/// beside the kernel's own stack, which sees the incoming frames too. What the kernel itself sends
/// through that interface is not shown.
///
/// With offload it is a complete Device where the interface is a veth; frames larger than the MTU come
/// and go. Without, it takes neither partial checksums nor super-frames (checksum_offload() is false),
/// and has to be wrapped in a segmenter. When the interface is deleted nothing more comes. A VLAN tag that the kernel has taken off does not come back:
/// tagged frames look untagged.
class PacketSocket final : public Device {
public:
    /// Throws SetupError with the remedy. Needs CAP_NET_RAW in the network namespace.
    explicit PacketSocket(const PacketSocketOptions& options);

    PortCapabilities capabilities() const override;
    [[nodiscard]] bool transmit(const Frame& frame) override;
    /// Empty handles are filled from the device's own pool: the packets must die before it.
    std::size_t receive(std::span<Packet> batch) override;
    int fd() const override { return fd_.get(); }

    /// The interface's own address.
    MacAddress mac() const;
    bool checksum_offload() const { return offload_; }
    const DeviceErrors& errors();

private:
    enum class Read { Frame, Refused, Nothing };

    void bind_to(const PacketSocketOptions& options);
    void set_buffers();
    Read read_frame(Packet& packet);

    UniqueFd fd_;
    std::string name_;
    bool offload_ = false;
    DeviceErrors errors_;
    std::unique_ptr<PacketPool> pool_;
};

}  // namespace tapestry
