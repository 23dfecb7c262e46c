#pragma once

#include "apps/inspect/commented_capture.h"
#include "apps/router/router_file.h"
#include "drivers/packet_socket.h"
#include "drivers/segmenter.h"
#include "drivers/tap.h"

namespace tapestry {

/// The device of one interface with what has to stand in front of it: a segmenter where it has no
/// offloads, and a capture where one is wanted.
class RouterDevice {
public:
    /// Fills in the Ethernet address of `interface` with the device's own where it is to have that.
    /// Throws SetupError.
    explicit RouterDevice(RouterInterface& interface);

    /// Before the stack is given the device: what passes goes to a capture in the directory `pcap`, with
    /// what `comments` has to say, which hears the stack as long as that runs. Throws Failure.
    void record(const RouterInterface& interface, const std::string& pcap,
                CommentedFiles& comments);

    /// What the stack is to be given.
    Device& outermost() { return *outermost_; }

private:
    std::unique_ptr<Tap> tap_;
    std::unique_ptr<PacketSocket> socket_;
    std::unique_ptr<Segmenter> segmenter_;
    std::optional<PcapngWriter> writer_;
    std::unique_ptr<CommentedCapture> capture_;
    Device* outermost_ = nullptr;
};

}  // namespace tapestry
