#pragma once

#include "stack/base/config.h"
#include "tests/support/script_parser.h"

namespace tapestry::test {

/// What the settings at the top of a script say; see tests/scripts/README.md for their names.
struct ScriptConfig {
    StackConfig stack;
    Ipv4Prefix local{Ipv4Address(192, 168, 0, 1), 16};
    Ipv4Address gateway{192, 168, 0, 2};
    Ipv4Address remote{192, 0, 2, 1};
    u16 local_port = 8080;    ///< what bind(3, ..., ...) means, and where `<` goes to
    u16 connect_port = 8080;  ///< what connect(3, ..., ...) means
    u16 remote_port = 50000;  ///< of flow 1; flow 2 comes from the next one
    u32 mtu = 1500;
    u32 super_frame = 0;  ///< the largest super-frame that the device takes
    Duration tolerance{};
    std::optional<u32> iss;       ///< our first connection's initial sequence number
    std::optional<u32> peer_iss;  ///< what the peer's number 0 is on the wire
};

/// Throws ScriptSyntaxError for a name or a value that is not known.
ScriptConfig make_config(const Script& script);

}  // namespace tapestry::test
