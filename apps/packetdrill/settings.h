#pragma once

#include <expected>
#include <string>

#include "stack/base/config.h"
#include "stack/wire/address.h"

namespace tapestry::packetdrill {

/// What so_flags say: "local_ip=192.168.0.1,profile=linux,tcp.min_rto=300ms".
struct Settings {
    StackConfig stack;
    Ipv4Prefix local{Ipv4Address(192, 168, 0, 1), 16};
    Ipv4Address gateway{192, 168, 0, 2};
    u32 mtu = 1500;
    bool extra_packets = false;  ///< true: packets that no script line took are no failure
};

/// key=value, separated by commas or blanks; `config=FILE` reads more of them, one a line, and # begins
/// a comment. The profile is linux unless another is named, and options win over it. The error names
/// the word that is wrong.
std::expected<Settings, std::string> parse_settings(const std::string& flags);

}  // namespace tapestry::packetdrill
