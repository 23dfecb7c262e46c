#pragma once

#include <map>

#include "stack/wire/ipv4.h"
#include "tests/support/script_config.h"

namespace tapestry::test {

/// The byte at an offset of a stream: what calls write, what scripted segments carry, and what both
/// are held against.
constexpr u8 stream_byte(u32 offset, bool ours) {
    return static_cast<u8>(offset * 31 + (offset >> 8U) * 17 + (ours ? 1 : 101));
}

/// A segment of ours as it was seen on the wire, in the script's numbers.
struct SeenSegment {
    u32 flow = 0;
    TcpNote note;
    std::vector<ScriptOption> options;
    u8 tos = 0;
    u8 ttl = 0;
    std::string fault;  ///< what is wrong with it whatever the script says; empty: nothing
};

using PortPair = std::pair<u16, u16>;

/// The wire between the stack and the peer that a script plays: makes the frames that the script
/// sends, reads those that the stack sends, and knows how the numbers of a script (relative to the
/// first of each side) and those on the wire belong together, for each flow.
class ScriptWire {
public:
    ScriptWire(const ScriptConfig& config, u32 peer_iss) : config_(config), peer_iss_(peer_iss) {}

    static MacAddress our_mac() { return MacAddress({2, 0, 0, 0, 0, 1}); }
    static MacAddress gateway_mac() { return MacAddress({2, 0, 0, 0, 0, 2}); }

    std::vector<u8> frame_of(const TcpLine& line);
    std::vector<u8> frame_of(const IcmpLine& line);

    /// Reads a frame; nothing when it is not a TCP segment. `expected` teaches the numbers that only
    /// the stack could choose: its ISN and its timestamps.
    std::optional<SeenSegment> read(Bytes frame, const TcpLine* expected);

    /// A connect() is being made: the next SYN has an ISN that nobody knows.
    void expect_connect() { connecting_ = true; }

    /// Local and remote port of a flow; nothing when it has not been seen.
    std::optional<PortPair> ports(u32 flow) const;
    /// Numbers of the wire in the script's terms.
    u32 our_number(u32 flow, SeqNum on_wire) const;
    u32 peer_number(SeqNum on_wire) const { return on_wire.value() - peer_iss_; }

private:
    struct Flow {
        u16 local_port = 0;
        u16 remote_port = 0;
        std::optional<u32> base;      ///< our number on the wire that the script calls 0
        std::optional<u32> ts_base;   ///< our timestamp that the script calls 0
        std::optional<u32> peer_syn;  ///< the script's number of the peer's last SYN
        u32 our_syn = 0;              ///< the script's number of our SYN
        bool new_isn = true;          ///< our next SYN may have an ISN of its own
    };
    Flow& flow_for_inbound(u32 number);
    u32 flow_for_outbound(u16 local_port, u16 remote_port);
    void learn(Flow& flow, const TcpView& tcp, const TcpLine* expected) const;
    std::string payload_fault(const Flow& flow, const TcpView& tcp) const;
    std::vector<u8> segment_of(const TcpLine& line, const Flow& flow) const;
    std::vector<u8> wrap(IpProtocol protocol, Bytes payload, const PacketNotes& notes,
                         Ipv4Address source) const;

    const ScriptConfig& config_;
    u32 peer_iss_;
    bool connecting_ = false;
    std::map<u32, Flow> flows_;
};

}  // namespace tapestry::test
