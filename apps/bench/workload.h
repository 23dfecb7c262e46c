#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "stack/base/time.h"

namespace tapestry {

/// What a benchmark against a live peer does over one connection, or over one after another. The same
/// words go for our stack and for the kernel's that stands beside it.
enum class Workload : u8 {
    BulkSend,     ///< write blocks to a peer that throws them away; Gbit/s
    BulkReceive,  ///< read from a peer that writes without end; Gbit/s
    RoundTrips,   ///< send a byte, wait for its echo; per second
    Connect,      ///< connect and close; per second
};

/// Bytes in one write() or read() of the bulk workloads.
inline constexpr std::size_t kBenchBlock = std::size_t{128} << 10;

/// One measured number. The names and units are part of what scripts rely on.
struct Figure {
    std::string name;
    double value = 0;
    std::string unit;
};

/// The kernel's own figure for a workload: its sockets at both ends of a veth pair between two network
/// namespaces made for that, the peer's services behind it. Throws SetupError.
double measure_kernel(Workload workload, Duration time);

/// Two stacks in this process, a link in memory, virtual time, no system call: what the stack itself
/// costs. Nanoseconds per segment of 1460 bytes (sent by one and received by the other) and Gbit/s, as
/// wire frames and as super-frames, without a trace listener and with one that does nothing.
std::vector<Figure> measure_memory();

}  // namespace tapestry
