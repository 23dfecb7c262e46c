#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "apps/bench/workload.h"
#include "stack/wire/address.h"

namespace tapestry {

/// Who stands in the middle between two Linux hosts and passes packets on.
enum class Middle : u8 {
    Tapestry,  ///< our router between two TAPs: NAT, 100,000 live mappings beside
    CopyLoop,  ///< two TAPs and nothing but read() and write(): the bound for any router
    Kernel,    ///< Linux between two veth pairs, nft masquerade
    Slirp,     ///< slirp4netns: a user-mode NAT between a TAP and the kernel's sockets
};

/// What is passed on.
enum class ForwardLoad : u8 { TcpUp, TcpDown, SmallUdp };

/// For each load the copy loop, ours, the kernel and slirp4netns, one after the other, `time` long
/// each, and the ratios of ours to the others. A middle that is not installed is left out, with a line
/// on stderr. Throws SetupError: root is needed.
std::vector<Figure> measure_forward(Duration time);

/// The process in the middle: makes the devices, gives one to each of the hosts (named by a process in
/// their namespaces), then passes packets until `result_fd` becomes readable.
class MiddleBox {
public:
    virtual ~MiddleBox() = default;
    virtual void cable(pid_t client, pid_t server) = 0;
    virtual void run(int result_fd) = 0;
};
/// Null where the program that it needs is not there.
std::unique_ptr<MiddleBox> make_middle_box(Middle middle);

/// Addresses of the little network; the server's is the same for all.
inline constexpr Ipv4Address kForwardClient{192, 168, 3, 10};
inline constexpr Ipv4Address kForwardInside{192, 168, 3, 1};
inline constexpr Ipv4Address kForwardOutside{203, 0, 113, 5};
inline constexpr Ipv4Address kForwardServer{203, 0, 113, 1};
/// What both hosts call their interface.
inline constexpr const char* kForwardInterface = "net0";

}  // namespace tapestry
