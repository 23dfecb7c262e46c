#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "stack/base/time.h"
#include "stack/trace/notation.h"
#include "tests/support/script_options.h"

namespace tapestry::test {

/// When a step happens, in script time.
struct StepTime {
    enum class Kind : u8 { Absolute, Relative, Any };
    Kind kind = Kind::Relative;
    Duration from{};
    Duration to{};                    ///< the end of a range `a~b`; without one the same as `from`
    std::optional<Duration> returns;  ///< of a blocking call `a...b`: when it comes back
};

/// What is said of a packet in brackets in front of it: `[ttl 5, bad_checksum]`.
struct PacketNotes {
    std::optional<u8> tos;
    std::optional<u8> ecn;  ///< the two bits of RFC 3168, whatever the rest of the TOS is
    std::optional<u8> ttl;
    std::optional<Ipv4Address> from;  ///< instead of the address that the flow has there
    std::optional<Ipv4Address> to;
    std::optional<u16> from_port;
    std::optional<u16> to_port;
    bool bad_checksum = false;
    bool garbage = false;    ///< the payload is not the one of the stream
    bool broadcast = false;  ///< in a link-layer broadcast
};

/// `< S 0:0(0) win 1000 <mss 1460>`, `>2 . 1:1(0) ack 1`
struct TcpLine {
    bool inbound = false;
    u32 flow = 1;
    PacketNotes notes;
    TcpNote note;  ///< its options are not used
    ScriptOptions options;
};
/// `< icmp unreachable frag_needed mtu 1200 [1:1461(1460)]`: an error about a segment of ours.
struct IcmpLine {
    u32 flow = 1;
    u8 type = 0;
    u8 code = 0;
    u16 mtu = 0;
    u32 seq = 0;
    u32 length = 0;
    PacketNotes notes;
};
/// `write(4, ..., 1000) = 1000`
struct CallLine {
    std::string name;
    std::vector<std::string> args;
    bool result_given = false;
    i64 result = 0;
    std::string error;  ///< "EAGAIN"; empty: none
};
/// One of the comparisons in `%{ state == ESTABLISHED, cwnd >= 1460 }%`.
struct Check {
    u32 flow = 1;
    std::string name;
    std::string relation;
    std::string value;
};
struct ChecksLine {
    std::vector<Check> checks;
};

struct ScriptStep {
    std::size_t line = 0;
    std::string text;
    StepTime time;
    std::variant<TcpLine, IcmpLine, CallLine, ChecksLine> body;
};

/// A file of tests/scripts, read. What each form means is in tests/scripts/README.md.
struct Script {
    std::string name;  ///< of the file, for messages
    /// Each `--name=value` as a pair of its own; `--set a=b` is ("a", "b").
    struct Setting {
        std::size_t line = 0;
        std::string name;
        std::string value;
    };
    std::vector<Setting> settings;
    std::vector<ScriptStep> steps;
};

/// Reads a script; the error is one line "name:12: what is wrong".
std::expected<Script, std::string> parse_script(std::string name, std::string_view text);

/// "1.5", ".2", "200ms", "30s", "10us"; a bare number is seconds.
std::optional<Duration> parse_duration(std::string_view text);

}  // namespace tapestry::test
