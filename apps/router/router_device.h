#pragma once

#include "apps/router/router_file.h"
#include "drivers/capture.h"
#include "drivers/packet_socket.h"
#include "drivers/segmenter.h"
#include "drivers/tap.h"

namespace tapestry {

/// The device of one interface with what has to stand in front of it: a segmenter where it has no
/// offloads, and a capture where one is wanted.
class RouterDevice {
public:
    /// Fills in the Ethernet address of `interface` with the device's own where it is to have that.
    /// `pcap`: the directory for captures, or empty. Throws SetupError, Failure.
    RouterDevice(RouterInterface& interface, const std::string& pcap);

    /// What the stack is to be given.
    Device& outermost() { return *outermost_; }

private:
    void open(RouterInterface& interface);
    void record(const RouterInterface& interface, const std::string& pcap);

    std::unique_ptr<Tap> tap_;
    std::unique_ptr<PacketSocket> socket_;
    std::unique_ptr<Segmenter> segmenter_;
    std::optional<PcapngWriter> writer_;
    std::unique_ptr<Capture> capture_;
    Device* outermost_ = nullptr;
};

}  // namespace tapestry
