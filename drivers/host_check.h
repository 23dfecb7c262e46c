#pragma once

#include <string>
#include <vector>

namespace tapestry {

/// One thing that a machine may allow or not.
struct HostCheck {
    std::string name;  ///< "tun device", ...
    bool ok = false;
    std::string detail;  ///< what was found, in a few words
    std::string remedy;  ///< the one command that mends it; empty when nothing is to be mended
};

/// Tries what the drivers need, as this user, and says what came of it. Everything is tried in a child
/// process: nothing of the caller or of the machine changes.
///
///   tun device           /dev/net/tun exists and may be opened
///   user namespaces      an ordinary user may make a network of his own
///   private network      a sandbox can be made, one way or the other
///   packet sockets       in a private network
///   tap offload          a TAP takes virtio-net headers, checksum and TCP segmentation offload
///   packet offload       a packet socket takes virtio-net headers
///   sandbox              what a sandbox's cable will be
std::vector<HostCheck> check_host();

}  // namespace tapestry
